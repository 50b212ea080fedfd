"""What is done to many collectors at once: one way for each, a fixed number of statements, one entry in the log."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, AgentCommand, AgentEvent
from agents.snapshot import Capability
from fleets.commands import restart_agents
from fleets.models import Rollout
from fleets.rollouts.choosing import failed_with
from fleets.services import retry_agents, retry_targets
from telflo.base.models import Activity
from tests.factories import TESTER, enrol, make_fleet, make_token
from tests.fleets.story import APPLIED, FAILED, Story, hash_of, member_of

pytestmark = pytest.mark.django_db


def all_failed(count: int) -> Story:
    """Version two failed on all of them, and they did not go back by themselves."""
    story = Story(count=count)
    two = story.version()
    story.assign(two)
    story.claim(*story.agents)
    for agent in story.agents:
        story.answer(agent, FAILED, hash_of(two), "no such exporter")
    return story


def test_many_are_retried_each_by_its_own_way_and_others_are_told_why_not() -> None:
    story = all_failed(3)
    back, *others = story.agents
    story.answer(back, APPLIED, hash_of(story.one))
    healthy, homeless = story.join(), enrol(token=make_token(fleet=make_fleet(name="Other")))
    member_of(homeless).delete()
    uids = [one.instance_uid for one in (*story.agents, healthy, homeless)]
    done = retry_agents(uids=uids, actor=TESTER, reason="mended")
    assert done.done == 3
    assert {why.partition(": ")[2] for why in done.refused} == {
        "Nothing failed on this collector, so there is nothing to retry.",
        f"{Agent.objects.get(pk=homeless.instance_uid)} is in no fleet.",
    }
    assert len(done.refused) == 2
    assert member_of(back).retry is None
    for agent in others:
        member = member_of(agent)
        assert member.desired is not None
        assert member.desired.version == story.one
        assert member.retry is not None
    [entry] = Activity.objects.filter(action="agent.retry")
    assert (entry.object_label, entry.reason, (entry.after or {})["count"]) == (
        "3 collectors",
        "mended",
        3,
    )
    assert AgentEvent.objects.filter(kind="retried").count() == 3


def restartable(count: int) -> list[Agent]:
    token = make_token(fleet=make_fleet(name=f"Of {count}"))
    bits = int(Capability.REPORTS_STATUS | Capability.ACCEPTS_RESTART_COMMAND)
    enrolled = [enrol(token=token, capabilities=bits) for _ in range(count)]
    return list(Agent.objects.filter(pk__in=[one.instance_uid for one in enrolled]))


def test_many_are_restarted_and_who_cannot_be_is_told_why() -> None:
    agents = restartable(3)
    deaf, *others = agents
    Agent.objects.filter(pk=deaf.pk).update(capabilities=1)
    uids = [one.pk for one in agents]
    done = restart_agents(uids=uids, actor=TESTER, reason="stuck")
    assert done.done == 2
    [why] = done.refused
    assert "does not accept restarts" in why
    assert set(AgentCommand.objects.values_list("agent_id", flat=True)) == {
        one.pk for one in others
    }
    [entry] = Activity.objects.filter(action="agent.restart")
    assert (entry.object_label, entry.reason) == ("2 collectors", "stuck")
    again = restart_agents(uids=[one.pk for one in others], actor=TESTER)
    assert (again.done, len(again.refused)) == (0, 2)
    assert "waits for its delivery already" in again.refused[0]


def retry(count: int) -> int:
    story = all_failed(count)
    uids = [one.instance_uid for one in story.agents]
    with CaptureQueriesContext(connection) as queries:
        done = retry_agents(uids=uids, actor=TESTER)
    assert done.done == count
    return len(queries)


def retry_in_a_rollout(count: int) -> int:
    story = all_failed(count)
    rollout = Rollout.objects.latest("number")
    with CaptureQueriesContext(connection) as queries:
        done = retry_targets(rollout=rollout, uids=failed_with(rollout), actor=TESTER)
    assert done.done == count == len(story.agents)
    return len(queries)


def restart(count: int) -> int:
    uids = [one.pk for one in restartable(count)]
    with CaptureQueriesContext(connection) as queries:
        done = restart_agents(uids=uids, actor=TESTER)
    assert done.done == count
    return len(queries)


@pytest.mark.parametrize("action", [retry, retry_in_a_rollout, restart])
def test_twenty_cost_as_many_statements_as_two(action: Callable[[int], int]) -> None:
    assert action(2) == action(20)
