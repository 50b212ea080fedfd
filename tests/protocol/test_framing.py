"""Frames and bodies (T2, T5), and that no bytes at all make the core fall over (M7)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.snapshot import AgentSnapshot
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.framing import decode_body, decode_frame, encode_body, encode_frame
from opamp.protocol.identity import read_instance_uid
from opamp.protocol.session import AgentSession
from tests.protocol.world import LIMITS, START, STORIES

FRAMES = [step.raw for story in STORIES.values() for step in story]


@pytest.mark.rule("T2")
class TestFrames:
    def test_nothing_after_the_header_is_an_empty_message(self) -> None:
        assert decode_frame(b"\x00") == pb.AgentToServer()

    def test_a_long_zero_is_still_zero(self) -> None:
        assert decode_frame(b"\x80\x80\x00\x10\x05").sequence_num == 5

    @pytest.mark.parametrize(
        ("frame", "problem"),
        [
            (b"", "empty"),
            (b"\x01\x10\x05", "header is 1"),
            (b"\x80", "varint"),
            (b"\xff" * 12, "varint"),
            (b"\x00\x0a\x10short", "not a valid AgentToServer"),
            (b"\x00\x2a\x04\x22\x02\xff\xfe", "not a valid AgentToServer"),
        ],
    )
    @pytest.mark.rule("M7")
    def test_a_malformed_frame_is_refused_with_a_reason(self, frame: bytes, problem: str) -> None:
        with pytest.raises(MalformedMessage, match=problem):
            decode_frame(frame)

    def test_a_frame_is_the_header_and_the_body(self) -> None:
        message = pb.ServerToAgent(instance_uid=b"x" * 16, flags=1)
        assert encode_frame(message) == b"\x00" + encode_body(message)

    @pytest.mark.rule("T5")
    def test_an_http_body_has_no_header(self) -> None:
        body = pb.AgentToServer(sequence_num=3).SerializeToString()
        assert decode_body(body).sequence_num == 3


def speak(data: bytes) -> None:
    """Decode and receive; only MalformedMessage and BAD_REQUEST may come of it."""
    try:
        message = decode_frame(data)
        uid = read_instance_uid(message)
    except MalformedMessage:
        return
    outcome = AgentSession(AgentSnapshot(uid, 1), LIMITS).receive(message, START)
    if outcome.reply.HasField("error_response"):
        assert outcome.patch is None
        assert outcome.reply.error_response.error_message
    else:
        assert outcome.patch is not None
    encode_frame(outcome.reply)


@pytest.mark.rule("M7", "M8")
@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200), headed=st.booleans())
def test_random_bytes_are_answered_or_refused(data: bytes, headed: bool) -> None:
    speak(b"\x00" + data if headed else data)


@pytest.mark.rule("M7", "M8")
@settings(max_examples=200, deadline=None)
@given(
    frame=st.sampled_from(FRAMES),
    changes=st.lists(st.tuples(st.integers(0, 6_200), st.integers(0, 255)), max_size=4),
    end=st.integers(0, 6_200),
)
def test_damaged_recordings_are_answered_or_refused(
    frame: bytes, changes: list[tuple[int, int]], end: int
) -> None:
    damaged = bytearray(frame)
    for place, byte in changes:
        damaged[place % len(damaged)] = byte
    speak(bytes(damaged[: end or None]))
