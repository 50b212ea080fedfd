"""Whole stories of real supervisors, replayed: undisturbed, with losses, repeats and server crashes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from agents.snapshot import Components, ConfigStatus, FactKind
from opamp.proto import opamp_pb2 as pb
from tests.protocol.world import (
    COMPONENTS,
    FULL_STATE,
    NAMES,
    STORIES,
    Agent,
    Recorded,
    Server,
    check_belief,
    converse,
    server_for,
    settle,
)

Fate = Callable[[Server, Agent, pb.AgentToServer, datetime], None]
AFTERMATH = 4
"""So many messages follow a mishap before the belief is looked at."""


def lost(server: Server, agent: Agent, message: pb.AgentToServer, now: datetime) -> None:
    """The message never arrives."""


def repeated(server: Server, agent: Agent, message: pb.AgentToServer, now: datetime) -> None:
    converse(server, agent, message, now)
    converse(server, agent, message, now)


def server_restarts(server: Server, agent: Agent, message: pb.AgentToServer, now: datetime) -> None:
    """All is stored, then the process ends; the message reaches the next one."""
    server.flush()
    server.crash()
    converse(server, agent, message, now)


def flush_lost(server: Server, agent: Agent, message: pb.AgentToServer, now: datetime) -> None:
    """The message was answered, and what it said died with the process."""
    server.flush()
    server.take(message, now)
    server.crash()


def reply_lost(server: Server, agent: Agent, message: pb.AgentToServer, now: datetime) -> None:
    """What the message said is stored; the answer, with all that it asked for, is lost."""
    server.take(message, now)
    server.flush()
    server.crash()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.rule("C1", "C2", "C3", "M1", "H1", "H2", "R5", "R6")
def test_a_recorded_story_is_believed_at_every_step_without_asking_more_than_needed(
    name: str,
) -> None:
    server, agent = server_for(name), Agent.of(STORIES[name])
    for step in STORIES[name]:
        outcome = converse(server, agent, agent.follow(step.message), step.at)
        assert outcome.reply.instance_uid == step.message.instance_uid
        server.flush()
        check_belief(server, agent)
    rekeyed = 1 if name.startswith("ws") else 0
    assert server.asked == rekeyed  # only the new uid is unknown to the server


@pytest.mark.parametrize("fate", [lost, repeated, server_restarts, flush_lost, reply_lost])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.rule("C2", "C3", "I1", "I2")
def test_a_mishap_at_any_message_leaves_the_belief_true_in_the_end(name: str, fate: Fate) -> None:
    story = STORIES[name]
    world = (server_for(name), Agent.of(story))
    for position, step in enumerate(story):
        server, agent = world[0].fork(), world[1].fork()
        fate(server, agent, agent.follow(step.message), step.at)
        rest = story[position + 1 : position + 1 + AFTERMATH]
        now = step.at
        for later in rest:
            now = later.at
            converse(server, agent, agent.follow(later.message), now)
        settle(server, agent, now)
        check_belief(server, agent)
        converse(*world, world[1].follow(step.message), step.at)


@pytest.mark.parametrize("fate", [lost, repeated, server_restarts, flush_lost, reply_lost])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.rule("C2", "C3", "I1", "I2")
def test_a_whole_story_with_one_mishap_at_any_message_ends_with_a_true_belief(
    name: str, fate: Fate
) -> None:
    story = STORIES[name]
    world = (server_for(name), Agent.of(story))
    for position, step in enumerate(story):
        server, agent = world[0].fork(), world[1].fork()
        fate(server, agent, agent.follow(step.message), step.at)
        for later in story[position + 1 :]:
            converse(server, agent, agent.follow(later.message), later.at)
        settle(server, agent, story[-1].at)
        check_belief(server, agent)
        converse(*world, world[1].follow(step.message), step.at)


@pytest.mark.parametrize("fate", [lost, repeated, server_restarts, flush_lost, reply_lost])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.rule("C2", "C3", "I1", "I2")
def test_a_story_in_which_every_message_has_a_mishap_ends_with_a_true_belief(
    name: str, fate: Fate
) -> None:
    server, agent = server_for(name), Agent.of(STORIES[name])
    for step in STORIES[name]:
        fate(server, agent, agent.follow(step.message), step.at)
    settle(server, agent, STORIES[name][-1].at + timedelta(seconds=31))
    check_belief(server, agent)


@pytest.mark.rule("R5")
def test_the_history_of_a_rollback_is_kept_in_order() -> None:
    facts = _remote_config_facts(STORIES["ws-0.158.0-rollback"])
    bad = next(hash_ for status, hash_ in facts if status is ConfigStatus.FAILED)
    first = facts.index((ConfigStatus.APPLYING, bad))
    good = facts[first - 1][1]
    assert facts[first : first + 3] == [
        (ConfigStatus.APPLYING, bad),
        (ConfigStatus.FAILED, bad),
        (ConfigStatus.APPLIED, good),
    ]


@pytest.mark.rule("H1")
def test_the_empty_health_after_a_client_restart_keeps_the_last_known_one() -> None:
    server, agent = Server(), Agent.of(STORIES["ws-0.149.0"])
    before = None
    for step in STORIES["ws-0.149.0"]:
        converse(server, agent, agent.follow(step.message), step.at)
        server.flush()
        health = server.stored[_uid(agent)].health
        if step.message.sequence_num == 0 and before is not None:
            assert agent.truth.health == pb.ComponentHealth()
            assert health == before
            return
        before = health
    raise AssertionError("the story has no client restart")


@pytest.mark.rule("C4")
def test_components_are_asked_for_once_and_not_again_by_the_next_agent() -> None:
    server = Server()
    story = STORIES["ws-0.158.0-rollback"]
    agent = Agent.of(story)
    first = server.take(agent.follow(story[0].message), story[0].at)
    assert first.reply.flags == COMPONENTS
    server.take(agent.say_components(), story[0].at)
    server.flush()
    other = pb.AgentToServer()
    other.CopyFrom(story[0].message)
    other.instance_uid = b"another agent 16"
    assert server.take(other, story[0].at).reply.flags == 0


@pytest.mark.rule("C4")
def test_the_tree_of_an_agent_that_was_asked_counts_for_it_when_another_told_the_same_meanwhile() -> (
    None
):
    """Its row has no tree until it is stored that this agent has it, whoever told it first."""
    server = Server()
    story = STORIES["ws-0.158.0-rollback"]
    first, other = Agent.of(story), Agent.of(story)
    others_words = pb.AgentToServer()
    others_words.CopyFrom(story[0].message)
    others_words.instance_uid = b"another agent 16"
    for agent, words in ((first, story[0].message), (other, others_words)):
        assert server.take(agent.follow(words), story[0].at).reply.flags == COMPONENTS
    server.flush()
    server.take(first.say_components(), story[0].at)
    server.flush()
    outcome = server.take(other.say_components(), story[0].at)
    assert outcome.patch is not None
    assert isinstance(outcome.patch.components, Components)
    assert outcome.patch.components.tree is None


@pytest.mark.rule("D1")
@pytest.mark.parametrize("name", NAMES[:3])
def test_the_goodbye_of_a_supervisor_is_noticed_at_once(name: str) -> None:
    server, agent = Server(), Agent.of(STORIES[name])
    for step in STORIES[name]:
        outcome = converse(server, agent, agent.follow(step.message), step.at)
    assert outcome.close is not None
    assert outcome.patch is not None
    assert outcome.patch.disconnected_at == STORIES[name][-1].at
    assert outcome.patch.facts[-1].kind is FactKind.DISCONNECTED


def test_messages_under_way_are_not_taken_for_the_full_state() -> None:
    """A supervisor repeats its description in ordinary changes; they may cross our question."""
    story = STORIES["ws-0.158.0-rollback"]
    server, agent = Server(), Agent.of(story)
    for step in story[:16]:
        converse(server, agent, agent.follow(step.message), step.at)
    agent.follow(story[16].message)  # lost
    now = story[17].at
    assert server.take(agent.follow(story[17].message), now).reply.flags == FULL_STATE
    for step in story[18:25]:  # among them a description with health and effective configuration
        outcome = server.take(agent.follow(step.message), now)
        assert outcome.patch is not None
        assert outcome.patch.sequence_num is None
    outcome = server.take(agent.say_all(), now + timedelta(seconds=1))
    assert outcome.patch is not None
    assert outcome.patch.sequence_num == agent.number - 1
    server.flush()
    check_belief(server, agent)


def _uid(agent: Agent) -> UUID:
    return UUID(bytes=agent.uid)


def _remote_config_facts(story: list[Recorded]) -> list[tuple[ConfigStatus, str]]:
    server, agent = Server(), Agent.of(story)
    facts = []
    for step in story:
        outcome = converse(server, agent, agent.follow(step.message), step.at)
        assert outcome.patch is not None
        facts += [
            (fact.remote_config.status, fact.remote_config.hash)
            for fact in outcome.patch.facts
            if fact.kind is FactKind.REMOTE_CONFIG and fact.remote_config
        ]
    return facts
