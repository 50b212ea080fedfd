"""Deployments: made and revoked by people, claimed by hosts. Access is checked by the caller."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NoReturn

from django.conf import settings
from django.db import transaction
from django.db.models import F

from configs.collector.references import Variable
from fleets.enrollment import verify_token
from fleets.errors import TokenRefused
from fleets.models import Deployment, Fleet, Platform, TokenKind
from fleets.quickdeploy import manual, supervisor_yaml
from fleets.quickdeploy.environment import variables_in
from fleets.quickdeploy.errors import CodeClosed, CodeUnknown, InvalidOptions
from fleets.quickdeploy.manual import Commands, ManualStep
from fleets.quickdeploy.options import DeploymentOptions, check_secret_environment
from fleets.quickdeploy.plan import SERVICE_LAYOUT, InstallPlan, opamp_endpoint
from fleets.quickdeploy.releases import KNOWN_VERSIONS, OLDEST, parse_version
from fleets.quickdeploy.supervisor_yaml import HostFacts
from fleets.tokens import Expiry, issue_token
from telflo.base import activity, clock, hints
from telflo.base.activity import Actor
from telflo.base.errors import Conflict
from telflo.base.secrets import hash_secret

MOST_USES: Final = 10_000
DEFAULT_LIFETIME: Final = timedelta(hours=24)
LONGEST_LIFETIME: Final = timedelta(days=30)
PREFIX_LENGTH: Final = 6

_ALPHABET: Final = string.ascii_letters + string.digits
_CODE_LENGTH: Final = 22
"""131 random bits: nothing to guess, and short enough for a line that people paste."""
_LONGEST_HOST: Final = 80


@dataclass(frozen=True, slots=True)
class IssuedDeployment:
    """A new deployment and its code, which is nowhere else: show it in this one answer (decision 12)."""

    deployment: Deployment
    code: str

    def __repr__(self) -> str:
        """Without the code: it must not get into logs."""
        return f"IssuedDeployment({self.deployment})"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim answers, once: the host's token and the collector's secrets."""

    token: str
    environment: tuple[str, ...]

    def __repr__(self) -> str:
        """Without the secrets: they must not get into logs."""
        return "Claim(…)"


def create_deployment(
    *,
    fleet: Fleet,
    platform: str,
    actor: Actor,
    supervisor_version: str = KNOWN_VERSIONS[0].version,
    collector_version: str = KNOWN_VERSIONS[0].version,
    options: DeploymentOptions | None = None,
    max_uses: int = 1,
    lifetime: timedelta = DEFAULT_LIFETIME,
    secret_environment: Mapping[str, str] | None = None,
) -> IssuedDeployment:
    """Make a command for hosts of one platform. Raises InvalidOptions, or Conflict for an archived fleet."""
    _check_fleet(fleet)
    options = options or DeploymentOptions()
    options.check()
    _check_choices(platform, supervisor_version, collector_version, max_uses, lifetime)
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    now = clock.now()
    deployment = Deployment(
        fleet=fleet,
        code_hash=hash_secret(code),
        code_prefix=code[:PREFIX_LENGTH],
        platform=platform,
        supervisor_version=supervisor_version,
        collector_version=collector_version,
        options=options.to_json(),
        secret_environment=_environment_lines(secret_environment or {}),
        max_uses=max_uses,
        created_by=actor.user,
        created_at=now,
        expires_at=now + lifetime,
    )
    with transaction.atomic():
        deployment.save(force_insert=True)
        activity.record(
            actor=actor,
            action="deployment.create",
            obj=deployment,
            label=_label(deployment),
            after=_shown(deployment),
        )
        _touch(deployment)
    return IssuedDeployment(deployment, code)


def revoke_deployment(*, deployment: Deployment, actor: Actor, reason: str = "") -> Deployment:
    """No script and no claim from now on. Host tokens that it minted stay; each can be revoked alone."""
    with transaction.atomic():
        deployment = Deployment.objects.select_for_update().get(pk=deployment.pk)
        if deployment.revoked_at is None:
            deployment.revoked_at = clock.now()
            deployment.save(update_fields=["revoked_at"])
            activity.record(
                actor=actor,
                action="deployment.revoke",
                obj=deployment,
                label=_label(deployment),
                reason=reason,
            )
            _touch(deployment)
    return deployment


