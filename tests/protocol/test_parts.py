"""Parts are counted before they are made (A5), and none that the library would make is overlooked."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import DecodeError, Message
from hypothesis import given, settings
from hypothesis import strategies as st

from opamp.proto.opamp_pb2 import AgentToServer
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.framing import decode_body, decode_frame
from opamp.protocol.limits import Limits
from opamp.protocol.parts import UNCOUNTED_BYTES, count_parts
from opamp.protocol.varint import varint
from tests.fuzz import inputs
from tests.fuzz.extremes import FLOODS, extremes
from tests.fuzz.wire import block, entry, number
from tests.protocol.world import STORIES

pytestmark = pytest.mark.rule("A5")

MOST = 10**9
SMALL = UNCOUNTED_BYTES // 2


def fields(message: Message) -> int:
    """How many fields the library made of it."""
    total = 0
    for _, value in message.ListFields():
        held = (
            list(value.values()) if hasattr(value, "values") and hasattr(value, "keys") else value
        )
        many: Any = held if hasattr(held, "append") else [held]
        total += len(many) + sum(fields(one) for one in many if isinstance(one, Message))
    return total


class TestCounting:
    @pytest.mark.parametrize("name", list(STORIES))
    def test_a_real_message_has_at_least_the_fields_that_are_made_of_it(self, name: str) -> None:
        for step in STORIES[name]:
            body = step.raw[1:]
            assert fields(AgentToServer.FromString(body)) <= count_parts(body, MOST) < 3_000

    @settings(max_examples=300, deadline=None)
    @given(seed=st.integers(0, 2**64 - 1))
    def test_none_of_a_hostile_one_is_overlooked(self, seed: int) -> None:
        body = inputs.make(random.Random(seed)).body
        try:
            made = fields(AgentToServer.FromString(body))
            assert made <= count_parts(body, MOST)
        except (DecodeError, MalformedMessage):
            return

    @pytest.mark.parametrize(
        "name",
        [
            name
            for name in extremes()
            if not name.startswith(("100000", "the same")) and "wide" not in name
        ],
    )
    def test_nor_of_an_extreme_one(self, name: str) -> None:
        body = inputs.head(1) + extremes()[name]
        try:
            made = fields(AgentToServer.FromString(body))
            assert made <= count_parts(body, MOST)
        except (DecodeError, MalformedMessage):
            return

    @pytest.mark.parametrize(
        ("body", "parts"),
        [
            (b"", 0),
            (number(2, 300) + block(1, bytes(16)), 2),
            (block(5, entry(6, b"a", b"") * 3), 10),
            (b"\xaa\x00\x02\x32\x00", 2),  # a tag in more bytes than it needs
            (block(200, block(1, b"x")) + b"\x09" + bytes(8) + b"\x0d" + bytes(4), 3),
        ],
    )
    def test_each_field_counts_and_what_is_no_message_is_one(self, body: bytes, parts: int) -> None:
        assert count_parts(body, MOST) == parts

    def test_it_stops_at_one_too_many(self) -> None:
        assert count_parts(number(2, 1) * 1_000, 10) == 11


class TestTooMany:
    @pytest.mark.parametrize("name", list(FLOODS))
    @pytest.mark.parametrize("decode", [decode_body, lambda data: decode_frame(b"\0" + data)])
    def test_they_are_refused_before_they_are_made(
        self, name: str, decode: Callable[[bytes], AgentToServer]
    ) -> None:
        body = FLOODS[name](inputs.UID, Limits().parts + 1)
        with pytest.raises(MalformedMessage, match="more than 80000 parts") as caught:
            decode(body)
        assert caught.value.limit == "parts"

    def test_so_many_are_read(self) -> None:
        body = block(5, b"\x32\x00" * (Limits().parts - 1))
        assert decode_body(body).HasField("health")

    def test_a_short_message_is_not_counted(self) -> None:
        body = block(5, b"\x32\x00" * (SMALL - 10))
        assert decode_body(body, most_parts=5).HasField("health")

    def test_a_group_is_refused_in_what_is_counted(self) -> None:
        group = varint(99 << 3 | 3) + varint(99 << 3 | 4)
        with pytest.raises(MalformedMessage, match="group"):
            decode_body(block(98, bytes(UNCOUNTED_BYTES)) + group)

    def test_all_that_the_other_limits_allow_together_are_read(self) -> None:
        """A health tree and components of as many parts as may be, each with all of its fields."""
        part = (
            number(1, 1) + b"\x11" + bytes(8) + block(3, b"e") + block(4, b"s") + b"\x29" + bytes(8)
        )
        health = b"".join(entry(6, b"%d" % one, part) for one in range(4_096))
        metadata = block(1, block(1, b"k") + block(2, block(1, b"v")))
        tree = b"".join(entry(1, b"%d" % one, metadata) for one in range(4_096))
        attribute = block(1, block(1, b"k") + block(2, block(1, b"v")))
        body = block(5, health) + block(14, tree) + block(3, attribute * 512)
        assert len(decode_body(body).health.component_health_map) == 4_096
        assert count_parts(body, MOST) < Limits().parts
