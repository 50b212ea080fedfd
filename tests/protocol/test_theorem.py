"""The theorem of status compression: whatever is lost, the belief ends equal to the agent's last state."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.snapshot import Capability, Transport
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.anyvalue import attributes_from_json
from tests.protocol.world import START, TREES, Agent, Server, check_belief, converse, settle

UID = bytes(range(16))
TREE = next(iter(TREES.values()))
BASE = Capability.REPORTS_STATUS | Capability.ACCEPTS_REMOTE_CONFIG
ALL = BASE | sum(
    (
        Capability.REPORTS_HEALTH,
        Capability.REPORTS_EFFECTIVE_CONFIG,
        Capability.REPORTS_REMOTE_CONFIG,
        Capability.REPORTS_AVAILABLE_COMPONENTS,
    ),
    Capability(0),
)
MISHAPS = ("none", "none", "none", "lost", "repeated", "crash", "flush_lost", "reply_lost", "flush")


def description(value: int) -> pb.AgentDescription:
    attributes = attributes_from_json({"service.name": "otelcol", "value": value})
    return pb.AgentDescription(identifying_attributes=attributes)


def effective(value: int) -> pb.EffectiveConfig:
    config = pb.EffectiveConfig()
    config.config_map.config_map[""].body = b"receivers: %d" % value
    return config


@st.composite
def deltas(draw: st.DrawFn) -> pb.AgentToServer:
    """What an agent may say next, nothing included."""
    value = draw(st.integers(0, 3))
    delta = pb.AgentToServer()
    if draw(st.booleans()):
        delta.agent_description.CopyFrom(description(value))
    if draw(st.booleans()):
        delta.health.CopyFrom(pb.ComponentHealth(healthy=value > 1, status=f"Status{value}"))
    if draw(st.booleans()):
        delta.effective_config.CopyFrom(effective(value))
    if draw(st.booleans()):
        status = pb.RemoteConfigStatus(last_remote_config_hash=b"h%d" % value, status=value)  # type: ignore[arg-type]  # any enum number
        delta.remote_config_status.CopyFrom(status)
    return delta


steps = st.lists(
    st.tuples(deltas(), st.sampled_from(MISHAPS), st.integers(0, 40), st.integers(0, 11)),
    max_size=25,
)


def begin(agent: Agent, *, minimal: bool) -> pb.AgentToServer:
    """A client's start: number 0, all it has, and nothing kept of its last life but the identity."""
    agent.number = 0
    agent.truth = pb.AgentToServer(agent_description=description(9))
    if not minimal:
        agent.truth.health.SetInParent()
        agent.truth.remote_config_status.SetInParent()
        agent.truth.effective_config.CopyFrom(effective(9))
        agent.truth.available_components.hash = TREE.hash
        agent.full_tree.CopyFrom(TREE)
    return agent.say(agent.truth)


def suffer(
    server: Server, agent: Agent, message: pb.AgentToServer, mishap: str, now: datetime
) -> None:
    if mishap == "lost":
        return
    if mishap == "crash":
        server.crash()
    if mishap in {"flush_lost", "reply_lost"}:
        server.take(message, now)
        if mishap == "reply_lost":
            server.flush()
        server.crash()
        if server.transport is Transport.WEBSOCKET:
            return  # over HTTP the client gets no answer and sends the same message again
    converse(server, agent, message, now)
    if mishap == "repeated":
        converse(server, agent, message, now)
    if mishap == "flush":
        server.flush()


def _possible(mishap: str, restarts: bool, transport: Transport, minimal: bool) -> str:
    """What the theorem leaves out, since no server can tell it apart.

    A client's new life whose beginning is lost may reach, by chance, the number that comes next. And
    over plain HTTP a retried description of a client that announces nothing looks like an answer.
    """
    if restarts and mishap in {"lost", "flush_lost", "reply_lost", "crash", "none", "repeated"}:
        return "flush"
    if minimal and transport is Transport.HTTP and mishap in {"flush_lost", "reply_lost"}:
        return "crash"
    return mishap


@pytest.mark.rule("C1", "C2", "C3", "I1", "I2")
@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize("minimal", [False, True], ids=["supervisor", "minimal client"])
@settings(max_examples=60, deadline=None)
@given(steps=steps)
def test_after_losses_and_crashes_the_belief_equals_the_last_full_state(
    transport: Transport,
    minimal: bool,
    steps: list[tuple[pb.AgentToServer, str, int, int]],
) -> None:
    server, agent, now = Server(transport), Agent(UID), START
    agent.capabilities = int(BASE if minimal else ALL)
    converse(server, agent, begin(agent, minimal=minimal), now)
    for delta, mishap, seconds, restart in steps:
        now += timedelta(seconds=seconds)
        message = begin(agent, minimal=minimal) if restart == 0 else agent.say(delta)
        suffer(server, agent, message, _possible(mishap, restart == 0, transport, minimal), now)
    settle(server, agent, now)
    check_belief(server, agent)


@pytest.mark.rule("C2")
@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 5), min_size=5, max_size=40),
    transport=st.sampled_from(list(Transport)),
)
def test_a_client_that_cannot_count_is_asked_at_most_once_in_30_seconds_after_an_answer(
    numbers: list[int], transport: Transport
) -> None:
    server, agent, now = Server(transport), Agent(UID), START
    agent.capabilities = int(ALL)
    converse(server, agent, begin(agent, minimal=False), now)
    asked = server.asked
    for number in numbers:
        agent.number = number + 1
        now += timedelta(seconds=1)
        converse(server, agent, agent.beat(), now)
    assert server.asked - asked <= 1 + len(numbers) // 30
