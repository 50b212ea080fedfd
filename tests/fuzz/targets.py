"""What may come of hostile input, for each door it can come in by. Everything else is a finding."""

import random
import zlib
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import DecodeError

from agents.snapshot import AgentPatch, AgentSnapshot, Transport
from opamp.body import read_body
from opamp.errors import BadBody
from opamp.proto.anyvalue_pb2 import AnyValue
from opamp.proto.opamp_pb2 import AgentToServer, ComponentHealth, ServerErrorResponseType
from opamp.protocol.anyvalue import from_json, to_json
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.framing import decode_body, decode_frame, encode_frame
from opamp.protocol.health import read_health, read_tree
from opamp.protocol.identity import read_instance_uid
from opamp.protocol.session import AgentSession
from tests.fuzz.inputs import UID
from tests.protocol.world import LIMITS, START

AGENT: Final = UUID(bytes=UID)
BAD_REQUEST: Final = ServerErrorResponseType.ServerErrorResponseType_BadRequest
BODY_BYTES: Final = 64 * 1024
LIFETIME: Final = 5_000
"""So many messages a session of the targets lives."""

Target = Callable[[bytes], str]
"""Takes a message's bytes; answers what came of it, in a word."""


class LongSession:
    """One session for many messages, as a connection has it; a new one now and then."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._messages = 0
        self.session = self._begin()

    def __call__(self, body: bytes) -> str:
        """A WebSocket message or an HTTP body."""
        patch = self.take(body)
        return "refused" if patch is None else "taken"

    def take(self, body: bytes) -> AgentPatch | None:
        """What is to be stored of this message, None when it was refused in words."""
        self._messages += 1
        if self._messages % LIFETIME == 0:
            self.session = self._begin()
        try:
            message = decode_frame(b"\x00" + body)
            read_instance_uid(message)
        except MalformedMessage as problem:
            check_words(str(problem))
            return None
        return self.answer(message)

    def answer(self, message: AgentToServer) -> AgentPatch | None:
        """The same of a message that is decoded."""
        outcome = self.session.receive(message, self.now)
        if outcome.reply.HasField("error_response"):
            assert outcome.patch is None
            assert outcome.reply.error_response.type == BAD_REQUEST
            check_words(outcome.reply.error_response.error_message)
            assert len(outcome.reply.ListFields()) <= 2
        else:
            assert outcome.patch is not None
            assert outcome.reply.instance_uid == UID
        assert len(encode_frame(outcome.reply)) < 500
        return outcome.patch

    @property
    def now(self) -> datetime:
        """The time of the last message: one each second."""
        return START + timedelta(seconds=self._messages)

    def _begin(self) -> AgentSession:
        known = AgentSnapshot(AGENT, 1 + self._messages, transport=self._transport)
        return AgentSession(known, LIMITS, stored_components=frozenset())


def check_words(text: str) -> None:
    """A refusal says something, briefly, and nothing of what is inside the server."""
    assert 0 < len(text) < 300
    assert not any(word in text for word in ("Error", "Traceback", "google", "upb"))


def framing(data: bytes) -> str:
    """The bytes as a whole WebSocket message, header and all."""
    try:
        decode_frame(data)
    except MalformedMessage as problem:
        check_words(str(problem))
        return "refused"
    return "taken"


def attribute(data: bytes) -> str:
    """The bytes as an AnyValue: what is taken can be said in JSON and leads back to itself."""
    try:
        value = AnyValue.FromString(data)
        said = to_json(value, LIMITS)
    except (DecodeError, MalformedMessage):
        return "refused"
    assert to_json(from_json(said), LIMITS) == said
    return "taken"


def health_tree(data: bytes) -> str:
    """The bytes as a ComponentHealth: what was taken can be read whole."""
    try:
        health = read_health(ComponentHealth.FromString(data), LIMITS)
    except (DecodeError, MalformedMessage):
        return "refused"
    assert read_tree(health.report) == health
    return "taken"


def inflating(packed: bytes) -> bytes:
    """A packed body of any size that may be, as the endpoint reads it."""
    headers = [(b"content-encoding", b"gzip")]
    return finish(
        read_body(headers, _in_parts(packed, random.Random(1)), most=LIMITS.message_bytes)
    )


class PostBody:
    """The bytes as an HTTP body: gzipped or not, whole or damaged, in parts of any size."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def __call__(self, data: bytes) -> str:
        """Read it as the endpoint does, and decode what came out."""
        rng, headers = self._rng, []
        if rng.random() < 0.7:
            headers = [(b"content-encoding", b"gzip")]
            data = self._damaged(pack(data)) if rng.random() < 0.9 else data
        try:
            body = finish(read_body(headers, _in_parts(data, rng), most=BODY_BYTES))
        except BadBody as problem:
            return _known(problem.status)
        assert len(body) <= BODY_BYTES
        with suppress(MalformedMessage):
            decode_body(body)
        return "read"

    def _damaged(self, data: bytes) -> bytes:
        way, place = self._rng.randrange(5), self._rng.randrange(len(data))
        if way == 0:
            return data[:place]
        if way == 1:
            return data[:place] + self._rng.randbytes(3) + data[place + 3 :]
        return data + data if way == 2 else data


def _known(status: int) -> str:
    assert status in {400, 413}
    return str(status)


def pack(data: bytes) -> bytes:
    """As a client packs a body."""
    packer = zlib.compressobj(1, wbits=31)
    return packer.compress(data) + packer.flush()


def _in_parts(data: bytes, rng: random.Random) -> Callable[[], Coroutine[Any, Any, dict[str, Any]]]:
    step = rng.choice([7, 100, 1_000, 65_536]) if len(data) < 5_000 else 65_536
    parts = [data[start : start + step] for start in range(0, len(data), step)] or [b""]
    parts.reverse()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(), "more_body": bool(parts)}

    return receive


def finish(work: Coroutine[Any, Any, bytes]) -> bytes:
    """Run a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as end:
        result: bytes = end.value
        return result
    raise AssertionError("it waits for something")
