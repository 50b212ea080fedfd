"""A believable installation for screenshots and page tests: four fleets, versions, rollouts, months of activity.

Everything goes through the product's own services and report path, on a clock that runs from weeks ago to now.
launching.seed_installation runs it in a process of its own, with a server's settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from unittest.mock import patch

from django.conf import settings
from django.db.models import F

from agents import store
from agents.identities import give_uid
from agents.models import AgentStatus, Status
from agents.services import label_agent
from agents.snapshot import AgentSnapshot, ConfigStatus, CustomMessage, Fact, FactKind, Transport
from configs.drafts import put_draft
from configs.models import Configuration, ConfigVersion
from configs.services import create_configuration, publish_version, save_version
from fleets import offers, reports
from fleets.models import (
    Attempt,
    AttemptState,
    Fleet,
    Platform,
    RefusalReason,
    RenderedConfig,
)
from fleets.quickdeploy.services import create_deployment
from fleets.refusals import record_refusal
from fleets.rollouts.counts import Budget
from fleets.rollouts.services import start_rollout
from fleets.rollouts.strategy import all_at_once
from fleets.services import create_fleet
from fleets.tasks import sweep_rollouts
from fleets.tokens import Expiry, IssuedToken, issue_token
from telflo.base.access import Role
from telflo.base.activity import Actor
from telflo.base.models import User
from telflo.celery import app
from telflo.serve.firststart import prepare
from tests.browser import texts
from tests.browser.fleets import (
    CAPABILITIES,
    PLANS,
    FleetPlan,
    described,
    effective,
    healthy,
    unhealthy,
)
from tests.browser.notices import subscribe_people
from tests.factories import agent_of, enrol, make_answer, make_patch, make_person

LONG_INTERVAL_S: Final = 6 * 3600
"""The seeded collectors have no connection: without it the first sweep would find them silent."""


def fill(collectors: int) -> None:
    """Make everything, in the database of this process's settings."""
    app.conf.task_always_eager = True
    with moving_clock(datetime.now(UTC) - timedelta(days=41)) as clock:
        list(prepare())
        Seed(clock, collectors).run()


class Clock:
    """Time that moves when it is told to, and a second with every look at it."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._end = datetime.now(UTC)

    def __call__(self) -> datetime:
        """The present moment."""
        self._now += timedelta(milliseconds=2)
        return self._now

    def move_to(self, **before_the_end: float) -> None:
        """To so long before the real present, never back."""
        self._now = max(self._now, self._end - timedelta(**before_the_end))


@contextmanager
def moving_clock(start: datetime) -> Iterator[Clock]:
    """Django's clock, which telflo.base.clock reads, replaced by one that the seed moves."""
    clock = Clock(start)
    with patch("django.utils.timezone.now", clock):
        yield clock


