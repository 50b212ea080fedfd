"""One text or bytes field of an AgentToServer made as long as a message may be, whichever it is."""

from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from opamp.proto.opamp_pb2 import AgentToServer
from tests.fuzz.inputs import UID

Path = tuple[str, ...]
_TEXTS: Final = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
_OWN: Final = ("instance_uid",)


def texts() -> list[Path]:
    """The paths to all fields that hold a text or bytes, keys of maps too; within itself a kind of message is not
    looked into again.
    """
    return [path for path in _texts(AgentToServer.DESCRIPTOR, ()) if path != _OWN]


def with_long_text(path: Path, length: int) -> AgentToServer:
    """A message that has so many bytes at this path and as little as possible beside."""
    message = AgentToServer(instance_uid=UID, sequence_num=1, capabilities=1)
    message.agent_description.SetInParent()
    _put(message, path, length)
    return message


def _texts(kind: Any, outer: tuple[str, ...]) -> Iterator[Path]:
    if kind.full_name in outer:
        return
    for field in kind.fields:
        if field.type in _TEXTS:
            yield (field.name,)
        elif field.message_type is not None:
            for path in _texts(field.message_type, (*outer, kind.full_name)):
                yield (field.name, *path)


def _put(message: Any, path: Path, length: int) -> None:
    field, rest = message.DESCRIPTOR.fields_by_name[path[0]], path[1:]
    text: str | bytes = "x" * length
    if field.type == FieldDescriptor.TYPE_BYTES:
        text = b"x" * length
    if not rest:
        if field.is_repeated:
            getattr(message, field.name).append(text)
        else:
            setattr(message, field.name, text)
    elif field.message_type.GetOptions().map_entry:
        _put_entry(getattr(message, field.name), field.message_type, rest, length)
    elif field.is_repeated:
        _put(getattr(message, field.name).add(), rest, length)
    else:
        inner = getattr(message, field.name)
        inner.SetInParent()
        _put(inner, rest, length)


def _put_entry(entries: Any, kind: Any, path: Path, length: int) -> None:
    if path[0] == "key":
        is_of_messages = kind.fields_by_name["value"].message_type is not None
        if is_of_messages:
            entries["x" * length].SetInParent()
        else:
            entries["x" * length] = ""
    elif len(path) == 1:
        entries["k"] = "x" * length
    else:
        _put(entries["k"], path[1:], length)