def find_deployment(code: str) -> Deployment:
    """The deployment of a code, open or not. Raises CodeUnknown."""
    found = Deployment.objects.select_related("fleet").filter(code_hash=hash_secret(code)).first()
    if found is None:
        raise CodeUnknown("This quick-deploy code is not known here.", code="unknown")
    return found


def closed_reason(deployment: Deployment, now: datetime) -> str:
    """Why the code no longer answers an install script; empty while it does."""
    if deployment.revoked_at is not None:
        return "This quick-deploy code was revoked."
    if now >= deployment.expires_at:
        return f"This quick-deploy code expired at {deployment.expires_at:%Y-%m-%d %H:%M} UTC."
    try:
        DeploymentOptions.from_json(deployment.options).check()
    except InvalidOptions as error:
        return f"This quick-deploy code cannot be used: {error}"
    return ""


def why_not_held(deployment: Deployment, secret: str, *, now: datetime) -> str:
    """Why the token that a host has already does not let it into the deployment's fleet; empty while it does."""
    try:
        token = verify_token(secret, now=now)
    except TokenRefused as refusal:
        return str(refusal)
    return "" if token.fleet_id == deployment.fleet_id else "It is a token of another fleet."


def claim_deployment(*, code: str, host: str) -> Claim:
    """Count one use and mint a host token (decision 10). Raises CodeUnknown or CodeClosed.

    Each answer is a use. When an answer is lost on its way, its token is never used: the page lists it.
    """
    now = clock.now()
    with transaction.atomic():
        deployment = find_deployment(code)
        counted = Deployment.objects.filter(
            pk=deployment.pk, revoked_at=None, expires_at__gt=now, uses__lt=F("max_uses")
        ).update(uses=F("uses") + 1)
        if not counted:
            _refuse(deployment, now)
        name = _host_name(host)
        actor = Actor.token(f"install script {deployment.code_prefix}… on {name}")
        issued = issue_token(
            fleet=deployment.fleet,
            name=name,
            expires=Expiry.NEVER,
            kind=TokenKind.HOST,
            actor=actor,
            deployment=deployment,
        )
        activity.record(
            actor=actor,
            action="deployment.claim",
            obj=deployment,
            label=_label(deployment),
            after={"host": name, "token_prefix": issued.token.prefix},
        )
        _touch(deployment)
    return Claim(issued.secret, tuple(deployment.secret_environment.splitlines()))


def plan_of(deployment: Deployment, *, base_url: str) -> InstallPlan:
    """What the deployment installs. `base_url` is how hosts reach this server; TELFLO_BASE_URL wins over it."""
    options = DeploymentOptions.from_json(deployment.options)
    base_url = public_url(base_url)
    return InstallPlan(
        base_url=base_url,
        opamp_url=opamp_url(base_url, options.transport),
        fleet=deployment.fleet.name,
        platform=deployment.platform,
        supervisor_version=deployment.supervisor_version,
        collector_version=deployment.collector_version,
        options=options,
        artifacts_url=settings.ARTIFACTS_URL,
        ca_pem=Path(settings.CA_FILE).read_text("ascii") if settings.CA_FILE else "",
        variables=_variables(deployment, options),
    )


def public_url(request_url: str) -> str:
    """The server's address for hosts, without a slash at its end."""
    return str(settings.BASE_URL or request_url).rstrip("/")


def opamp_url(request_url: str, transport: str = "ws") -> str:
    """Where supervisors connect to, by this transport (ws or http)."""
    return opamp_endpoint(
        str(settings.OPAMP_URL or f"{public_url(request_url)}/v1/opamp"), transport
    )


def commands(code: str, *, base_url: str) -> Commands:
    """The lines to copy for a code."""
    return manual.commands(f"{public_url(base_url)}/install/{code}")


