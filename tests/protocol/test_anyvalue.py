"""AnyValues of every type, and what a JSON store cannot hold (H2)."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opamp.proto.anyvalue_pb2 import AnyValue, ArrayValue
from opamp.protocol.anyvalue import clean, from_json, to_json
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.limits import Limits

pytestmark = pytest.mark.rule("H2")

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc.", min_size=1, max_size=5), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(value=values)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert to_json(from_json(value), Limits()) == value


def test_bytes_become_base64_and_come_back() -> None:
    value = AnyValue(bytes_value=b"\x00\xff")
    assert to_json(value, Limits()) == {"bytes": "AP8="}
    assert from_json({"bytes": "AP8="}) == value
    assert from_json({"bytes": "no base64!"}).kvlist_value.values[0].key == "bytes"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_double_that_json_cannot_say_becomes_text(number: float) -> None:
    assert to_json(AnyValue(double_value=number), Limits()) == str(number)


def test_nul_characters_are_replaced() -> None:
    assert clean("a\x00b") == "a\ufffdb"
    assert to_json(AnyValue(string_value="\x00"), Limits()) == "\ufffd"


def test_a_value_nested_too_deep_is_refused() -> None:
    value = AnyValue(int_value=1)
    for _ in range(20):
        value = AnyValue(array_value=ArrayValue(values=[value]))
    with pytest.raises(MalformedMessage, match="16 levels"):
        to_json(value, Limits())
