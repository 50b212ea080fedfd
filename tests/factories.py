"""Makers of rows and values for tests: plain functions with keyword arguments."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from agents import store
from agents.models import Agent, AgentStatus
from agents.snapshot import (
    AgentPatch,
    AgentSnapshot,
    Capability,
    ComponentHealth,
    ConfigStatus,
    Fact,
    FactKind,
    RemoteConfigReport,
    Transport,
)
from agents.store import Arrival
from configs.drafts import put_draft
from configs.models import Configuration, ConfigVersion, Draft, VersionState
from fleets import enrollment
from fleets.admission import Caller, admit_agents
from fleets.errors import EnrolmentRefused, NotNow
from fleets.models import ArrivalMode, Fleet, Membership, RefusalReason, RenderedConfig
from fleets.refusals import record_refusal
from fleets.tokens import Expiry, IssuedToken, issue_token
from opamp.protocol.health import write_tree
from telflo.base import clock
from telflo.base.access import Role
from telflo.base.activity import Actor
from telflo.base.api_tokens import IssuedApiToken, issue_api_token
from telflo.base.ids import new_id
from telflo.base.models import TokenScope, User

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""A time to count from where a test gives the times itself."""

TESTER = Actor.worker("test")


def exporting(name: str, settings: str = "") -> str:
    """A text of which the validator says nothing, with an exporter of this type."""
    return f"""\
receivers: {{otlp: {{protocols: {{grpc: }}}}}}
processors: {{memory_limiter: {{check_interval: 1s, limit_mib: 100}}}}
exporters: {{{name}: {settings}}}
service: {{pipelines: {{traces: {{receivers: [otlp], processors: [memory_limiter], exporters: [{name}]}}}}}}
"""


_PIPELINE = exporting("debug")
CAPABILITIES = (
    Capability.REPORTS_STATUS
    | Capability.ACCEPTS_REMOTE_CONFIG
    | Capability.REPORTS_REMOTE_CONFIG
    | Capability.REPORTS_HEALTH
    | Capability.REPORTS_EFFECTIVE_CONFIG
)
_numbers = count(1)


def at(seconds: float = 0) -> datetime:
    """T0 and some seconds."""
    return T0 + timedelta(seconds=seconds)


def make_configuration(*, name: str = "") -> Configuration:
    """A configuration without versions."""
    now = clock.now()
    return Configuration.objects.create(
        name=name or f"configuration {next(_numbers)}", created_at=now, updated_at=now
    )


def make_version(
    *,
    configuration: Configuration | None = None,
    yaml: str = "",
    state: VersionState = VersionState.PUBLISHED,
) -> ConfigVersion:
    """The next version of a configuration, published unless told otherwise."""
    configuration = configuration or make_configuration()
    number = configuration.versions.count() + 1
    text = yaml or f"{_PIPELINE}# {configuration.pk} {number}\n"
    return ConfigVersion.objects.create(
        configuration=configuration,
        number=number,
        yaml=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        size=len(text.encode()),
        created_at=clock.now(),
        state=state,
    )


def make_draft(
    *, configuration: Configuration | None = None, yaml: str = _PIPELINE, actor: Actor = TESTER
) -> Draft:
    """The draft of a configuration that has none."""
    return put_draft(
        configuration=configuration or make_configuration(),
        yaml=yaml,
        lock_version=None,
        actor=actor,
    )


def make_fleet(
    *,
    name: str = "",
    version: ConfigVersion | None = None,
    arrival_mode: ArrivalMode = ArrivalMode.MANAGED,
) -> Fleet:
    """A fleet, whose version is stable when it has one."""
    name = name or f"fleet {next(_numbers)}"
    now = clock.now()
    return Fleet.objects.create(
        name=name,
        slug=name.replace(" ", "-"),
        version=version,
        stable_version=version,
        arrival_mode=arrival_mode,
        created_at=now,
        updated_at=now,
    )


def make_token(*, fleet: Fleet, name: str = "first", **how: Any) -> IssuedToken:
    """A token of a fleet, with its secret."""
    return issue_token(fleet=fleet, name=name, actor=TESTER, **{"expires": Expiry.NEVER, **how})


def enrol(
    *,
    token: IssuedToken,
    uid: UUID | None = None,
    now: datetime | None = None,
    transport: Transport = Transport.WEBSOCKET,
    capabilities: int = CAPABILITIES,
) -> AgentSnapshot:
    """An agent comes in by the token (again, when it is known) and says its capabilities."""
    now = now or clock.now()
    verified = enrollment.verify_token(token.secret, now=now)
    caller = Caller(verified, Arrival(uid or new_id(), transport, "192.0.2.7"))
    snapshot = admit_agents([caller], now=now)[caller.uid]
    if isinstance(snapshot, EnrolmentRefused | NotNow):
        raise snapshot
    store.apply([make_patch(snapshot, now=now, sequence_num=0, capabilities=int(capabilities))])
    return snapshot


def make_agent(*, uid: UUID | None = None, now: datetime | None = None) -> AgentSnapshot:
    """A registered agent in no fleet, with an open WebSocket session."""
    uid, now = uid or new_id(), now or T0
    store.register([uid], now=now)
    return open_session(uid, now=now)