def manual_steps(deployment: Deployment, code: str, *, base_url: str) -> tuple[ManualStep, ...]:
    """The same by hand."""
    return manual.manual_steps(plan_of(deployment, base_url=base_url), code)


def supervisor_file(*, base_url: str) -> str:
    """supervisor.yaml of a host that somebody sets up by hand with a token of their own, for the newest supervisor."""
    newest = KNOWN_VERSIONS[0].version
    plan = InstallPlan(
        base_url=public_url(base_url),
        opamp_url=opamp_url(base_url),
        fleet="",
        platform="",
        supervisor_version=newest,
        collector_version=newest,
        options=DeploymentOptions(),
    )
    ca_file = f"{SERVICE_LAYOUT.configuration}/ca.pem" if settings.CA_FILE else ""
    return supervisor_yaml.render(plan, HostFacts(ca_file=ca_file))


def _variables(deployment: Deployment, options: DeploymentOptions) -> tuple[Variable, ...]:
    """What the fleet's versions and the options name, without what the claim delivers."""
    fleet = deployment.fleet
    texts = [version.yaml for version in (fleet.stable_version, fleet.version) if version]
    needed = {found.name: found for text in texts for found in variables_in(text)}
    needed |= {name: Variable(name) for name in options.environment}
    given = {line.partition("=")[0] for line in deployment.secret_environment.splitlines()}
    return tuple(
        found
        for name, found in needed.items()
        if name not in given and not name.startswith("TELFLO_")
    )


def _refuse(deployment: Deployment, now: datetime) -> NoReturn:
    reason = closed_reason(deployment, now)
    used_up = f"This quick-deploy code is used up: it was for {deployment.max_uses} host(s)."
    raise CodeClosed(reason or used_up, code="closed" if reason else "used_up")


def _check_fleet(fleet: Fleet) -> None:
    if fleet.archived_at is not None:
        raise Conflict(f"The fleet {fleet} is archived, so nothing can enrol.", code="archived")


def _check_choices(
    platform: str, supervisor: str, collector: str, max_uses: int, lifetime: timedelta
) -> None:
    if platform not in Platform.values:
        raise InvalidOptions("Choose Linux amd64 or Linux arm64.", field="platform")
    _check_version(supervisor, "supervisor_version")
    _check_version(collector, "collector_version")
    if not 1 <= max_uses <= MOST_USES:
        raise InvalidOptions(f"Give 1 to {MOST_USES} uses.", field="max_uses")
    if not timedelta(minutes=1) <= lifetime <= LONGEST_LIFETIME:
        raise InvalidOptions("Choose a lifetime from a minute to 30 days.", field="lifetime")


def _check_version(version: str, field: str) -> None:
    try:
        parsed = parse_version(version)
    except ValueError as error:
        raise InvalidOptions(str(error), field=field) from error
    if parsed < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise InvalidOptions(f"{version} is too old: {oldest} is the oldest tried.", field=field)


def _environment_lines(values: Mapping[str, str]) -> str:
    check_secret_environment(values)
    return "\n".join(f"{name}={value}" for name, value in values.items())


def _host_name(host: str) -> str:
    """The name that a host says, as the name of its token: printable, bounded, never empty."""
    kept = "".join(
        letter for letter in host if letter.isascii() and (letter.isalnum() or letter in "._-")
    )
    return kept[:_LONGEST_HOST] or "a host"


def _label(deployment: Deployment) -> str:
    return f"{deployment.get_platform_display()} into {deployment.fleet}"


def _shown(deployment: Deployment) -> dict[str, object]:
    return {
        "platform": deployment.platform,
        "supervisor_version": deployment.supervisor_version,
        "collector_version": deployment.collector_version,
        "max_uses": deployment.max_uses,
        "expires_at": deployment.expires_at.isoformat(),
        "options": deployment.options,
    }


def _touch(deployment: Deployment) -> None:
    topics = [f"deployment:{deployment.pk}", f"fleet:{deployment.fleet_id}", "tokens"]
    hints.touch_on_commit(topics)
