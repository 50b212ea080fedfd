"""Heartbeats that are known by their bytes: answered and believed as those that are decoded."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.snapshot import AgentPatch, AgentSnapshot, Capability
from fleets.offer import Offer
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.beats import UID as WHERE_UID
from opamp.protocol.beats import answer_to, beat_frame
from opamp.protocol.framing import decode_frame, encode_frame
from opamp.protocol.limits import Limits
from opamp.protocol.session import AgentSession
from tests.opamp.fakes import OFFER
from tests.protocol.world import LIMITS, NAMES, START, load

UID = UUID(int=1 << 100)
MASK = int(Capability.REPORTS_STATUS | Capability.ACCEPTS_REMOTE_CONFIG)
BIGGEST = 2**64 - 1


def session(**known: Any) -> AgentSession:
    return AgentSession(
        AgentSnapshot(UID, 1, **{"sequence_num": 0, "is_new": False} | known), LIMITS
    )


def beat(number: int, mask: int = MASK, **fields: Any) -> bytes:
    message = pb.AgentToServer(
        instance_uid=UID.bytes, sequence_num=number, capabilities=mask, **fields
    )
    return b"\x00" + message.SerializeToString()


@given(
    st.binary(min_size=16, max_size=16),
    st.integers(1, BIGGEST),
    st.integers(0, BIGGEST),
)
def test_the_bytes_are_those_of_the_protobuf_library(uid: bytes, number: int, mask: int) -> None:
    message = pb.AgentToServer(instance_uid=uid, sequence_num=number, capabilities=mask)
    frame = beat_frame(uid, number, mask)
    assert frame == b"\x00" + message.SerializeToString()
    assert frame[WHERE_UID] == uid
    assert answer_to(frame) == encode_frame(pb.ServerToAgent(instance_uid=uid))


class TestSession:
    def test_after_a_message_that_was_not_taken_no_heartbeat_is_foreseen(self) -> None:
        agent = session()
        agent.receive(decode_frame(beat(1)), START)
        agent.miss(decode_frame(beat(2, health=pb.ComponentHealth(healthy=True))), START)
        assert agent.hear(beat(2), START) is None
        assert agent.hear(beat(3), START) is None
        assert agent.receive(decode_frame(beat(3)), START).reply.flags

    def test_the_next_heartbeat_is_answered_by_its_bytes(self) -> None:
        agent = session()
        assert agent.hear(beat(1), START) is None
        agent.receive(decode_frame(beat(1)), START)
        for number in range(2, 300):
            assert agent.hear(beat(number), START) == answer_to(beat(number))
        assert agent.heartbeat().sequence_num == 299

    @pytest.mark.parametrize(
        "frame",
        [
            beat(1),
            beat(3),
            beat(2, MASK | int(Capability.REPORTS_HEALTH)),
            beat(2, flags=1),
            beat(2, health=pb.ComponentHealth()),
            beat(2)[1:],
            beat(2) + b"\x00",
            b"",
        ],
    )
    def test_any_other_message_is_not(self, frame: bytes) -> None:
        agent = session()
        agent.receive(decode_frame(beat(1)), START)
        assert agent.hear(frame, START) is None
        assert agent.hear(beat(2), START) is not None

    def test_none_is_foreseen_while_something_is_doubtful(self) -> None:
        agent = session()
        agent.receive(decode_frame(beat(7)), START)
        assert agent.is_full_state_outstanding
        assert agent.hear(beat(8), START) is None

    def test_none_is_foreseen_after_a_goodbye_or_the_end(self) -> None:
        agent, gone = session(), session()
        gone.receive(decode_frame(beat(1, agent_disconnect=pb.AgentDisconnect())), START)
        assert gone.hear(beat(2), START) is None
        agent.receive(decode_frame(beat(1)), START)
        agent.disconnect(START, "cut")
        assert agent.hear(beat(2), START) is None

    def test_an_agent_that_was_not_heard_has_no_heartbeat(self) -> None:
        with pytest.raises(ValueError, match="not been heard"):
            session().heartbeat()


class Twins:
    """Two sessions that hear the same; the first knows heartbeats by their bytes where it can."""

    def __init__(self, known: AgentSnapshot, limits: Limits = LIMITS) -> None:
        self.quick, self.slow = AgentSession(known, limits), AgentSession(known, limits)
        self.foreseen = 0

    def hear(self, frame: bytes, now: datetime) -> None:
        expected = self.slow.receive(decode_frame(frame), now)
        answer = self.quick.hear(frame, now)
        if answer is not None:
            self.foreseen += 1
            assert answer == encode_frame(expected.reply)
            assert self.quick.heartbeat() == expected.patch
            assert (expected.offer_due, expected.close) == (False, None)
            return
        outcome = self.quick.receive(decode_frame(frame), now)
        assert (outcome.reply, outcome.patch) == (expected.reply, expected.patch)
        assert (outcome.offer_due, outcome.close) == (expected.offer_due, expected.close)

    def do(self, name: str, *values: Any) -> None:
        assert getattr(self.quick, name)(*values) == getattr(self.slow, name)(*values)


def ends_alike(twins: Twins, now: datetime) -> AgentPatch:
    end = twins.quick.disconnect(now, "cut")
    assert end == twins.slow.disconnect(now, "cut")
    return end


STEPS = st.lists(
    st.sampled_from(["beat", "beat", "beat", "again", "gap", "mask", "full", "want", "offer"]),
    max_size=30,
)


@given(STEPS)
def test_whatever_comes_between_both_ways_lead_to_the_same(steps: Sequence[str]) -> None:
    twins = Twins(AgentSnapshot(UID, 1))
    number, mask, now = 0, MASK, START
    for step in ["full", *steps, "beat", "beat"]:
        now += timedelta(seconds=7)
        if step == "want":
            twins.do("set_desired", OFFER.hash if number % 2 else "")
            twins.do("set_settings", f"{number:02x}")
        elif step == "offer":
            twins.do("make_offer", Offer(f"{number:064x}", OFFER.files), now)
        else:
            number += {"again": 0, "gap": 2}.get(step, 1)
            mask ^= int(Capability.REPORTS_HEARTBEAT) if step == "mask" else 0
            parts = {"agent_description": pb.AgentDescription()} if step == "full" else {}
            twins.hear(beat(number, mask, **parts), now)
    ends_alike(twins, now)


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_leads_to_the_same_both_ways(name: str) -> None:
    story = load(name)
    twins = Twins(AgentSnapshot(UUID(bytes=story[0].message.instance_uid), 1))
    for said in story:
        twins.hear(said.raw, said.at)
    ends_alike(twins, said.at)
