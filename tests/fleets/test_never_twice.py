"""The promise of decision 1, whatever happens in whatever order: never the same hash twice with no other between. And
those of stopping: nothing is offered in a pause, and each target comes to an end.
"""

from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agents.snapshot import AgentSnapshot, ConfigStatus
from fleets import services
from fleets.errors import AlreadyAssigned, CannotRetry
from fleets.models import Attempt, Quarantine, Rollout, RolloutState, Target
from fleets.rollouts.engine.states import UNDER_WAY
from fleets.rollouts.plan import ACTIVE, Action
from fleets.rollouts.services import act_on_rollout
from telflo.base.errors import Conflict
from tests.factories import TESTER, agent_of, status_of
from tests.fleets.story import Story, hash_of, member_of

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R2")]


class Supervisor:
    """A collector's supervisor that remembers what reached it, and a server that may lose things."""

    def __init__(self) -> None:
        self.story = Story()
        [self.agent] = self.story.agents
        self.versions = [self.story.one, self.story.version(), self.story.version()]
        self.acknowledged = hash_of(self.story.one)
        self.status = ConfigStatus.APPLIED
        self.received: list[str] = []
        """Hashes that arrived since another one was acknowledged."""
        self.unanswered: str | None = None
        self.lost: list[tuple[AgentSnapshot, str]] = []
        self.is_retried = False

    def assign(self, number: int) -> None:
        try:
            self.story.assign(self.versions[number])
        except AlreadyAssigned:
            return

    def operate(self, action: Action) -> None:
        rollout = Rollout.objects.filter(state__in=ACTIVE).first()
        if rollout is not None:
            with suppress(Conflict):
                act_on_rollout(rollout=rollout, action=action, actor=TESTER)
        self.story.work()

    def offer(self, arrives: bool) -> None:
        if any(agent is self.agent for agent, _ in self.lost):
            self.give_back()  # a process does so before it claims again
        offered = self.story.claim(self.agent).get(self.agent.instance_uid)
        if offered is None:
            return
        paused = Target.objects.filter(rollout__state=RolloutState.PAUSED)
        held = paused.exclude(previous__hash=offered)  # what it had before is no news
        if not self.is_retried:
            assert offered not in [hash_of(one.rollout.version) for one in held], "in a pause"
        self.is_retried = False
        if arrives:
            self.receive(offered)
        else:
            self.reconnect()  # it was on its way when the connection broke

    def lose_claim(self) -> None:
        """The process claims and never hears the answer; it gives back, when it can, what it may have claimed."""
        desired = member_of(self.agent).desired
        if desired is None or desired.hash in {self.acknowledged, *self.received}:
            return  # its session wants nothing
        self.story.claim(self.agent)
        self.lost.append((self.agent, desired.hash))

    def give_back(self) -> None:
        """Of an older session's process this may come late."""
        for agent, lost in self.lost:
            self.story.give_back(agent, {agent.instance_uid: lost})
        self.lost.clear()

    def receive(self, offered: str) -> None:
        assert offered not in self.received, "offered twice"
        assert offered != self.acknowledged
        self.received.append(offered)
        self.unanswered = offered

    def answer(self, status: ConfigStatus) -> None:
        if self.unanswered is None:
            return
        self.acknowledged, self.status = self.unanswered, status
        self.received = [self.unanswered]
        if status is not ConfigStatus.APPLYING:
            self.unanswered = None
        self.story.answer(self.agent, status, self.acknowledged)

    def reconnect(self) -> None:
        """It comes back and is asked for its full state, which names what it has begun to apply meanwhile."""
        self.agent = self.story.come_back(self.agent)
        if self.unanswered is not None:
            self.acknowledged, self.status = self.unanswered, ConfigStatus.APPLYING
            self.received = [self.unanswered]
        self.tell()

    def tell(self) -> None:
        """Its full state, which may have crossed an offer that is under way."""
        self.story.tell_all(self.agent, self.status, self.acknowledged)

    def retry(self) -> None:
        try:
            services.retry_agent(agent=agent_of(self.agent), actor=TESTER)
        except CannotRetry:
            return
        self.is_retried = True

    def settle(self) -> None:
        """Everything arrives and works from here on, and nobody holds it up."""
        self.operate(Action.RESUME)
        for _ in range(6):
            self.answer(ConfigStatus.APPLIED)
            self.story.work()
            self.offer(arrives=True)


STEPS: Any = st.sampled_from(
    [
        ("assign", 0),
        ("assign", 1),
        ("assign", 2),
        *[("offer", True)] * 4,
        ("offer", False),
        ("answer", ConfigStatus.APPLYING),
        ("answer", ConfigStatus.APPLIED),
        *[("answer", ConfigStatus.FAILED)] * 2,
        *[("reconnect",)] * 2,
        *[("tell",)] * 2,
        *[("lose_claim",)] * 2,
        ("give_back",),
        ("retry",),
        *[("operate", action) for action in Action if action is not Action.SKIP_BAKE],
    ]
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(STEPS, min_size=8, max_size=20))
@example([("lose_claim",), ("reconnect",), ("offer", True), ("give_back",), ("offer", True)])
@example([("lose_claim",), ("operate", Action.PAUSE), ("give_back",), ("offer", True)])
@example(
    [("offer", True), ("reconnect",), ("assign", 0), ("operate", Action.PAUSE), ("offer", True)]
)
@example([("lose_claim",), ("operate", Action.CANCEL), ("give_back",), ("offer", True)])
@example(
    [
        ("offer", True),
        ("answer", ConfigStatus.FAILED),
        ("reconnect",),
        ("retry",),
        ("assign", 0),
        ("assign", 1),
    ]
)
def test_no_order_of_events_offers_a_hash_twice_and_all_end_well(steps: list[Any]) -> None:
    with transaction.atomic():
        supervisor = Supervisor()
        supervisor.assign(1)
        for name, *arguments in steps:
            getattr(supervisor, name)(*arguments)
        supervisor.settle()
        desired = member_of(supervisor.agent).desired
        assert desired is not None
        is_quarantined = Quarantine.objects.filter(hash=desired.hash).exists()
        assert is_quarantined or status_of(supervisor.agent).status == "in_sync"
        assert not Attempt.objects.filter(state__in=["offered"], hash=desired.hash).exists()
        over = Target.objects.exclude(rollout__state__in=ACTIVE)
        assert not over.filter(state__in=UNDER_WAY).exists(), "a target without an end"
        transaction.set_rollback(True)