class Seed:
    """The story of the installation, in order."""

    def __init__(self, clock: Clock, collectors: int) -> None:
        self.clock = clock
        self.collectors = collectors
        self.texts: dict[str, Iterator[tuple[str, str]]] = {}
        self.rendered: dict[str, str] = {}
        self.versions: dict[str, list[ConfigVersion]] = {}
        self.tokens: dict[str, IssuedToken] = {}
        self.agents: dict[str, list[AgentSnapshot]] = {}

    def run(self) -> None:
        """From the first day to now."""
        self.people()
        self.configurations()
        for plan in PLANS:
            self.fleet(plan)
        self.save_next("edge gateway", days=24)
        self.save_next("edge gateway", days=13)
        self.update("edge-us", days=12, reason="Batch size for the new backend")
        self.update("edge-eu", days=9, reason="Batch size for the new backend")
        self.save_next("kubernetes node", days=7)
        self.update("k8s-prod", days=6, reason="")
        self.lose(self.agents["edge-us"][-4:], days=3)
        self.save_next("edge gateway", days=1)
        self.lose([*self.agents["k8s-prod"][-3:], *self.agents["edge-eu"][-5:]], hours=5)
        self.fall_ill(self.agents["k8s-prod"][:3], hours=2)
        self.copied_machine()
        self.exchange_messages()
        self.refusals()
        self.commands()
        self.clock.move_to(minutes=48)
        subscribe_people(self.admin, self.clock())
        self.save_next("edge gateway", minutes=30)
        self.draft("edge gateway", minutes=4)
        self.rollout_under_way()
        self.quiet()

    def people(self) -> None:
        """Four people with different roles."""
        self.admin = Actor.person(User.objects.get(username="admin"))
        maria = make_person(role=Role.EDITOR, username="maria")
        jonas = make_person(role=Role.OPERATOR, username="jonas")
        make_person(role=Role.VIEWER, username="aiko")
        for person, first, last in ((maria, "Maria", "Weber"), (jonas, "Jonas", "Lind")):
            person.first_name, person.last_name = first, last
            person.save(update_fields=["first_name", "last_name"])
        self.maria, self.jonas = Actor.person(maria), Actor.person(jonas)

    def configurations(self) -> None:
        """Three, each with its first version."""
        for day, (name, description, notes) in enumerate(texts.LINES):
            self.clock.move_to(days=40 - day)
            create_configuration(name=name, description=description, actor=self.maria)
            self.texts[name] = texts.versions(name, notes)
            self.versions[name] = []
            self.save_next(name, days=40 - day)

    def save_next(self, name: str, **before_the_end: float) -> None:
        """The next version of a configuration, published unless it is a draft."""
        self.clock.move_to(**before_the_end)
        text, note = next(self.texts[name])
        version = save_version(
            configuration=Configuration.objects.get(name=name),
            yaml=text,
            note=note,
            collector_version="0.158.0",
            actor=self.maria,
        )
        if note != texts.DRAFT:
            self.versions[name].append(publish_version(version=version, actor=self.maria))

    def draft(self, name: str, **before_the_end: float) -> None:
        """What Maria would change next, with faults that she has not mended yet."""
        self.clock.move_to(**before_the_end)
        latest = self.versions[name][-1]
        text = latest.yaml.replace("send_batch_size: 8192", "send_batch_size: 16384")
        put_draft(
            configuration=latest.configuration,
            yaml=text.replace("exporters: [otlp]", "exporters: [otlp, otlp/archive]"),
            lock_version=None,
            actor=self.maria,
        )

    def fleet(self, plan: FleetPlan) -> None:
        """A fleet on version 1 whose collectors came over two weeks."""
        self.clock.move_to(days=36)
        fleet = create_fleet(
            name=plan.name,
            description=plan.description,
            version=self.versions[plan.configuration][0],
            arrival_mode=plan.mode,
            actor=self.maria,
        )
        expires = Expiry.HALF_YEAR if plan.name != "edge-us" else Expiry.YEAR
        token = issue_token(
            fleet=fleet, name=f"{plan.name}, first", expires=expires, actor=self.admin
        )
        self.tokens[plan.name] = token
        number = max(3, round(self.collectors * plan.share))
        self.agents[plan.name] = [self.collector(plan, index) for index in range(number)]
        self.settle(self.agents[plan.name])

    def collector(self, plan: FleetPlan, index: int) -> AgentSnapshot:
        """One arrives, describes itself, and is healthy."""
        site = plan.sites[index % len(plan.sites)]
        name = f"{plan.name}-{site}-{index:03}"
        snapshot = enrol(
            token=self.tokens[plan.name],
            now=self.clock(),
            transport=Transport.HTTP if index % 9 == 4 else Transport.WEBSOCKET,
            capabilities=CAPABILITIES,
        )
        text = self.versions[plan.configuration][0].yaml
        reports.record_patches(
            [
                make_patch(
                    snapshot,
                    description=described(name, site, plan.build),
                    health=healthy(self.clock()),
                    effective_config=effective(text),
                    facts=(Fact(FactKind.CONNECTED, self.clock()),),
                )
            ]
        )
        if index % 6 == 0:
            labels = {"site": site, "tier": "gold" if index % 12 else "silver"}
            label_agent(agent=agent_of(snapshot), labels=labels, actor=self.jonas)
        return snapshot

    def update(self, name: str, *, days: float, reason: str) -> None:
        """A rollout of the past that went well."""
        self.clock.move_to(days=days)
        self.assign(name, reason)
        self.clock.move_to(days=days, minutes=-4)
        self.settle(self.agents[name])
        sweep_rollouts()

    def assign(self, name: str, reason: str, *, budget: int = 0) -> None:
        """The newest published version of its configuration goes to a fleet."""
        fleet = Fleet.objects.get(slug=name)
        assert fleet.version is not None
        start_rollout(
            fleet=fleet,
            version=self.versions[fleet.version.configuration.name][-1],
            reason=reason,
            actor=self.jonas,
            strategy=all_at_once(Budget(percent=budget)),
        )
        sweep_rollouts()

    def settle(self, agents: Sequence[AgentSnapshot]) -> None:
        """They take what they are offered and run it well."""
        for snapshot, text in self.claim(agents):
            self.answer(snapshot, (ConfigStatus.APPLYING, text), (ConfigStatus.APPLIED, text))

    def claim(self, agents: Sequence[AgentSnapshot]) -> list[tuple[AgentSnapshot, str]]:
        """What these agents are offered now: agent and hash."""
        epochs = {agent.instance_uid: agent.epoch for agent in agents}
        offered = offers.claim_offers(epochs, now=self.clock())
        return [
            (agent, offered[agent.instance_uid].hash)
            for agent in agents
            if agent.instance_uid in offered
        ]

    def answer(
        self, agent: AgentSnapshot, *said: tuple[ConfigStatus, str] | tuple[ConfigStatus, str, str]
    ) -> None:
        """What it says of an offer; one that took it runs it from then on."""
        patch = make_answer(agent, *said, now=self.clock())
        status, digest = said[-1][:2]
        if status is ConfigStatus.APPLIED:
            patch.effective_config = effective(self.runs(agent, digest))
        reports.record_patches([patch])

    def runs(self, agent: AgentSnapshot, digest: str) -> str:
        """The text behind a hash. Somebody edited some hosts of edge-us by hand."""
        if digest not in self.rendered:
            version = (
                RenderedConfig.objects.select_related("version").filter(hash=digest)[0].version
            )
            self.rendered[digest] = version.yaml
        is_edited = agent in self.agents.get("edge-us", [])[4:7]
        text = self.rendered[digest]
        return text.replace("limit_mib: 512", "limit_mib: 1024") if is_edited else text

    def lose(self, agents: Sequence[AgentSnapshot], **before_the_end: float) -> None:
        """Their connections break; who stays away for a day is stale."""
        self.clock.move_to(**before_the_end)
        for agent in agents:
            now = self.clock()
            fact = Fact(FactKind.DISCONNECTED, now, reason="connection lost")
            reports.record_patches([make_patch(agent, now=now, disconnected_at=now, facts=(fact,))])

    def fall_ill(self, agents: Sequence[AgentSnapshot], **before_the_end: float) -> None:
        """Their exporters cannot reach the backend."""
        self.clock.move_to(**before_the_end)
        for agent in agents:
            sick = unhealthy(self.clock(), texts.EXPORT_ERROR)
            fact = Fact(FactKind.HEALTH, self.clock(), health=sick)
            reports.record_patches([make_patch(agent, health=sick, facts=(fact,))])

    def copied_machine(self) -> None:
        """A machine was copied with its identity; the copy was given one of its own."""
        self.clock.move_to(minutes=55)
        original = self.agents["edge-us"][0]
        uid = give_uid(
            instance_uid=original.instance_uid,
            remote_address="198.51.100.44",
            is_clone=True,
            now=self.clock(),
        )
        copy = enrol(
            token=self.tokens["edge-us"], uid=uid, now=self.clock(), capabilities=CAPABILITIES
        )
        text = self.versions["edge gateway"][0].yaml
        description = described("edge-us-iad-000", "iad", "0.158.0")
        came = make_patch(
            copy,
            description=description,
            health=healthy(self.clock()),
            effective_config=effective(text),
        )
        reports.record_patches([came])
        self.settle([copy])

    def exchange_messages(self) -> None:
        """An extension of some collectors talks to us."""
        for index, agent in enumerate(self.agents["edge-eu"]):
            names = ("io.example.diagnostics/1.2", "io.example.cache/1.0") if index % 3 == 0 else ()
            said = tuple(
                CustomMessage(self.clock(), names[0], kind, data, len(data))
                for kind, data in texts.MESSAGES
                if names
            )
            if names:
                reports.record_patches(
                    [make_patch(agent, custom_capabilities=names, messages=said)]
                )

    def refusals(self) -> None:
        """Somebody knocks with a token of yesterday."""
        self.clock.move_to(minutes=50)
        for prefix, address, reason in (
            ("tlf_e_Qm3x", "198.51.100.23", RefusalReason.UNKNOWN),
            (self.tokens["edge-us"].token.prefix, "198.51.100.81", RefusalReason.EXPIRED),
        ):
            record_refusal(
                token_prefix=prefix,
                address=address,
                reason=reason,
                transport="ws",
                user_agent="opamp-supervisor",
                now=self.clock(),
                count=14,
            )

    def commands(self) -> None:
        """Two quick-deploy commands."""
        for name in ("edge-eu", "k8s-prod"):
            fleet = Fleet.objects.get(slug=name)
            create_deployment(
                fleet=fleet, platform=Platform.LINUX_AMD64.value, actor=self.admin, max_uses=20
            )

    def rollout_under_way(self) -> None:
        """Version 4 goes to edge-eu: most have it, some refuse it, some are at it, some wait."""
        self.clock.move_to(minutes=11)
        self.assign("edge-eu", "Tail sampling, OPS-1423", budget=10)
        offered = self.claim(self.agents["edge-eu"])
        failing = [3, 7, 9, 13] if len(offered) > 20 else [3]
        done = round(len(offered) * 0.75)
        for index, (agent, digest) in enumerate(offered):
            applying = (ConfigStatus.APPLYING, digest)
            if index in failing:
                error = texts.REFUSALS[failing.index(index) // 3]
                self.answer(agent, applying, (ConfigStatus.FAILED, digest, error))
            elif index < done:
                self.answer(agent, applying, (ConfigStatus.APPLIED, digest))
            elif index < done + 6:
                self.answer(agent, applying)
        # Before anyone looks for the silent: their deadline lies in the past of the moving clock.
        in_flight = Attempt.objects.filter(state__in=(AttemptState.OFFERED, AttemptState.APPLYING))
        in_flight.update(deadline=self.clock() + timedelta(hours=6))
        sweep_rollouts()

    def quiet(self) -> None:
        """All connected ones were heard a moment ago, and what is in flight has time."""
        self.clock.move_to(seconds=4)
        now = self.clock()
        connected = AgentStatus.objects.filter(connected=True)
        connected.update(last_seen_at=now, interval_s=LONG_INTERVAL_S)
        store.sweep(now)
        stale = AgentStatus.objects.filter(status=Status.STALE)
        stale.update(status_since=F("disconnected_at") + settings.STALE_AFTER)
