"""A large installation, written straight into the tables: only reading it, and what changes it, is measured.

Needs a configured Django and empty tables.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db.models import Manager, Model

from agents.models import (
    Agent,
    AgentEvent,
    AgentStatus,
    ComponentSet,
    EffectiveConfig,
    Health,
    Status,
)
from agents.snapshot import ConfigFile, ConfigStatus
from agents.store.values import files_to_text
from benchmarks.shapes import (
    BUILDS,
    CAPABILITIES,
    ERROR,
    FLEETS,
    MIX,
    SITES,
    SYSTEMS,
    TARGETS,
    VERSIONS,
    YAML,
    health_tree,
)
from configs.models import Configuration, ConfigVersion, VersionState
from fleets.models import (
    AgentConnection,
    Attempt,
    AttemptState,
    ConnectionSettings,
    Deployment,
    Fleet,
    Membership,
    Platform,
    RefusalReason,
    RefusedAttempt,
    RenderedConfig,
    Rollout,
    RolloutState,
    Stage,
    StageState,
    Target,
    TargetState,
    Token,
    TokenKind,
)
from fleets.rendering import render_version
from opamp.protocol.health import write_tree
from telflo.base import clock
from telflo.base.access import Role
from telflo.base.ids import new_id
from telflo.base.models import Activity, ActorKind, User


@dataclass(frozen=True, slots=True)
class Installation:
    """What was made, for those who ask for its pages."""

    admin: User
    fleet: Fleet
    rollout: Rollout
    version: ConfigVersion
    agent: Agent


def make_installation(collectors: int) -> Installation:
    """Everything, the same each time but for ids and the present moment."""
    return _Seed(collectors).run()


class _Seed:
    def __init__(self, collectors: int) -> None:
        self.random = Random(1)
        self.now = clock.now()
        self.collectors = collectors
        self.admin = User.objects.create_superuser("admin", role=Role.ADMIN.value)

    def run(self) -> Installation:
        """Make rows in the order in which they refer to each other."""
        self.rendered = self._versions()
        self.fleets = [self._fleet(name) for name, _ in FLEETS]
        self._tokens()
        agents = list(self._agents())
        _store(Agent, agents)
        kinds = self.random.choices(
            [status for status, _ in MIX],
            weights=[share for _, share in MIX],
            k=self.collectors - 1,
        )
        # The first has failed, so that a small installation shows all that a large one does.
        pairs = zip(agents, [Status.FAILED, *kinds], strict=True)
        statuses = [self._status(agent, status) for agent, status in pairs]
        _store(AgentStatus, statuses)
        _store(Membership, self._memberships(agents))
        _store(ConnectionSettings, map(self._wish, self.fleets))
        _store(AgentConnection, map(self._sent, agents[: self.collectors * 3 // 4]))
        _store(AgentEvent, self._events(agents))
        rollouts = self._rollouts()
        _store(Target, self._targets(rollouts[-1], statuses))
        _store(Attempt, self._attempts(rollouts[-1], statuses))
        _store(Activity, map(self._change, range(2 * self.collectors)))
        _store(RefusedAttempt, map(self._refusal, range(self.collectors // 4)))
        return Installation(
            self.admin, self.fleets[0], rollouts[-1], self.rendered[-1].version, agents[0]
        )

    def _ago(self, most_s: float) -> datetime:
        return self.now - timedelta(seconds=self.random.uniform(0, most_s))

    def _versions(self) -> list[RenderedConfig]:
        rendered = []
        for name in ("edge gateway", "kubernetes node", "host metrics"):
            configuration = Configuration.objects.create(
                name=name, created_at=self.now, updated_at=self.now
            )
            for number in range(1, VERSIONS + 1):
                text = f"{YAML}# {name} {number}\n"
                version = ConfigVersion.objects.create(
                    configuration=configuration,
                    number=number,
                    yaml=text,
                    sha256="0" * 64,
                    size=len(text),
                    created_at=self.now,
                    state=VersionState.PUBLISHED,
                )
                rendered.append(render_version(version, now=self.now))
        body = files_to_text([ConfigFile("", YAML.encode(), "text/yaml")])
        self.effective = EffectiveConfig.objects.create(
            sha256="e" * 64, files=body, size=len(YAML), created_at=self.now
        )
        self.components = ComponentSet.objects.create(
            hash="c" * 64, tree={"receivers": {"components": {"otlp": {}}}}, created_at=self.now
        )
        return rendered

    def _fleet(self, name: str) -> Fleet:
        return Fleet.objects.create(
            name=name,
            slug=name,
            version=self.rendered[-1].version,
            stable_version=self.rendered[-2].version,
            created_by=self.admin,
            created_at=self.now,
            updated_at=self.now,
        )

    def _tokens(self) -> None:
        deployments = [self._deployment(n) for n in range(100)]
        _store(Deployment, deployments)
        tokens = [self._token(n, TokenKind.ENROLMENT, None) for n in range(200)]
        hosts = [self._token(n, TokenKind.HOST, deployments[n % 100]) for n in range(2_000)]
        _store(Token, [*tokens, *hosts])
        self.tokens = [*tokens, *hosts]

    def _deployment(self, n: int) -> Deployment:
        return Deployment(
            fleet=self.fleets[n % len(FLEETS)],
            code_hash=f"{n:064x}",
            code_prefix=f"c{n}",
            platform=Platform.LINUX_AMD64,
            supervisor_version="0.158.0",
            collector_version="0.158.0",
            max_uses=50,
            uses=20,
            created_by=self.admin,
            created_at=self.now,
            expires_at=self.now + timedelta(days=1),
        )

    def _token(self, n: int, kind: TokenKind, deployment: Deployment | None) -> Token:
        return Token(
            kind=kind,
            fleet=deployment.fleet if deployment else self.fleets[n % len(FLEETS)],
            name=f"{kind.value} {n}",
            prefix=f"tlf_{kind.value[0]}_{n:04}",
            secret_hash=f"{kind.value[0]}{n:063x}",
            deployment=deployment,
            created_by=self.admin,
            created_at=self.now,
            enrol_until=self.now + timedelta(days=n % 200),
            last_used_at=self._ago(3600),
        )

    def _agents(self) -> Iterator[Agent]:
        for n in range(self.collectors):
            site = SITES[n % len(SITES)]
            host = f"node-{site}-{n:05}"
            build = BUILDS[min(n % 10, 3)]
            yield Agent(
                instance_uid=new_id(),
                display_name=host,
                identifying={"service.name": "otelcol-contrib", "service.version": build},
                non_identifying={
                    "host.name": host,
                    "host.arch": "amd64",
                    "os.type": "linux",
                    "os.description": SYSTEMS[n % 3],
                    "host.id": f"{n:032x}",
                },
                labels={"site": site, "team": f"team-{n % 7}", "rack": f"r{n % 40}"},
                collector_name="otelcol-contrib",
                collector_version=build,
                host_name=host,
                os_type="linux",
                capabilities=int(CAPABILITIES),
                components=self.components,
                first_seen_at=self._ago(90 * 86_400),
            )

    def _status(self, agent: Agent, status: Status) -> AgentStatus:
        is_away = status in {Status.STALE, Status.DISCONNECTED}
        is_bad = status is Status.FAILED
        told = ConfigStatus.FAILED if is_bad else ConfigStatus.APPLIED
        runs = self.rendered[-1 if status in {Status.IN_SYNC, Status.FAILED} else -2]
        seen = self._ago(15) if not is_away else self._ago(5 * 86_400)
        return AgentStatus(
            agent=agent,
            session_epoch=3,
            sequence_num=self.random.randrange(10_000),
            connected=not is_away,
            transport="ws",
            remote_address="192.0.2.7",
            connected_at=self._ago(86_400),
            last_seen_at=seen,
            full_state_at=self._ago(86_400),
            health=Health.UNKNOWN if is_away else Health.UNHEALTHY if is_bad else Health.HEALTHY,
            health_since=self._ago(86_400),
            health_at=seen,
            health_report=write_tree(health_tree(self.now, is_healthy=not is_bad)),
            reported_healthy=not is_bad,
            last_error=ERROR if is_bad else "",
            remote_config_status=int(told),
            remote_config_hash=runs.hash,
            remote_config_error=ERROR if is_bad else "",
            remote_config_at=seen,
            effective_config=self.effective,
            components_hash=self.components.hash,
            is_managed=True,
            desired_hash=self.rendered[-1].hash,
            attempt_failed=is_bad,
            status=status,
            status_since=self._ago(86_400),
            config_status=Status.IN_SYNC if is_away else status,
        )

    def _memberships(self, agents: Iterable[Agent]) -> Iterator[Membership]:
        places = self.random.choices(
            self.fleets, weights=[share for _, share in FLEETS], k=self.collectors
        )
        for n, (agent, fleet) in enumerate(zip(agents, places, strict=True)):
            yield Membership(
                agent=agent,
                fleet=fleet,
                token=self.tokens[n % len(self.tokens)],
                desired=self.rendered[-1],
                previous=self.rendered[-2],
                enrolled_at=agent.first_seen_at,
            )

    def _wish(self, fleet: Fleet) -> ConnectionSettings:
        destinations = json.dumps({"metrics": {"endpoint": "https://otlp.example/v1/metrics"}})
        return ConnectionSettings(
            fleet=fleet,
            heartbeat_s=60,
            own_credentials=True,
            destinations=destinations,
            marks={"metrics": "m1"},
            updated_at=self.now,
        )

    def _sent(self, agent: Agent) -> AgentConnection:
        return AgentConnection(
            agent=agent,
            offered_hash="c" * 64,
            offered_at=self.now,
            heartbeat_s=60,
            marks={"metrics": "m1"},
        )

    def _events(self, agents: Iterable[Agent]) -> Iterator[AgentEvent]:
        for agent in agents:
            for kind in ("connected", "health", "remote_config"):
                yield AgentEvent(agent=agent, at=self._ago(86_400), kind=kind, data={})

    def _rollouts(self) -> list[Rollout]:
        """Sixty that are over, and one that runs in the largest fleet."""
        over = [self._rollout(n, RolloutState.SUCCEEDED) for n in range(1, 61)]
        return [*over, self._rollout(61, RolloutState.RUNNING)]

    def _rollout(self, number: int, state: RolloutState) -> Rollout:
        fleet = self.fleets[0 if state is RolloutState.RUNNING else number % len(FLEETS)]
        rollout = Rollout.objects.create(
            number=number,
            fleet=fleet,
            version=self.rendered[-1].version,
            from_version=self.rendered[-2].version,
            state=state,
            state_since=self.now,
            apply_timeout_s=180,
            created_by=self.admin,
            created_at=self.now,
        )
        Stage.objects.create(
            rollout=rollout,
            index=0,
            name="All at once",
            state=StageState.RUNNING,
            started_at=self.now,
        )
        return rollout

    def _targets(self, rollout: Rollout, statuses: Iterable[AgentStatus]) -> Iterator[Target]:
        """All collectors, whatever their fleet: the longest list of targets that there can be."""
        stage = rollout.stages.get()
        for row in statuses:
            yield Target(
                rollout=rollout,
                stage=stage,
                agent=row.agent,
                agent_label=row.agent.display_name,
                previous=self.rendered[-2],
                state=TARGETS.get(Status(row.status), TargetState.SUCCEEDED),
                state_since=row.status_since,
                reason=row.remote_config_error,
            )

    def _attempts(self, rollout: Rollout, statuses: Iterable[AgentStatus]) -> Iterator[Attempt]:
        """An old one for each collector, then that of the rollout."""
        for row in statuses:
            has_failed = row.status == Status.FAILED
            for rendered, of, state in (
                (self.rendered[-2], None, AttemptState.APPLIED),
                (
                    self.rendered[-1],
                    rollout,
                    AttemptState.FAILED if has_failed else AttemptState.APPLIED,
                ),
            ):
                yield Attempt(
                    agent=row.agent,
                    rendered=rendered,
                    hash=rendered.hash,
                    epoch=3,
                    rollout=of,
                    state=state,
                    error=ERROR if state is AttemptState.FAILED else "",
                    offered_at=self.now,
                    deadline=self.now,
                    answered_at=self.now,
                )

    def _change(self, n: int) -> Activity:
        fleet = self.fleets[n % len(FLEETS)]
        return Activity(
            at=self._ago(60 * 86_400),
            actor_kind=ActorKind.PERSON,
            actor=self.admin,
            actor_label="admin",
            action="agent.label",
            object_type="agent",
            object_id=str(n),
            object_label=f"node-{n:05}",
            fleet_id=fleet.pk,
            before={"labels": {}},
            after={"labels": {"site": "ams"}},
        )

    def _refusal(self, n: int) -> RefusedAttempt:
        return RefusedAttempt(
            fleet=self.fleets[n % len(FLEETS)],
            token_prefix=f"tlf_e_{n:04}",
            address=f"198.51.{n // 250}.{n % 250}",
            reason=list(RefusalReason)[n % len(RefusalReason)],
            transport="ws",
            first_at=self.now,
            last_at=self._ago(86_400),
        )


def _store(model: type[Model], rows: Iterable[Any]) -> None:
    manager: Manager[Any] = model._meta.default_manager  # type: ignore[assignment]  # every model has one
    manager.bulk_create(rows, batch_size=2_000)