def open_session(
    uid: UUID,
    *,
    now: datetime,
    transport: Transport = Transport.WEBSOCKET,
    address: str = "192.0.2.7",
    number: int | None = None,
) -> AgentSnapshot:
    """A new session of an agent that is registered."""
    arrival = Arrival(uid, transport, address, number)
    return store.open_sessions([arrival], now=now)[uid]


def make_patch(
    snapshot: AgentSnapshot,
    *,
    now: datetime | None = None,
    sequence_num: int | None = 1,
    facts: tuple[Fact, ...] = (),
    **state: Any,
) -> AgentPatch:
    """A patch of this session."""
    return AgentPatch(
        instance_uid=snapshot.instance_uid,
        epoch=snapshot.epoch,
        seen_at=now or clock.now(),
        sequence_num=sequence_num,
        facts=facts,
        **state,
    )


def make_answer(
    snapshot: AgentSnapshot,
    *reports: tuple[ConfigStatus, str] | tuple[ConfigStatus, str, str],
    now: datetime | None = None,
    kind: FactKind = FactKind.REMOTE_CONFIG,
) -> AgentPatch:
    """A patch with these remote-config reports as facts, the last one as state."""
    now = now or clock.now()
    said = [RemoteConfigReport(*report) for report in reports]
    return make_patch(
        snapshot,
        now=now,
        remote_config=said[-1] if said else None,
        facts=tuple(Fact(kind, now, remote_config=report) for report in said) or (Fact(kind, now),),
    )


def status_of(snapshot: AgentSnapshot) -> AgentStatus:
    """The status row as it is stored now."""
    return AgentStatus.objects.select_related("agent").get(agent_id=snapshot.instance_uid)


def agent_of(snapshot: AgentSnapshot) -> Agent:
    """The agent as it is stored now."""
    return Agent.objects.get(pk=snapshot.instance_uid)


def hashes(offers: Mapping[UUID, Any]) -> dict[UUID, str]:
    """Offers by agent, their hashes alone."""
    return {uid: offer.hash for uid, offer in offers.items()}


def make_person(
    *, role: Role = Role.VIEWER, username: str = "", password: str | None = None
) -> User:
    """A person who may sign in (by Client.force_login, or with the password given)."""
    is_admin = role is Role.ADMIN
    return User.objects.create_user(
        username or f"{role.value}-{next(_numbers)}",
        password=password,
        role=role.value,
        is_staff=is_admin,
        is_superuser=is_admin,
    )


def make_api_token(
    *, user: User | None = None, scope: TokenScope = TokenScope.WRITE, **how: Any
) -> IssuedApiToken:
    """An API token with its secret; of an Admin unless told otherwise."""
    return issue_api_token(
        user=user or make_person(role=Role.ADMIN),
        name=how.pop("name", "test"),
        scope=scope.value,
        actor=TESTER,
        **how,
    )


def make_rendered(*, version: ConfigVersion, digest: str = "") -> RenderedConfig:
    """What is offered of a version."""
    return RenderedConfig.objects.create(
        version=version, hash=digest or f"{next(_numbers):064x}", body="[]", created_at=clock.now()
    )


def make_collector(
    *,
    name: str = "",
    fleet: Fleet | None = None,
    status: str = "in_sync",
    desired: RenderedConfig | None = None,
    previous: RenderedConfig | None = None,
    agent: Mapping[str, Any] | None = None,
    tree: ComponentHealth | None = None,
    **row: Any,
) -> Agent:
    """A collector as it is stored, with any status: for pages and answers, which only read.

    tree: the last health that it reported; agent: further columns of the Agent; row: further columns of its AgentStatus.
    """
    now = clock.now()
    made = Agent.objects.create(
        instance_uid=new_id(),
        display_name=name or f"collector-{next(_numbers):05}",
        **{"first_seen_at": now, "capabilities": int(CAPABILITIES), **(agent or {})},
    )
    is_away = status in {"disconnected", "stale"}
    columns = {
        "connected": not is_away,
        "transport": "ws",
        "last_seen_at": now,
        "health": "unknown" if is_away else "healthy",
        "status_since": now,
        "config_status": "in_sync" if is_away else status,
        "desired_hash": desired.hash if desired else "",
        "is_managed": desired is not None,
    }
    if tree is not None:
        columns |= {
            "health_report": write_tree(tree),
            "reported_healthy": tree.healthy,
            "reported_status": tree.status,
        }
    AgentStatus.objects.create(agent=made, status=status, **{**columns, **row})
    if fleet is not None:
        Membership.objects.create(
            agent=made, fleet=fleet, desired=desired, previous=previous, enrolled_at=now
        )
    return made


def make_refusal(reason: RefusalReason, *, token_prefix: str = "") -> None:
    """An attempt from 192.0.2.9, refused just now."""
    record_refusal(
        token_prefix=token_prefix,
        address="192.0.2.9",
        reason=reason,
        transport="ws",
        user_agent="opampsupervisor",
        now=clock.now(),
    )
