"""Commands to agents and custom messages: only what was announced, and a restart carries nothing else."""

from typing import Any

import pytest

from agents.commands import Message, Restart
from agents.snapshot import KEPT_MESSAGES, AgentPatch, AgentSnapshot, Capability
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.limits import Limits
from opamp.protocol.session import AgentSession
from tests.factories import at
from tests.opamp.fakes import UID

RESTARTS = int(Capability.REPORTS_STATUS | Capability.ACCEPTS_RESTART_COMMAND)
PING = "io.example.ping/1.0"


def session(*, capabilities: int = RESTARTS, custom: tuple[str, ...] = ()) -> AgentSession:
    known = AgentSnapshot(
        UID, 1, sequence_num=0, capabilities=capabilities, is_new=False, custom_capabilities=custom
    )
    return AgentSession(known, Limits())


def message(number: int, **fields: Any) -> pb.AgentToServer:
    return pb.AgentToServer(instance_uid=UID.bytes, sequence_num=number, **fields)


def says(capability: str, *, kind: str = "pong", data: bytes = b"1") -> pb.CustomMessage:
    return pb.CustomMessage(capability=capability, type=kind, data=data)


def announces(*capabilities: str) -> pb.CustomCapabilities:
    return pb.CustomCapabilities(capabilities=capabilities)


def kept(patch: AgentPatch | None) -> list[str]:
    return [] if patch is None else [said.capability for said in patch.messages]


@pytest.mark.rule("K1")
class TestRestart:
    def test_a_restart_carries_nothing_but_whom_it_is_for(self) -> None:
        told = session().make_command(Restart())
        assert told is not None
        assert [field.name for field, _ in told.ListFields()] == ["instance_uid", "command"]
        assert told.command.type == pb.CommandType.CommandType_Restart

    def test_only_an_agent_that_accepts_restarts_is_told(self) -> None:
        assert session(capabilities=int(Capability.REPORTS_STATUS)).make_command(Restart()) is None

    def test_a_capability_that_is_given_up_counts_at_once(self) -> None:
        agent = session()
        agent.receive(message(1, capabilities=1), at())
        assert agent.make_command(Restart()) is None

    def test_who_has_left_is_told_nothing(self) -> None:
        agent = session()
        agent.receive(message(1, agent_disconnect=pb.AgentDisconnect()), at())
        assert agent.make_command(Restart()) is None


@pytest.mark.rule("K2")
class TestCustomMessages:
    def test_a_message_goes_out_for_an_announced_capability_alone(self) -> None:
        agent = session()
        assert agent.make_command(Message(PING, "ping", b"1")) is None
        agent.receive(message(1, custom_capabilities=announces(PING)), at())
        told = agent.make_command(Message(PING, "ping", b"\x00\xff"))
        assert told is not None
        assert told.custom_message == says(PING, kind="ping", data=b"\x00\xff")
        assert agent.make_command(Message("io.example.other", "ping", b"1")) is None

    def test_what_was_announced_before_this_session_still_counts(self) -> None:
        agent = session(custom=(PING,))
        assert agent.make_command(Message(PING, "", b"")) is not None
        assert kept(agent.receive(message(1, custom_message=says(PING)), at()).patch) == [PING]

    def test_a_message_for_an_unknown_capability_is_ignored_and_no_error(self) -> None:
        outcome = session(custom=(PING,)).receive(message(1, custom_message=says("other")), at())
        assert kept(outcome.patch) == []
        assert not outcome.reply.HasField("error_response")

    def test_capabilities_and_their_message_may_come_together(self) -> None:
        both = message(1, custom_capabilities=announces(PING), custom_message=says(PING))
        assert kept(session().receive(both, at()).patch) == [PING]

    def test_capabilities_that_are_given_up_count_at_once(self) -> None:
        agent = session(custom=(PING,))
        agent.receive(message(1, custom_capabilities=announces()), at())
        assert kept(agent.receive(message(2, custom_message=says(PING)), at()).patch) == []

    def test_of_a_long_message_the_beginning_is_kept(self) -> None:
        most = Limits().custom_message_bytes
        long = says(PING, data=b"x" * (most + 1))
        patch = session(custom=(PING,)).receive(message(1, custom_message=long), at()).patch
        assert patch is not None
        assert (len(patch.messages[0].data), patch.messages[0].size) == (most, most + 1)

    def test_a_flood_is_kept_to_its_last_messages_while_it_waits(self) -> None:
        agent = session(custom=(PING,))
        merged: AgentPatch | None = None
        for number in range(1, 100):
            said = says(PING, kind=str(number))
            patch = agent.receive(message(number, custom_message=said), at(number)).patch
            assert patch is not None
            assert not patch.is_heartbeat
            merged = merged.merge(patch) if merged else patch
        assert merged is not None
        assert [said.type for said in merged.messages] == [
            str(n) for n in range(100 - KEPT_MESSAGES, 100)
        ]
