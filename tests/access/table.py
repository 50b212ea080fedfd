"""Who may do what at which address: the one table that every URL must have a row in.

A page or call answers only the methods of its row; any other is a 405 for everybody who may come in.
"""

from typing import Final

from telflo.base.access import Role

ANYONE: Final = None
"""No sign-in needed."""

VIEWER, OPERATOR, EDITOR, ADMIN = Role.VIEWER, Role.OPERATOR, Role.EDITOR, Role.ADMIN

Row = dict[str, Role | None]
"""Method -> the least role."""


def _read(role: Role | None = VIEWER) -> Row:
    return {"GET": role}


def _do(role: Role | None) -> Row:
    return {"POST": role}


def _ask_and_do(role: Role | None) -> Row:
    return {"GET": role, "POST": role}


PAGES: Final[dict[str, Row]] = {
    "overview": _read(),
    "activity": _read(),
    "settings": _read(),
    "system": _read(),
    "limits": _read(),
    # loopback alone, or a token: tests/system/test_metrics.py
    "metrics": _read(ANYONE),
    "healthz": _read(ANYONE),
    "readyz": _read(ANYONE),
    "theme": _do(ANYONE),
    # accounts
    "login": _ask_and_do(ANYONE),
    "logout": _do(VIEWER),
    "account-link": _ask_and_do(ANYONE),
    "profile": _ask_and_do(VIEWER),
    "password": _do(VIEWER),
    "api-token-create": _do(VIEWER),
    "api-token-revoke": _do(VIEWER),
    "notices:list": _read(ADMIN),
    "notices:new": _ask_and_do(ADMIN),
    "notices:detail": _read(ADMIN),
    "notices:edit": _ask_and_do(ADMIN),
    "notices:test": _do(ADMIN),
    "notices:secret": _ask_and_do(ADMIN),
    "notices:pause": _ask_and_do(ADMIN),
    "notices:resume": _do(ADMIN),
    "notices:delete": _ask_and_do(ADMIN),
    "people": _ask_and_do(ADMIN),
    "person-role": _do(ADMIN),
    "person-reset": _do(ADMIN),
    "person-disable": _do(ADMIN),
    "person-enable": _do(ADMIN),
    # configurations
    "configs:list": _read(),
    "configs:new": _ask_and_do(EDITOR),
    "configs:detail": _read(),
    "configs:edit": _ask_and_do(EDITOR),
    "configs:archive": _ask_and_do(EDITOR),
    "configs:compare": _read(),
    "configs:version": _read(),
    "configs:draft": _ask_and_do(EDITOR),
    "configs:draft-discard": _ask_and_do(EDITOR),
    "configs:draft-findings": _read(EDITOR),
    "configs:draft-state": _read(EDITOR),
    "configs:version-copy": _ask_and_do(EDITOR),
    "configs:version-restore": _ask_and_do(EDITOR),
    "configs:version-raw": _read(EDITOR),
    "configs:version-publish": _ask_and_do(EDITOR),
    "configs:version-archive": _ask_and_do(EDITOR),
    "catalog:list": _read(),
    "catalog:detail": _read(),
    # collectors
    "agents:list": _read(),
    "agents:bulk": _do(OPERATOR),
    "agents:export": _read(),
    "agents:detail": _read(),
    "agents:configuration": {"GET": VIEWER, "POST": EDITOR},
    "agents:timeline": _read(),
    "agents:attempts": _read(),
    "agents:components": _read(),
    "agents:messages": _read(),
    "agents:edit": _ask_and_do(OPERATOR),
    "agents:move": _ask_and_do(OPERATOR),
    "agents:forget": _ask_and_do(OPERATOR),
    "agents:mode": _ask_and_do(OPERATOR),
    "agents:restart": _ask_and_do(OPERATOR),
    "agents:retry": _ask_and_do(OPERATOR),
    "agents:adopt": _ask_and_do(EDITOR),
    # fleets
    "fleets:list": _read(),
    "fleets:new": _ask_and_do(EDITOR),
    "fleets:detail": _read(),
    "fleets:rollouts": _read(),
    "fleets:deployments": _read(),
    "fleets:tokens": _read(),
    "fleets:activity": _read(),
    "fleets:settings": {"GET": VIEWER, "POST": EDITOR},
    "fleets:connection": _ask_and_do(ADMIN),
    "fleets:archive": _ask_and_do(EDITOR),
    "fleets:assign": _ask_and_do(OPERATOR),
    "fleets:deploy": _ask_and_do(ADMIN),
    "fleets:deployment": _read(),
    "fleets:deployment-revoke": _ask_and_do(ADMIN),
    "rollouts:list": _read(),
    "rollouts:detail": _read(),
    "rollouts:step": {"GET": OPERATOR, "POST": OPERATOR},
    "rollouts:exclude": {"GET": OPERATOR, "POST": OPERATOR},
    "rollouts:retry": {"GET": OPERATOR, "POST": OPERATOR},
    "tokens:list": _read(),
    "tokens:refused": _read(),
    "tokens:new": _ask_and_do(ADMIN),
    "tokens:rotate": _ask_and_do(ADMIN),
    "tokens:retire": _ask_and_do(ADMIN),
    "tokens:revoke": _ask_and_do(ADMIN),
    # quick deploy: the code in the address is the credential
    "install-script": _read(ANYONE),
    "install-check": _read(ANYONE),
    "install-claim": _do(ANYONE),
    "install-held": _do(ANYONE),
}

