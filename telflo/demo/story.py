"""The demo's history, in order: forty days of an installation, and at their end two rollouts that are under way.

The product's own services make it, and collectors that really connect.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.db.models import QuerySet

from agents.models import Agent, AgentStatus, Health
from agents.services import label_agent
from configs.models import Configuration, ConfigVersion
from configs.services import create_configuration, publish_version, save_version
from fleets.models import ArrivalMode, Fleet, Rollout, StageState, Token
from fleets.rollouts.services import start_rollout
from fleets.rollouts.strategy import Strategy, canary
from fleets.services import create_fleet, set_mode
from fleets.tasks import compare_running
from fleets.tokens import Expiry, IssuedToken, issue_token
from notices.kinds import ROLLOUT_KINDS, Kind
from notices.models import Channel
from notices.services import Wish, subscribe
from opamp.simulator import shapes
from opamp.simulator.agent import SimulatedAgent
from opamp.simulator.hosts import make_uid
from opamp.simulator.member import Member
from telflo.base import clock
from telflo.base.activity import Actor
from telflo.demo import doors, texts
from telflo.demo.crowd import Crowd
from telflo.demo.habits import behaviour_of, has_new_image, has_no_metadata, is_edited
from telflo.demo.hosts import FLEETS, FleetPlan, hosts_of
from telflo.demo.past import PastClock, date_the_stale
from telflo.demo.people import make_people
from telflo.demo.plans import CLUSTER_BY_CLUSTER, SITE_BY_SITE
from telflo.demo.waiting import (
    until_begun,
    until_gone,
    until_over,
    until_paused,
    until_running,
    until_stage,
)

DAYS: Final = 41
EDGE, KUBERNETES, PAYMENTS, STAGING = (plan.name for plan in FLEETS)
_FEWEST: Final = 4
_FIRST_WAVE: Final = 0.45
_NEWCOMERS: Final = 0.06
_POLLS_EVERY_S: Final = 5.0
PATIENCE: Final = timedelta(minutes=20)
"""The apply timeout meanwhile: so many collectors share this machine with the server, and with what else runs there."""
_SLOW_S: Final = (600, 1_000)
"""Longer than the rest of the story takes, shorter than the patience with them."""


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
        on_call: str,
        say: Callable[[str], None],
        seed: int = 7,
    ) -> None:
        self._clock = past
        self._crowd = crowd
        self._count = collectors
        self._on_call = on_call
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
        self._tell_on_call()
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
        self._under_way()
        self._attention()
        self._just_begun()

    def arrive_in_the_present(self) -> None:
        """When the clock is right again: everybody is heard once more, before anyone looks for the silent."""
        self._hear(self.members)
        date_the_stale(clock.now())
        compare_running()

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

    def _tell_on_call(self) -> None:
        """Who is on call hears of rollouts that stop or go back, and of collectors in trouble."""
        wish = Wish(
            name="On call",
            kinds=[kind for kind in ROLLOUT_KINDS if kind is not Kind.ROLLOUT_CANCELLED],
            unhealthy_from="5",
            gone_from="10%",
            url=self._on_call,
        )
        subscribe(channel=Channel.WEBHOOK, wish=wish, actor=self.people["admin"])

    def _first_wave(self) -> None:
        """Nearly half of them connect and run the first version; some payment hosts are only looked at."""
        for plan in FLEETS:
            group = self.groups[plan.name]
            group.waiting = self._agents(plan)
            self._arrive(group, max(2, round(len(group.waiting) * _FIRST_WAVE)))
        for group in self.groups.values():
            until_running(group.members, str(group.versions[-1]))
        observed = [
            member
            for member in self._members(PAYMENTS)
            if "dc2" in member.agent.host.attributes.values() and not is_edited(member.agent.host)
        ]
        for member in observed[: max(1, len(observed) // 4)]:
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
        """Versions that went well, one in stages; and one that took itself back."""
        for name, days, reason in (
            (STAGING, 27, "Try it here first"),
            (EDGE, 24, "After the incident in ams, INC-2231"),
            (KUBERNETES, 19, ""),
        ):
            self._clock.move_to(days=days)
            self._roll_out(name, reason)
        self._doors()
        self._clock.move_to(days=15)
        self._roll_out(STAGING, "")
        self._taken_back()
        self._clock.move_to(days=9)
        self._roll_out(EDGE, "Backend moved to the new cluster", canary())
        self._clock.move_to(days=7)
        self._roll_out(KUBERNETES, "Dashboards need the node name")

    def _taken_back(self) -> None:
        """Nodes of one cluster cannot run it: the budget is spent, and everybody goes back."""
        self._clock.move_to(days=12)
        group = self.groups[KUBERNETES]
        failing = [one for one in group.members if has_no_metadata(one.agent.host)]
        self._crowd.behave(
            failing, fails=True, fail_marker="resourcedetection", fail_error=texts.NO_METADATA
        )
        version = self._publish_next(group)
        rollout = self._assign(KUBERNETES, version, "Costs by zone, OPS-1398", CLUSTER_BY_CLUSTER)
        until_over(rollout, self._clock)

    def _doors(self) -> None:
        """Tokens change hands; one was seen by too many."""
        self._clock.move_to(days=16)
        admin, edge = self.people["admin"], self.groups[EDGE]
        edge.token = doors.rotate(edge.token, admin)
        self._leaked = doors.revoke_a_leaked_one(edge.fleet, admin)
        doors.retire_a_trial(self.groups[STAGING].fleet, admin)

    def _second_wave(self) -> None:
        """All but this morning's newcomers follow."""
        self._clock.move_to(days=6)
        for group in self.groups.values():
            newcomers = max(1, round((len(group.members) + len(group.waiting)) * _NEWCOMERS))
            self._arrive(group, len(group.waiting) - newcomers)
        for group in self.groups.values():
            until_running(group.members, str(group.versions[-1]))

    def _payments_trouble(self) -> None:
        """A version that older collectors refuse: it pauses, and the next one mends it."""
        self._clock.move_to(days=5, hours=3)
        rollout = self._start(PAYMENTS, "Name changes with 0.160")
        until_paused(rollout)
        self._clock.move_to(days=5, hours=1)
        self._roll_out(PAYMENTS, "Older collectors do not know the new name")
        compare_running()

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
            self._hear(gone)
            self._crowd.leave(gone, gracefully=name == KUBERNETES)
            until_gone(_statuses(gone).filter(connected=True), "collectors to be gone")
            group = self.groups[name]
            group.members = [member for member in group.members if member not in gone]

    def _newcomers(self) -> None:
        """Collectors of this morning, a part of them over plain HTTP."""
        self._clock.move_to(hours=1, minutes=40)
        for group in self.groups.values():
            self._arrive(group, len(group.waiting) // 2, over_http=True)
            self._arrive(group, len(group.waiting))
        for group in self.groups.values():
            until_running(group.members, str(group.versions[-1]))

    def _attention(self) -> None:
        """What somebody should look at: sick collectors, strangers with wrong tokens, commands to be used."""
        self._clock.move_to(minutes=52)
        west = [one for one in self._members(EDGE) if one.agent.host.attributes["site"] == "pdx"]
        for members, error in (
            (self._members(KUBERNETES)[: self._some(5)], texts.EXPORT_REFUSED),
            (west[: self._some(2)], texts.EXPORT_UNAUTHORIZED),
            (self._members(PAYMENTS)[2:3], texts.DISK_FULL),
        ):
            self._crowd.fall_ill(members, error)
            well = _statuses(members).exclude(health=Health.UNHEALTHY)
            until_gone(well, "collectors to say that they are ill")
        doors.refuse_strangers(self._leaked)
        for name, uses in ((EDGE, 20), (KUBERNETES, 50)):
            doors.make_install_command(self.groups[name].fleet, uses, self.people["jonas"])

    def _under_way(self) -> None:
        """In stages: one site has it, a continent too but for a few that refuse it, and it is watched there."""
        failing = [one for one in self._members(EDGE) if has_new_image(one.agent.host)]
        self._crowd.behave(
            failing, fails=True, fail_marker="tail_sampling", fail_error=texts.PORT_IN_USE
        )
        self._clock.move_to(minutes=95)
        rollout = self._start(EDGE, "OPS-1423", SITE_BY_SITE)
        until_stage(rollout, self._clock, 1, StageState.BAKING)

    def _just_begun(self) -> None:
        """At once: half of a fleet takes its time."""
        slow = self._members(STAGING)[::2]
        for member in slow:
            self._crowd.behave([member], apply_delay_s=self._rng.uniform(*_SLOW_S))
        self._clock.move_to(minutes=2)
        rollout = self._start(STAGING, "Fewer exports")
        until_begun(rollout, [member.agent.uid for member in slow])

    # ---- how things are done

    def _agents(self, plan: FleetPlan) -> list[SimulatedAgent]:
        count = max(_FEWEST, round(self._count * plan.share))
        return [
            SimulatedAgent(make_uid(self._rng), host, behaviour_of(host), self._rng.getrandbits(64))
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

    def _publish_next(self, group: Group) -> ConfigVersion:
        """Of the configuration that the fleet has."""
        return self._publish(group.versions[-1].configuration.name)

    def _start(self, name: str, reason: str, strategy: Strategy | None = None) -> Rollout:
        """The next version of a fleet's configuration goes to it."""
        group = self.groups[name]
        version = self._publish_next(group)
        group.versions.append(version)
        return self._assign(name, version, reason, strategy)

    def _assign(
        self, name: str, version: ConfigVersion, reason: str, strategy: Strategy | None = None
    ) -> Rollout:
        return start_rollout(
            fleet=self.groups[name].fleet,
            version=version,
            reason=reason,
            actor=self.people["jonas"],
            strategy=strategy,
        )

    def _roll_out(self, name: str, reason: str, strategy: Strategy | None = None) -> None:
        until_over(self._start(name, reason, strategy), self._clock)

    def _arrive(self, group: Group, count: int, *, over_http: bool = False) -> None:
        """So many of those that wait connect."""
        arriving, group.waiting = group.waiting[:count], group.waiting[count:]
        if over_http:
            for agent in arriving:
                agent.heartbeat_s = _POLLS_EVERY_S
        group.members += self._crowd.arrive(arriving, group.token.secret, over_http=over_http)

    def _hear(self, members: Sequence[Member]) -> None:
        """They say once more how they are."""
        begin = clock.now()
        self._crowd.report_health(members)
        unheard = _statuses(members).filter(connected=True, last_seen_at__lt=begin)
        until_gone(unheard, "everybody to be heard")

    def _members(self, name: str) -> Sequence[Member]:
        return self.groups[name].members

    def _agent(self, member: Member) -> Agent:
        return Agent.objects.get(pk=member.agent.uid)

    def _some(self, count: int) -> int:
        """That many of 300, fewer of fewer, but one at least."""
        return max(1, round(count * min(1.0, self._count / 300)))


def _statuses(members: Sequence[Member]) -> "QuerySet[AgentStatus]":
    return AgentStatus.objects.filter(agent_id__in=[member.agent.uid for member in members])
