"""The demo's history, in order: forty days of an installation, and at their end a rollout that is under way.

The product's own services make it, and collectors that really connect.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet

from agents.models import Agent, AgentStatus
from agents.services import label_agent
from agents.snapshot import ConfigStatus
from configs.models import Configuration, ConfigVersion
from configs.services import create_configuration, publish_version, save_version
from fleets.models import (
    ArrivalMode,
    Attempt,
    AttemptState,
    Fleet,
    Platform,
    RefusalReason,
    Rollout,
    RolloutState,
    Token,
)
from fleets.quickdeploy.services import create_deployment
from fleets.refusals import record_refusal
from fleets.rollouts.plan import ACTIVE, Budget
from fleets.rollouts.services import start_rollout
from fleets.rollouts.strategy import all_at_once
from fleets.services import create_fleet, set_mode
from fleets.tokens import Expiry, IssuedToken, issue_token, retire_token, revoke_token, rotate_token
from opamp.simulator import shapes
from opamp.simulator.agent import SimulatedAgent
from opamp.simulator.behaviour import Behaviour
from opamp.simulator.hosts import make_uid
from opamp.simulator.member import Member
from telflo.base import clock
from telflo.base.activity import Actor
from telflo.demo import texts
from telflo.demo.crowd import Crowd
from telflo.demo.hosts import FLEETS, FleetPlan, hosts_of
from telflo.demo.past import PastClock, date_the_stale
from telflo.demo.people import make_people

DAYS: Final = 41
EDGE, KUBERNETES, PAYMENTS, STAGING = (plan.name for plan in FLEETS)
_WITHIN_S: Final = 120.0
_LOOK_S: Final = 0.1
_OPEN: Final = (AttemptState.OFFERED, AttemptState.APPLYING)
_FEWEST: Final = 4
_FIRST_WAVE: Final = 0.45
_NEWCOMERS: Final = 0.06
_QUICK_SHARE: Final = 0.55
_LONGEST_APPLY: Final = 0.85


@dataclass(slots=True)
class Group:
    """A fleet with its collectors. waiting: those that come last."""

    fleet: Fleet
    token: IssuedToken
    versions: list[ConfigVersion]
    members: list[Member] = field(default_factory=list)
    waiting: list[SimulatedAgent] = field(default_factory=list)


class Story:
    """Tells it once, in a thread beside the server, which has to run already."""

    def __init__(
        self,
        past: PastClock,
        crowd: Crowd,
        *,
        collectors: int,
        say: Callable[[str], None],
        seed: int = 7,
    ) -> None:
        self._clock = past
        self._crowd = crowd
        self._count = collectors
        self._say = say
        self._rng = random.Random(seed)  # noqa: S311 - a story, not a secret
        self._texts: dict[str, Iterator[tuple[str, str]]] = {}
        self.groups: dict[str, Group] = {}
        self.people: dict[str, Actor] = {}
        self._leaked: Token

    @property
    def members(self) -> list[Member]:
        """All collectors that came."""
        return [member for group in self.groups.values() for member in group.members]

    def tell(self) -> None:
        """From the first day to now."""
        self.people = make_people()
        for index, plan in enumerate(FLEETS):
            self._clock.move_to(days=DAYS - 1 - index)
            self._found(plan)
        self._clock.move_to(days=34)
        self._say("  five weeks ago: the first collectors arrive …")
        self._first_wave()
        self._say("  since then: new versions are rolled out …")
        self._improve()
        self._say("  last week: the other collectors arrive …")
        self._second_wave()
        self._payments_trouble()
        self._say("  today …")
        self._losses()
        self._newcomers()
        self._attention()
        self._under_way()

    def arrive_in_the_present(self) -> None:
        """When the clock is right again: everybody is heard once more, before anyone looks for the silent."""
        begin = clock.now()
        for group in self.groups.values():
            self._crowd.report_health(group.members)
        unheard = AgentStatus.objects.filter(connected=True, last_seen_at__lt=begin)
        self._until(partial(_is_empty, unheard), "everybody to be heard")
        date_the_stale(clock.now())

    # ---- the chapters

    def _found(self, plan: FleetPlan) -> None:
        """A configuration, its first version, a fleet on it with a token."""
        line = next(line for line in texts.LINES if line.name == plan.configuration)
        self._texts[line.name] = line.versions()
        maria = self.people["maria"]
        create_configuration(name=line.name, description=line.description, actor=maria)
        version = self._publish(line.name)
        fleet = create_fleet(
            name=plan.name, description=plan.description, version=version, actor=maria
        )
        expires = Expiry.HALF_YEAR if plan.name != STAGING else Expiry.NEVER
        token = issue_token(
            fleet=fleet, name=f"{plan.name}, hosts", expires=expires, actor=self.people["admin"]
        )
        self.groups[plan.name] = Group(fleet, token, [version])

    def _first_wave(self) -> None:
        """Nearly half of them connect and run the first version; some payment hosts are only looked at."""
        for plan in FLEETS:
            group = self.groups[plan.name]
            group.waiting = self._agents(plan)
            self._arrive(group, max(2, round(len(group.waiting) * _FIRST_WAVE)))
        for group in self.groups.values():
            self._until_running(group)
        observed = [
            member
            for member in self._members(PAYMENTS)
            if "dc2" in member.agent.host.attributes.values()
        ]
        for member in observed[: max(1, len(observed) // 2)]:
            set_mode(
                agent=self._agent(member),
                mode=ArrivalMode.OBSERVED,
                reason="Its owners still change it by hand",
                actor=self.people["jonas"],
            )
        for member in self._members(EDGE)[::7]:
            labels = {"tier": self._rng.choice(("gold", "silver")), "owner": "network"}
            label_agent(agent=self._agent(member), labels=labels, actor=self.people["jonas"])

    def _improve(self) -> None:
        """Versions that went well."""
        for name, days, reason in (
            (STAGING, 27, "Try it here first"),
            (EDGE, 24, "After the incident in ams, INC-2231"),
            (KUBERNETES, 19, ""),
            (STAGING, 15, ""),
            (EDGE, 9, "Backend moved to the new cluster"),
            (KUBERNETES, 7, "Dashboards need the node name"),
        ):
            self._clock.move_to(days=days)
            self._roll_out(name, reason)
        self._clock.move_to(days=16)
        admin = self.people["admin"]
        edge = self.groups[EDGE]
        heir = rotate_token(token=edge.token.token, overlap=timedelta(days=7), actor=admin)
        edge.token = heir
        old = issue_token(fleet=edge.fleet, name="pilot in ams", expires=Expiry.NEVER, actor=admin)
        self._leaked = revoke_token(
            token=old.token, reason="Was in a ticket in clear text", actor=admin
        )
        trial = issue_token(
            fleet=self.groups[STAGING].fleet, name="trial", expires=Expiry.YEAR, actor=admin
        )
        retire_token(token=trial.token, reason="Trial is over", actor=admin)

    def _second_wave(self) -> None:
        """All but this morning's newcomers follow."""
        self._clock.move_to(days=6)
        for group in self.groups.values():
            newcomers = max(1, round((len(group.members) + len(group.waiting)) * _NEWCOMERS))
            self._arrive(group, len(group.waiting) - newcomers)
        for group in self.groups.values():
            self._until_running(group)

    def _payments_trouble(self) -> None:
        """A version that older collectors refuse: it pauses, and the next one mends it."""
        self._clock.move_to(days=5, hours=3)
        group = self.groups[PAYMENTS]
        rollout = self._start(PAYMENTS, "Name changes with 0.160")
        self._until(lambda: self._is_settled(group, rollout), "the payments rollout")
        self._clock.move_to(days=5, hours=1)
        self._roll_out(PAYMENTS, "Older collectors do not know the new name")

    def _losses(self) -> None:
        """Some are gone for days, some since this morning."""
        for name, count, behind in (
            (STAGING, 3, {"days": 3}),
            (EDGE, 2, {"days": 2, "hours": 4}),
            (KUBERNETES, 4, {"hours": 5}),
            (EDGE, 2, {"hours": 2}),
        ):
            self._clock.move_to(**behind)
            gone = self._members(name)[-self._some(count) :]
            self._crowd.report_health(gone)  # heard for the last time
            self._crowd.leave(gone, gracefully=name == KUBERNETES)
            uids = [member.agent.uid for member in gone]
            there = AgentStatus.objects.filter(agent_id__in=uids, connected=True)
            self._until(partial(_is_empty, there), "collectors to be gone")
            group = self.groups[name]
            group.members = [member for member in group.members if member not in gone]

    def _newcomers(self) -> None:
        """Collectors of this morning, a part of them over plain HTTP."""
        self._clock.move_to(hours=1, minutes=40)
        for group in self.groups.values():
            self._arrive(group, len(group.waiting) // 2, over_http=True)
            self._arrive(group, len(group.waiting))
        for name in (EDGE, KUBERNETES):
            self._until_running(self.groups[name])

    def _attention(self) -> None:
        """What somebody should look at: sick collectors, strangers with wrong tokens, commands to be used."""
        self._clock.move_to(minutes=52)
        self._crowd.fall_ill(self._members(KUBERNETES)[: self._some(5)], texts.EXPORT_REFUSED)
        self._crowd.fall_ill(self._members(EDGE)[6 : 6 + self._some(2)], texts.EXPORT_UNAUTHORIZED)
        self._crowd.fall_ill(self._members(PAYMENTS)[1:2], texts.DISK_FULL)
        for prefix, address, reason, count in (
            ("tlf_e_Qm3x9d", "198.51.100.23", RefusalReason.UNKNOWN, 214),
            (self._leaked.prefix, "203.0.113.81", RefusalReason.REVOKED, 37),
            ("", "192.0.2.140", RefusalReason.UNKNOWN, 3),
        ):
            record_refusal(
                token_prefix=prefix,
                address=address,
                reason=reason,
                transport="ws",
                user_agent="Go-http-client/1.1",
                now=clock.now(),
                count=count,
            )
        for name, uses in ((EDGE, 20), (KUBERNETES, 50)):
            create_deployment(
                fleet=self.groups[name].fleet,
                platform=Platform.LINUX_AMD64.value,
                actor=self.people["jonas"],
                max_uses=uses,
            )

    def _under_way(self) -> None:
        """The rollout that a visitor finds: most have it, a few refuse it, the rest take their time."""
        self._clock.move_to(minutes=38)
        self._publish("staging")
        self._clock.move_to(minutes=6)
        version = self._publish("edge gateway")
        self.groups[EDGE].versions.append(version)
        members = self._members(EDGE)
        failing = [member for member in members if member.agent.host.attributes["site"] == "lon"]
        failing = failing[: self._some(4)]
        self._crowd.behave(
            failing, fails=True, fail_marker="tail_sampling", fail_error=texts.PORT_IN_USE
        )
        slow = [
            member
            for member in members
            if member not in failing and self._rng.random() > _QUICK_SHARE
        ]
        longest_s = settings.APPLY_TIMEOUT.total_seconds() * _LONGEST_APPLY
        for member in slow:
            self._crowd.behave([member], apply_delay_s=self._rng.uniform(20, longest_s))
        rollout = self._assign(EDGE, version, "OPS-1423", budget=10)
        answers = Attempt.objects.filter(rollout=rollout).exclude(state__in=_OPEN)
        quick = len(members) - len(slow)
        self._until(lambda: answers.count() >= quick, "the first answers")

    # ---- how things are done

    def _agents(self, plan: FleetPlan) -> list[SimulatedAgent]:
        count = max(_FEWEST, round(self._count * plan.share))
        behaviour = Behaviour(apply_delay_s=0, local_config="")
        return [
            SimulatedAgent(make_uid(self._rng), host, behaviour, self._rng.getrandbits(64))
            for host in hosts_of(plan, count, self._rng)
        ]

    def _publish(self, name: str) -> ConfigVersion:
        text, note = next(self._texts[name])
        version = save_version(
            configuration=Configuration.objects.get(name=name),
            yaml=text,
            note=note,
            collector_version=shapes.VERSIONS[0],
            actor=self.people["maria"],
        )
        return publish_version(version=version, actor=self.people["maria"])

    def _start(self, name: str, reason: str) -> Rollout:
        """The next version of a fleet's configuration goes to it."""
        group = self.groups[name]
        assert group.fleet.version is not None
        version = self._publish(group.fleet.version.configuration.name)
        group.versions.append(version)
        return self._assign(name, version, reason)

    def _assign(
        self, name: str, version: ConfigVersion, reason: str, *, budget: int = 0
    ) -> Rollout:
        return start_rollout(
            fleet=self.groups[name].fleet,
            version=version,
            reason=reason,
            actor=self.people["jonas"],
            strategy=all_at_once(Budget(percent=budget)),
        )

    def _roll_out(self, name: str, reason: str) -> None:
        rollout = self._start(name, reason)
        going_on = Rollout.objects.filter(pk=rollout.pk, state__in=ACTIVE)
        self._until(partial(_is_empty, going_on), f"the rollout of {name}")

    def _unanswered(self, name: str) -> int:
        uids = [member.agent.uid for member in self._members(name)]
        return Attempt.objects.filter(agent_id__in=uids, state__in=_OPEN).count()

    def _is_settled(self, group: Group, rollout: Rollout) -> bool:
        rollout.refresh_from_db(fields=["state"])
        ended = (RolloutState.PAUSED, RolloutState.SUCCEEDED)
        return rollout.state in ended and not self._unanswered(group.fleet.name)

    def _arrive(self, group: Group, count: int, *, over_http: bool = False) -> None:
        """So many of those that wait connect."""
        arriving, group.waiting = group.waiting[:count], group.waiting[count:]
        group.members += self._crowd.arrive(arriving, group.token.secret, over_http=over_http)

    def _until_running(self, group: Group) -> None:
        """All of a fleet have answered that they run what they were offered."""
        uids = [member.agent.uid for member in group.members]

        def run_it() -> bool:
            rows = AgentStatus.objects.filter(agent_id__in=uids)
            return rows.filter(remote_config_status=ConfigStatus.APPLIED.value).count() == len(uids)

        self._until(run_it, f"{group.fleet.name} to run {group.versions[-1]}")

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        """Look until it holds. Raises TimeoutError."""
        end = time.monotonic() + _WITHIN_S
        while not holds():
            if time.monotonic() > end:
                raise TimeoutError(f"The demo waited in vain for {what}.")
            time.sleep(_LOOK_S)

    def _members(self, name: str) -> Sequence[Member]:
        return self.groups[name].members

    def _agent(self, member: Member) -> Agent:
        return Agent.objects.get(pk=member.agent.uid)

    def _some(self, count: int) -> int:
        """That many of 300, fewer of fewer, but one at least."""
        return max(1, round(count * min(1.0, self._count / 300)))


def _is_empty(rows: "QuerySet[Any]") -> bool:
    """Looked up anew each time."""
    return not rows.all().exists()
