"""Seeded hostile messages: recordings that were damaged, random bytes, extremes."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from opamp.protocol.varint import varint
from tests.fuzz.extremes import TEXTS, extremes
from tests.fuzz.wire import block, entry, nested, number
from tests.protocol.world import STORIES

UID: Final = bytes(range(1, 17))
MASK: Final = 0x7D47
_RARELY: Final = 0.004
_SHORT: Final = [text for text in TEXTS.values() if len(text) < 1_000]
_PLAIN: Final = [text for text in _SHORT if text.decode(errors="replace").encode() == text]


def _as_ours(raw: bytes) -> bytes:
    """A recorded message under the uid that the targets know."""
    uid = next(
        step.message.instance_uid for story in STORIES.values() for step in story if step.raw == raw
    )
    return raw[1:].replace(uid, UID)


RECORDED: Final = [_as_ours(step.raw) for story in STORIES.values() for step in story]


@dataclass(frozen=True, slots=True)
class Input:
    """One AgentToServer, or what is left of one, and how it was made."""

    kind: str
    body: bytes


def head(sequence_num: int) -> bytes:
    """The scalars that every message of our agent has."""
    return block(1, UID) + number(2, sequence_num) + number(4, MASK)


def make(rng: random.Random) -> Input:
    """The next input."""
    if rng.random() < _RARELY:
        name = rng.choice(list(extremes()))
        return Input(f"extreme: {name}", head(rng.randrange(50)) + extremes()[name])
    kind = rng.choice(list(_WAYS))
    return Input(kind, _WAYS[kind](rng, rng.choice(RECORDED)))


def frame(rng: random.Random) -> bytes:
    """A whole WebSocket message, more often than not with a header that is wrong."""
    headers = [b"", b"\x00", b"\x01", b"\x80\x00", b"\x80" * 9 + b"\x00", b"\x80" * 12, b"\xff" * 3]
    return rng.choice(headers) + make(rng).body


def value(rng: random.Random, depth: int = 0) -> bytes:
    """An AnyValue of any type, one in four damaged."""
    field = rng.randint(1, 7) if depth < 20 else rng.randint(1, 4)
    count = rng.randrange(4)
    if field == 5:
        made = block(5, b"".join(block(1, value(rng, depth + 1)) for _ in range(count)))
    elif field == 6:
        made = block(6, b"".join(block(1, _attribute(rng, depth + 1)) for _ in range(count)))
    elif field == 4:
        made = b"\x21" + rng.choice([rng.randbytes(8), b"\xff" * 8, bytes(6) + b"\xf0\x7f"])
    elif field in {2, 3}:
        made = number(field, rng.getrandbits(rng.choice([1, 8, 64])))
    else:
        made = block(field, _text(rng))
    return _bit_flips(rng, made) if rng.random() < 0.25 else made


def health(rng: random.Random, depth: int = 0) -> bytes:
    """A ComponentHealth with a tree below it."""
    made = number(1, rng.randrange(3)) + block(3, _text(rng)) + block(4, _text(rng))
    made += b"\x11" + rng.randbytes(8) + block(7, _attribute(rng, 10))
    for _ in range(rng.randrange(3) if depth < 18 else 0):
        made += entry(6, _text(rng), health(rng, depth + 1))
    return made


def _text(rng: random.Random) -> bytes:
    luck = rng.random()
    texts = list(TEXTS.values()) if luck < _RARELY else _SHORT if luck < 0.05 else _PLAIN
    return rng.choice(texts)


def _attribute(rng: random.Random, depth: int) -> bytes:
    return block(1, _text(rng)) + block(2, value(rng, depth))


def _untouched(rng: random.Random, body: bytes) -> bytes:
    return body


def _random(rng: random.Random, body: bytes) -> bytes:
    return rng.randbytes(rng.randrange(300))


def _headed(rng: random.Random, body: bytes) -> bytes:
    return head(rng.randrange(20)) + rng.randbytes(rng.randrange(200))


def _bit_flips(rng: random.Random, body: bytes) -> bytes:
    damaged = bytearray(body)
    for _ in range(rng.randint(1, 8)):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def _truncated(rng: random.Random, body: bytes) -> bytes:
    return body[: rng.randrange(len(body))]


def _spliced(rng: random.Random, body: bytes) -> bytes:
    other = rng.choice(RECORDED)
    return body[: rng.randrange(len(body))] + other[rng.randrange(len(other)) :]


def _joined(rng: random.Random, body: bytes) -> bytes:
    """Two messages in a row: protobuf reads them as one, fields merged."""
    return body + rng.choice(RECORDED)


def _repeated(rng: random.Random, body: bytes) -> bytes:
    start = rng.randrange(len(body))
    part = body[start : start + rng.randint(1, 200)]
    return body[:start] + part * rng.randint(2, 30) + body[start:]


def _huge_varint(rng: random.Random, body: bytes) -> bytes:
    place = rng.randrange(len(body))
    huge = varint(rng.choice([2**31, 2**32 - 1, 2**63, 2**64 - 1])) + rng.choice([b"", b"\xff" * 9])
    return body[:place] + huge + body[place + rng.randrange(3) :]


def _deeper(rng: random.Random, body: bytes) -> bytes:
    depth = rng.choice([1, 7, 8, 15, 16, 17, 40, 60, 200])
    path, field = rng.choice([([6, 2], 5), ([2, 2], 14), ([5, 1], 3), ([6, 1, 2], 3)])
    return body + block(field, nested(path, depth, rng.randbytes(rng.randrange(6))))


def _texts(rng: random.Random, body: bytes) -> bytes:
    """Printable text becomes something else of the same length."""
    damaged = bytearray(body)
    for _ in range(rng.randint(1, 20)):
        place = rng.randrange(len(damaged))
        if 0x20 <= damaged[place] < 0x7F:
            damaged[place] = rng.choice(b"\x00\x01\x7f\x80\xc0\xed\xff")
    return bytes(damaged)


_WAYS: Final[dict[str, Callable[[random.Random, bytes], bytes]]] = {
    "untouched": _untouched,
    "random bytes": _random,
    "random bytes behind a head": _headed,
    "bit flips": _bit_flips,
    "truncated": _truncated,
    "two spliced": _spliced,
    "two joined": _joined,
    "part repeated": _repeated,
    "huge varint": _huge_varint,
    "nested deeper": _deeper,
    "odd texts": _texts,
}
