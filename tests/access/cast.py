"""One small installation with a person of each role, and everything that addresses can name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.cookies import SimpleCookie
from typing import Any, Final, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from agents.models import Agent
from agents.snapshot import (
    Capability,
    ComponentHealth,
    Components,
    ConfigFile,
    CustomMessage,
    Description,
    EffectiveConfig,
)
from agents.store import apply
from configs import catalog
from configs.models import ConfigVersion
from fleets.models import Platform
from fleets.quickdeploy.services import create_deployment
from fleets.rollouts.services import start_rollout
from telflo.base import clock
from telflo.base.access import Role
from telflo.base.models import Activity, ApiToken, TokenScope, User
from telflo.base.people import invite_person
from tests.access.routes import Route
from tests.factories import (
    CAPABILITIES,
    TESTER,
    enrol,
    make_api_token,
    make_draft,
    make_fleet,
    make_patch,
    make_person,
    make_token,
    make_version,
)
from tests.notices.makers import make_email_notice, subscribe

NOBODY: Final = "nobody"
YAML: Final = "receivers:\n  nop:\nexporters:\n  nop:\nservice:\n  pipelines:\n    traces:\n      receivers: [nop]\n      exporters: [nop]\n"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a browser or a program with a token. `role` None: nobody."""

    name: str
    role: Role | None
    session: str = ""
    scope: TokenScope | None = None
    headers: Mapping[str, str] | None = None

    @property
    def has_token(self) -> bool:
        """A program, not a browser."""
        return self.scope is not None


class Cast:
    """People, their programs, and the objects."""

    def __init__(self) -> None:
        self.people = {role: make_person(role=role, username=role.value) for role in Role}
        self.tokens = {role: make_api_token(user=self.people[role]).token for role in Role}
        self.browsers = [Caller(NOBODY, None), *map(self._browser, Role)]
        self.programs = [self._program(role, scope) for role in Role for scope in TokenScope]
        self._make_objects()

    def browser(self, role: Role) -> Caller:
        """Of the person with this role."""
        return next(caller for caller in self.browsers if caller.role is role)

    def address(self, route: Route, role: Role | None) -> str:
        """Where the route leads for somebody of this role: one's own API token, else the shared objects."""
        token = self.tokens[role or Role.VIEWER].pk
        for prefix, values in self.objects.items():
            if route.name.startswith(prefix):
                return route.address({**self.common, **values})
        return route.address({**self.common, "pk": token, "token_id": token})

    def _browser(self, role: Role) -> Caller:
        client = Client()
        client.force_login(self.people[role])
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        return Caller(f"{role} in a browser", role, session)

    def _program(self, role: Role, scope: TokenScope) -> Caller:
        secret = make_api_token(user=self.people[role], scope=scope).secret
        headers = {"Authorization": f"Bearer {secret}"}
        return Caller(f"{role} with a {scope} token", role, scope=scope, headers=headers)

    def _make_objects(self) -> None:
        version = make_version(yaml=YAML)
        following = make_version(configuration=version.configuration, yaml=f"{YAML}# 2\n")
        make_draft(configuration=version.configuration)
        fleet = make_fleet(name="edge", version=version)
        token = make_token(fleet=fleet)
        agent = _agent(token)
        rollout = start_rollout(fleet=fleet, version=following, actor=TESTER)
        deployment = create_deployment(
            fleet=fleet, platform=Platform.LINUX_AMD64.value, actor=TESTER
        )
        subscription = subscribe(url="https://hooks.example.com/x")
        letter = make_email_notice()
        other = make_person(username="other")
        link = invite_person(username="guest", email="", role=Role.VIEWER.value, actor=TESTER)
        activity = Activity.objects.latest("id")
        self.fleet, self.version, self.token, self.other = fleet, following, token.token, other
        self.subscription, self.letter = subscription, letter
        self.common: dict[str, Any] = {
            "uid": agent.pk,
            "fleet_name": fleet.slug,
            "configuration_id": version.configuration_id,
            "number": 1,
            "deployment_id": deployment.deployment.pk,
            "person_id": other.pk,
            "code": deployment.code,
            "secret": link.secret,
            "app_label": "base",
            "content_type_id": ContentType.objects.get_for_model(User).pk,
            "object_id": other.pk,
            "url": "nonsense/",
            "kind": "receivers",
            "component_type": "otlp",
        }
        self.objects: dict[str, dict[str, Any]] = {
            "catalog:": {"version": catalog.versions()[0]},
            "api-component": {"version": catalog.versions()[0]},
            "rollouts:detail": {"number": rollout.number},
            "rollouts:step": {"number": rollout.number, "slug": "cancel"},
            "rollouts:exclude": {"number": rollout.number},
            "notices:": {"subscription_id": subscription.pk, "channel": "slack"},
            "api-webhooks": {"pk": subscription.pk},
            "api-email-notices": {"pk": letter.pk},
            "tokens:": {"token_id": token.token.pk},
            "api-configurations": {"pk": version.configuration_id},
            "api-versions": {"pk": version.pk},
            "api-people": {"id": other.uid},
            "api-events": {"pk": activity.pk},
            "api-fleets": {"pk": fleet.pk},
            "api-tokens": {"pk": token.token.pk},
            "api-deployments": {"pk": deployment.deployment.pk},
            "api-rollouts": {"pk": rollout.pk, "number": rollout.number},
            "admin:base_apitoken": {"object_id": ApiToken.objects.earliest("created_at").pk},
            "admin:base_activity": {"object_id": activity.pk},
            **_in_the_admin(version, agent),
            "admin:fleets_token": {"object_id": token.token.pk},
            "admin:fleets_fleet": {"object_id": fleet.pk},
            "admin:fleets_deployment": {"object_id": deployment.deployment.pk},
            "admin:fleets_rollout": {"object_id": rollout.pk},
        }


