"""AnyValue and JSON values (H2): strings, bools, numbers, lists and objects; bytes as {"bytes": base64}.

What a JSON store cannot hold is replaced: NUL characters, and doubles that are no numbers ("NaN").
"""

import base64
import binascii
import math
from collections.abc import Iterable, Mapping
from typing import Any, AnyStr

from opamp.proto.anyvalue_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.limits import Limits

_REPLACEMENT = "\ufffd"


def clean(text: str) -> str:
    """The text without NUL characters, which no database column takes."""
    return text.replace("\x00", _REPLACEMENT) if "\x00" in text else text


def cut(text: str, longest: int) -> str:
    """The text, without its middle when it is too long: errors begin and end with what matters."""
    if len(text) <= longest:
        return clean(text)
    note = f"\n[{len(text) - longest} characters left out]\n"
    half = longest // 2
    return clean(text[:half]) + note + clean(text[-half:])


class AttributeReader:
    """Reads attribute lists into JSON objects; one reader's limits cover all that it reads.

    most: how many values it reads, if not limits.attributes.
    """

    __slots__ = ("_left", "_limits", "_most")

    def __init__(self, limits: Limits, *, most: int | None = None) -> None:
        self._limits = limits
        self._most = self._left = limits.attributes if most is None else most

    def read(self, attributes: Iterable[KeyValue], depth: int = 1) -> dict[str, Any]:
        """The attributes by key; a later one of the same key wins. Raises MalformedMessage."""
        return {self._text(entry.key): self._value(entry.value, depth) for entry in attributes}

    def _value(self, value: AnyValue, depth: int) -> Any:
        self._count(depth)
        kind = value.WhichOneof("value")
        if kind == "string_value":
            return self._text(value.string_value)
        if kind == "bytes_value":
            return {"bytes": base64.b64encode(self._sized(value.bytes_value)).decode()}
        if kind == "array_value":
            return [self._value(item, depth + 1) for item in value.array_value.values]
        if kind == "kvlist_value":
            return self.read(value.kvlist_value.values, depth + 1)
        if kind == "double_value":
            number = value.double_value
            return number if math.isfinite(number) else str(number)
        return getattr(value, kind) if kind else None

    def _count(self, depth: int) -> None:
        self._left -= 1
        if self._left < 0:
            raise MalformedMessage(
                f"The message holds more than {self._most} attributes in one part.",
                limit="attributes",
            )
        if depth > self._limits.value_depth:
            raise MalformedMessage(
                f"An attribute is nested more than {self._limits.value_depth} levels deep.",
                limit="attributes",
            )

    def _text(self, text: str) -> str:
        return clean(self._sized(text))

    def _sized(self, value: AnyStr) -> AnyStr:
        if len(value) > self._limits.attribute_length:
            raise MalformedMessage(
                f"An attribute is longer than {self._limits.attribute_length} characters.",
                limit="attributes",
            )
        return value


def to_json(value: AnyValue, limits: Limits) -> Any:
    """One AnyValue as a JSON value. Raises MalformedMessage when it is over the limits."""
    return AttributeReader(limits).read([KeyValue(key="", value=value)])[""]


def from_json(value: Any) -> AnyValue:
    """A JSON value as an AnyValue: what to_json makes of an AnyValue leads back to it."""
    if value is None:
        return AnyValue()
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[from_json(item) for item in value]))
    raw = _bytes_of(value)
    if raw is not None:
        return AnyValue(bytes_value=raw)
    return AnyValue(kvlist_value=KeyValueList(values=attributes_from_json(value)))


def attributes_from_json(attributes: Mapping[str, Any]) -> list[KeyValue]:
    """An attribute list from a JSON object."""
    return [KeyValue(key=key, value=from_json(value)) for key, value in attributes.items()]


def _bytes_of(value: Mapping[str, Any]) -> bytes | None:
    """The bytes that {"bytes": base64} stands for, None for any other object."""
    if set(value) != {"bytes"} or not isinstance(value["bytes"], str):
        return None
    try:
        return base64.b64decode(value["bytes"], validate=True)
    except binascii.Error:
        return None
