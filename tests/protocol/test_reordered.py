"""Recordings replayed whole, in another order: where the order means nothing, and where it means that something is missing.

Safe points, where a reordered story is one that could as well have happened:
- between agents: each has a session of its own, so their messages may be interleaved in any way;
- between neighbouring messages of one agent whose parts are disjoint: what the agent says of one thing does not depend on
  what it said of another. A first message, a description (it can make a full state) and a goodbye stay where they are;
- a heartbeat anywhere, and the same message twice in a row;
- the moment of a flush.
Everything else leaves a gap in the numbers, and the belief is true again once the full state was asked for.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.snapshot import AgentPatch, Components, Fact, FactKind
from opamp.proto import opamp_pb2 as pb
from tests.protocol.world import (
    NAMES,
    PARTS,
    STORIES,
    Agent,
    Recorded,
    Server,
    check_belief,
    converse,
    server_for,
    settle,
)

pytestmark = pytest.mark.rule("C1", "C2", "R5")

WEBSOCKET = NAMES[:3]


def of_another_agent(story: list[Recorded], number: int) -> list[Recorded]:
    """The same story told by another agent."""
    steps = []
    for step in story:
        message = pb.AgentToServer()
        message.CopyFrom(step.message)
        message.instance_uid = bytes([0xA0 + number]) + step.message.instance_uid[1:]
        steps.append(replace(step, message=message))
    return steps


CAST = [of_another_agent(STORIES[name], n) for n, name in enumerate((*WEBSOCKET, WEBSOCKET[0]))]


def told(server: Server, story: list[Recorded]) -> dict[UUID, tuple[Fact, ...]]:
    """What happened to the agent of a story, under each uid that it had."""
    uids = dict.fromkeys(UUID(bytes=step.message.instance_uid) for step in story)
    return {uid: server.stored[uid].facts for uid in uids}


def replay(server: Server, agent: Agent, story: list[Recorded]) -> None:
    for step in story:
        converse(server, agent, agent.follow(step.message), step.at)


@settings(max_examples=6, deadline=None)
@given(order=st.permutations([n for n, story in enumerate(CAST) for _ in story]))
def test_agents_that_talk_at_the_same_time_are_believed_each_as_if_alone(order: list[int]) -> None:
    server, agents = Server(), [Agent.of(STORIES[name]) for name in (*WEBSOCKET, WEBSOCKET[0])]
    waiting = [iter(story) for story in CAST]
    for number in order:
        step = next(waiting[number])
        converse(server, agents[number], agents[number].follow(step.message), step.at)
    server.flush()
    for agent, story in zip(agents, CAST, strict=True):
        check_belief(server, agent)
        alone = Server()
        replay(alone, Agent.of(story), story)
        alone.flush()
        assert told(server, story) == told(alone, story)


def independent(one: Recorded, other: Recorded) -> bool:
    """Whether an agent could have said these two the other way round."""
    if one.message.instance_uid != other.message.instance_uid:
        return False
    if any(step.message.HasField("agent_disconnect") for step in (one, other)):
        return False
    parts = [{name for name in PARTS if step.message.HasField(name)} for step in (one, other)]
    is_fixed = any(
        step.message.sequence_num == 0 or step.message.HasField("agent_description")
        for step in (one, other)
    )
    return not is_fixed and not parts[0] & parts[1]


def swapped(story: list[Recorded]) -> Iterator[list[Recorded]]:
    """The story with one pair of independent neighbours the other way round; the times stay in order."""
    for place, (one, other) in enumerate(pairwise(story)):
        if independent(one, other):
            pair = [replace(other, at=one.at), replace(one, at=other.at)]
            yield [*story[:place], *pair, *story[place + 2 :]]


@pytest.mark.parametrize("name", NAMES)
def test_independent_neighbours_may_come_in_either_order(name: str) -> None:
    story = STORIES[name]
    server = server_for(name)
    replay(server, Agent.of(story), story)
    server.flush()
    others = list(swapped(story))
    assert len(others) > 10
    for other in others:
        twin, agent = server_for(name), Agent.of(story)
        replay(twin, agent, other)
        twin.flush()
        check_belief(twin, agent)
        assert twin.asked == server.asked
        for uid, stored in server.stored.items():
            assert _state(twin.stored[uid]) == _state(stored)
            assert _history(twin.stored[uid]) == _history(stored)


@pytest.mark.parametrize("name", NAMES)
def test_heartbeats_in_between_and_repeats_change_nothing_and_ask_for_nothing(name: str) -> None:
    story = STORIES[name]
    server, agent = server_for(name), Agent.of(story)
    alone = server_for(name)
    replay(alone, Agent.of(story), story)
    alone.flush()
    for step in story:
        message = agent.follow(step.message)
        outcome = converse(server, agent, message, step.at)
        if server.is_websocket and agent.number == message.sequence_num + 1:
            again = server.take(message, step.at)  # in the same session it is no alarm
            assert again.reply.flags == outcome.reply.flags
        if not step.message.HasField("agent_disconnect"):
            converse(server, agent, agent.beat(), step.at)
    server.flush()
    check_belief(server, agent)
    assert server.asked == alone.asked
    for uid, stored in alone.stored.items():
        assert _state(server.stored[uid]) == _state(stored)


@settings(max_examples=20, deadline=None)
@given(name=st.sampled_from(WEBSOCKET), flushes=st.sets(st.integers(0, 96)))
def test_when_it_is_written_makes_no_difference(name: str, flushes: set[int]) -> None:
    story = STORIES[name]
    each, some = Server(), Server()
    one, other = Agent.of(story), Agent.of(story)
    for place, step in enumerate(story):
        converse(each, one, one.follow(step.message), step.at)
        each.flush()
        converse(some, other, other.follow(step.message), step.at)
        if place in flushes:
            some.flush()
    some.flush()
    for uid, stored in each.stored.items():
        assert _state(some.stored[uid]) == _state(stored)
        assert some.stored[uid].facts == stored.facts


@pytest.mark.rule("C3", "I2")
@pytest.mark.parametrize("name", NAMES)
def test_a_message_that_overtakes_another_leaves_a_gap_that_is_cleared_up(name: str) -> None:
    """No safe point: with its own number a late message is older than what is believed by then."""
    story = STORIES[name]
    world = (server_for(name), Agent.of(story))
    for place, (one, other) in enumerate(pairwise(story)):
        server, agent = world[0].fork(), world[1].fork()
        late = agent.follow(one.message)
        if other.message.sequence_num:
            converse(server, agent, agent.follow(other.message), other.at)
            converse(server, agent, late, other.at)
            for step in story[place + 2 : place + 6]:
                converse(server, agent, agent.follow(step.message), step.at)
            settle(server, agent, story[-1].at + timedelta(seconds=31))
            assert server.asked
            check_belief(server, agent)
        converse(*world, world[1].follow(one.message), one.at)


def _state(patch: AgentPatch) -> AgentPatch:
    """What is believed, without what tells of the number of messages and of who brought a component tree."""
    named = patch.components
    components = Components(named.hash) if isinstance(named, Components) else named
    return replace(patch, facts=(), epoch=0, sequence_num=None, components=components)


def _history(patch: AgentPatch) -> dict[FactKind, list[Fact]]:
    """What happened, kind by kind: facts of two kinds may change places, and with them their times."""
    kinds: dict[FactKind, list[Fact]] = {}
    for fact in patch.facts:
        kinds.setdefault(fact.kind, []).append(replace(fact, at=patch.seen_at))
    return kinds