def _in_the_admin(version: ConfigVersion, agent: Agent) -> dict[str, dict[str, Any]]:
    return {
        "admin:configs_configuration": {"object_id": version.configuration_id},
        "admin:configs_configversion": {"object_id": version.pk},
        "admin:agents_effectiveconfig": {"object_id": agent.status.effective_config_id},
        "admin:agents_agentevent": {"object_id": agent.events.latest("id").pk},
        "admin:agents_agent_": {"object_id": agent.pk},
        "admin:fleets_membership": {"object_id": agent.pk},
    }


def ask(
    caller: Caller, method: str, address: str, data: Any = None, *, checks_csrf: bool = False
) -> HttpResponse:
    """The answer to one request, whose changes are undone. API calls send JSON, pages a form."""
    client = _client(checks_csrf=checks_csrf)
    # Set anew each time: the answer before may have ended the session.
    client.cookies = SimpleCookie(
        {settings.SESSION_COOKIE_NAME: caller.session} if caller.session else {}
    )
    is_api = address.startswith("/api/")
    body = json.dumps(data or {}) if is_api and method != "GET" else urlencode(data or {})
    with transaction.atomic():
        response = client.generic(
            method,
            address,
            body,
            content_type="application/json" if is_api else "application/x-www-form-urlencoded",
            headers=caller.headers,
        )
        transaction.set_rollback(True)
    return cast("HttpResponse", response)


@cache
def _client(*, checks_csrf: bool) -> Client:
    """One for all: each new one would load all middleware."""
    return Client(raise_request_exception=False, enforce_csrf_checks=checks_csrf)


def _agent(token: Any) -> Agent:
    """A collector that has told everything of itself."""
    takes = CAPABILITIES | Capability.ACCEPTS_RESTART_COMMAND
    snapshot = enrol(token=token, capabilities=takes)
    apply(
        [
            make_patch(
                snapshot,
                description=Description({"service.name": "otelcol"}, {"host.name": "edge-1"}),
                health=ComponentHealth(True, "StatusOK"),
                effective_config=EffectiveConfig(
                    "e" * 64, (ConfigFile("", YAML.encode(), "text/yaml"),)
                ),
                components=Components("c" * 64, {}),
                custom_capabilities=("io.example.ping",),
                messages=(CustomMessage(clock.now(), "io.example.ping", "pong", b"1", 1),),
            )
        ]
    )
    return Agent.objects.select_related("status").get(pk=snapshot.instance_uid)