API: Final[dict[str, Row]] = {
    "api": _read(),
    "api-v1": _read(),
    "api-overview": _read(),
    "api-system": _read(),
    "api-schema": _read(),
    "api-docs": _read(),
    "api-unknown": dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), VIEWER),
    "api-catalog": _read(),
    "api-components": _read(),
    "api-component": _read(),
    "api-agents-list": _read(),
    "api-agents-detail": {"GET": VIEWER, "PATCH": OPERATOR, "DELETE": OPERATOR},
    "api-agents-effective-config": _read(),
    "api-agents-events": _read(),
    "api-agents-restart": _do(OPERATOR),
    "api-agents-retry": _do(OPERATOR),
    "api-agents-components": _read(),
    "api-agents-drift": _read(),
    "api-agents-adopt": _do(EDITOR),
    "api-agents-mode": _do(OPERATOR),
    "api-agents-messages": {"GET": VIEWER, "POST": OPERATOR},
    "api-configurations-list": {"GET": VIEWER, "POST": EDITOR},
    "api-configurations-detail": {"GET": VIEWER, "PATCH": EDITOR},
    "api-configurations-archive": _do(EDITOR),
    "api-configurations-versions": {"GET": VIEWER, "POST": EDITOR},
    "api-configurations-version": _read(),
    "api-configurations-draft": {"GET": VIEWER, "PUT": EDITOR, "DELETE": EDITOR},
    "api-configurations-save-draft": _do(EDITOR),
    "api-versions-detail": _read(),
    "api-versions-diff": _read(),
    "api-versions-publish": _do(EDITOR),
    "api-versions-archive": _do(EDITOR),
    "api-versions-copy": _do(EDITOR),
    "api-versions-restore": _do(EDITOR),
    "api-validate-list": _do(VIEWER),
    "api-fleets-list": {"GET": VIEWER, "POST": EDITOR},
    "api-fleets-detail": {"GET": VIEWER, "PATCH": EDITOR},
    "api-fleets-archive": _do(EDITOR),
    "api-fleets-connection-settings": {"GET": VIEWER, "PATCH": ADMIN},
    "api-fleets-tokens": {"GET": VIEWER, "POST": ADMIN},
    "api-fleets-deployments": {"GET": VIEWER, "POST": ADMIN},
    "api-tokens-detail": _read(),
    "api-tokens-rotate": _do(ADMIN),
    "api-tokens-retire": _do(ADMIN),
    "api-tokens-revoke": _do(ADMIN),
    "api-deployments-detail": _read(),
    "api-deployments-revoke": _do(ADMIN),
    "api-rollouts-list": {"GET": VIEWER, "POST": OPERATOR},
    "api-rollouts-detail": _read(),
    "api-rollouts-targets": _read(),
    "api-rollouts-failures": _read(),
    "api-rollouts-exclude": {"POST": OPERATOR},
    "api-rollouts-retry": {"POST": OPERATOR},
    "api-rollouts-target-retry": {"POST": OPERATOR},
    "api-rollouts-target-exclude": {"POST": OPERATOR},
    "api-rollouts-pause": {"POST": OPERATOR},
    "api-rollouts-resume": {"POST": OPERATOR},
    "api-rollouts-cancel": {"POST": OPERATOR},
    "api-rollouts-rollback": {"POST": OPERATOR},
    "api-rollouts-skip-bake": {"POST": OPERATOR},
    "api-webhooks-list": _ask_and_do(ADMIN),
    "api-webhooks-detail": {"GET": ADMIN, "PATCH": ADMIN, "DELETE": ADMIN},
    "api-webhooks-deliveries": _read(ADMIN),
    "api-webhooks-test": _do(ADMIN),
    "api-webhooks-pause": _do(ADMIN),
    "api-webhooks-resume": _do(ADMIN),
    "api-webhooks-renew-secret": _do(ADMIN),
    "api-email-notices-list": _ask_and_do(ADMIN),
    "api-email-notices-detail": {"GET": ADMIN, "PATCH": ADMIN, "DELETE": ADMIN},
    "api-email-notices-deliveries": _read(ADMIN),
    "api-email-notices-test": _do(ADMIN),
    "api-email-notices-pause": _do(ADMIN),
    "api-email-notices-resume": _do(ADMIN),
    "api-people-list": _ask_and_do(ADMIN),
    "api-people-detail": {"GET": ADMIN, "PATCH": ADMIN},
    "api-people-reset": _do(ADMIN),
    "api-api-tokens-list": _ask_and_do(VIEWER),
    "api-api-tokens-detail": _read(),
    "api-api-tokens-revoke": _do(VIEWER),
    "api-events-list": _read(),
    "api-events-detail": _read(),
}
"""Reads need a token of any scope, all other methods one with the scope write."""

READING: Final = frozenset({"api-validate-list"})
"""A POST of these changes nothing, so that a token that may read is enough."""

ADMIN_VERBS: Final[dict[str, frozenset[str]]] = {
    "base_user": frozenset({"view"}),
    "base_apitoken": frozenset({"view"}),
    "base_activity": frozenset({"view"}),
    "configs_configuration": frozenset({"view"}),
    "configs_configversion": frozenset({"view"}),
    "agents_agent": frozenset({"view"}),
    "agents_agentevent": frozenset({"view"}),
    "agents_effectiveconfig": frozenset({"view"}),
    "fleets_fleet": frozenset({"view"}),
    "fleets_membership": frozenset({"view"}),
    "fleets_deployment": frozenset({"view"}),
    "fleets_rollout": frozenset({"view"}),
    "fleets_refusedattempt": frozenset({"view"}),
    "fleets_token": frozenset({"view", "add"}),
}
"""What Admins may do with each table of the Django admin; all else in it is for nobody."""

ADMIN_PAGES: Final = frozenset(
    {
        "admin:index",
        "admin:logout",
        "admin:password_change",
        "admin:password_change_done",
        "admin:autocomplete",
        "admin:jsi18n",
        "admin:view_on_site",
        "admin:app_list",
    }
)
"""The other pages of the Django admin: Admins alone. (admin:login leads everybody to our own sign-in page.)"""
