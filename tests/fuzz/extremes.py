"""Messages at and far over every limit: trees that are too deep, too wide, or lie about their size; absurd texts."""

from collections.abc import Callable
from functools import cache, reduce
from typing import Final

from opamp.protocol.varint import varint
from tests.fuzz.wire import block, entry, nested, number

DEPTH: Final = 10_000
WIDTH: Final = 100_000

DESCRIPTION, HEALTH, EFFECTIVE, STATUS = 3, 5, 6, 7
PACKAGES, CAPABILITIES, CUSTOM, COMPONENTS = 8, 12, 13, 14

TEXTS: Final = {
    "nul": b"a\x00b",
    "many nuls": b"\x00" * 70_000,
    "surrogate": b"\xed\xa0\x80",
    "pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    "overlong": b"\xc0\x80",
    "beyond unicode": b"\xf4\x90\x80\x80",
    "cut character": b"\xe2\x82",
    "noncharacter": "\uffff\ufdd0\U0010ffff".encode(),
    "astral": "\U0001f600".encode() * 5_000,
    "right to left": "\u202e\u2066evil\u2069".encode(),
    "combining": ("e" + "\u0301" * 3_000).encode(),
    "line ends": "\u2028\u2029\r\n\x85\x0b".encode(),
    "controls": bytes(range(1, 32)) + b"\x7f",
    "markup": b"<script>alert(1)</script>'\"; DROP TABLE agents_agent; --",
    "backslash u0000": b"\\u0000 \\ud800",
    "long": b"x" * 300_000,
    "longest column": "\u00e9".encode() * 130,
}
"""Texts as bytes; some are no UTF-8, which protobuf's `string` refuses."""


def _attributes(text: bytes) -> bytes:
    named = block(1, text) + block(2, block(1, text))
    nest = block(1, text) + block(2, block(6, block(1, block(1, text) + block(2, block(1, text)))))
    host = block(1, b"host.name") + block(2, block(1, text))
    name = block(1, b"service.name") + block(2, block(1, text))
    version = block(1, b"service.version") + block(2, block(1, text))
    parts = [block(1, name), block(1, version), block(2, host), block(2, named), block(2, nest)]
    return block(DESCRIPTION, b"".join(parts))


def _health(text: bytes) -> bytes:
    inner = block(3, text) + block(4, text) + block(7, block(1, text) + block(2, block(7, text)))
    return block(HEALTH, block(3, text) + block(4, text) + entry(6, text, inner))


def _files(text: bytes) -> bytes:
    file = block(1, text) + block(2, text)
    return block(EFFECTIVE, block(1, entry(1, text, file) + entry(1, b"second", file)))


def _others(text: bytes) -> bytes:
    status = block(1, text[:64]) + number(2, 3) + block(3, text)
    metadata = block(1, block(1, text) + block(2, block(1, text)))
    tree = block(2, text[:64]) + entry(1, text, metadata + entry(2, text, metadata))
    custom = block(1, text) + block(2, text) + block(3, text)
    return (
        block(STATUS, status)
        + block(CAPABILITIES, block(1, text))
        + block(CUSTOM, custom)
        + block(COMPONENTS, tree)
    )


def _texts() -> dict[str, bytes]:
    makers = (_attributes, _health, _files, _others)
    return {
        f"{make.__name__[1:]}: {name}": make(text)
        for name, text in TEXTS.items()
        for make in makers
    }


def _repeat(count: int, make: Callable[[int], bytes]) -> bytes:
    return b"".join(make(index) for index in range(count))


def _deep() -> dict[str, bytes]:
    value = block(1, block(1, b"k") + block(2, nested([5, 1], DEPTH)))
    sizes = (15, 16, 17, 32, 45, DEPTH)
    health = {f"health {n} deep": block(HEALTH, nested([6, 2], n)) for n in sizes}
    parts = {f"components {n} deep": nested([1, 2] + [2, 2] * n, 1) for n in (6, 7, 8, 20, DEPTH)}
    components = {name: block(COMPONENTS, block(2, b"h") + tree) for name, tree in parts.items()}
    return {**health, **components, "value 10,000 deep": block(DESCRIPTION, value)}


def _wide() -> dict[str, bytes]:
    def child(field: int) -> Callable[[int], bytes]:
        return lambda index: entry(field, b"%d" % index, b"")

    def attribute(index: int) -> bytes:
        return block(1, block(1, b"%d" % index) + block(2, number(3, index)))

    array = block(5, block(1, b"") * WIDTH)
    fields = {f"health {n} wide": block(HEALTH, _repeat(n, child(6))) for n in (4_095, WIDTH)}
    fields |= {
        f"components {n} wide": block(COMPONENTS, block(2, b"h%d" % n) + _repeat(n, child(1)))
        for n in (4_000, 20_000, WIDTH)
    }
    fields |= {
        f"{n} attributes": block(DESCRIPTION, _repeat(n, attribute)) for n in (511, 513, WIDTH)
    }
    many = entry(1, b"c", block(1, block(1, b"k")) * 500)
    fields["components of many attributes"] = block(COMPONENTS, block(2, b"m") + many * 200)
    fields["array 100,000 wide"] = block(DESCRIPTION, block(1, block(1, b"k") + block(2, array)))
    fields["files 100,000 wide"] = block(EFFECTIVE, block(1, _repeat(WIDTH, child(1))))
    fields["capabilities 100,000 wide"] = block(CAPABILITIES, block(1, b"x") * WIDTH)
    fields["packages 100,000 wide"] = block(PACKAGES, _repeat(WIDTH, child(1)))
    fields["the same part 100,000 times"] = block(HEALTH, number(1, 1)) * WIDTH
    fields["unknown fields"] = number(77, 1) * WIDTH
    return fields


def _lying() -> dict[str, bytes]:
    """Sizes that reach beyond their parent, or back into it."""
    inner = block(6, block(1, b"a") + block(2, b"", lie=40))
    return {
        "child larger than its parent": block(HEALTH, inner * 3),
        "parent smaller than its child": block(HEALTH, block(4, b"x" * 50), lie=-30),
        "size of 2^63": varint(HEALTH << 3 | 2) + varint(2**63) + b"x",
        "size of 2^32": varint(HEALTH << 3 | 2) + varint(2**32 - 1) + b"x",
        "endless varint": varint(2 << 3) + b"\xff" * 40,
        "tag 0": b"\x00\x01",
        "group that never ends": varint(HEALTH << 3 | 3) * 3_000,
        "end of no group": varint(HEALTH << 3 | 4),
        "numbers at their ends": number(2, 2**64 - 1)
        + number(4, 2**64 - 1)
        + number(10, 2**64 - 2),
        "times at their end": block(HEALTH, b"\x11" + b"\xff" * 8 + b"\x29" + b"\xff" * 8),
    }


def _large() -> dict[str, bytes]:
    return {
        "file of 4 MiB": block(EFFECTIVE, block(1, entry(1, b"", block(1, b"a" * (4 << 20))))),
        "file over 4 MiB": block(EFFECTIVE, block(1, entry(1, b"", block(1, b"a" * (5 << 20))))),
        "hash of 1 MiB": block(STATUS, block(1, b"h" * (1 << 20)) + number(2, 1)),
        "hash of 65 bytes": block(STATUS, block(1, b"h" * 65) + number(2, 1)),
        "component hash of 65 bytes": block(COMPONENTS, block(2, b"h" * 65) + entry(1, b"x", b"")),
        "error of 4 MiB": block(STATUS, number(2, 3) + block(3, b"e\x00" * (2 << 20))),
        "attributes of 16 KiB": block(
            DESCRIPTION,
            _repeat(
                500, lambda n: block(1, block(1, b"%d" % n) + block(2, block(1, b"v" * 16_000)))
            ),
        ),
    }


@cache
def extremes() -> dict[str, bytes]:
    """What follows the head (uid, number, mask) of an extreme message, by name."""
    return {**_texts(), **_deep(), **_wide(), **_lying(), **_large()}


def _flood(*path: int) -> Callable[[bytes, int], bytes]:
    """Makes a message of an agent with so many of the smallest parts: empty fields of the path's last number."""
    *outer, last = path

    def make(uid: bytes, count: int) -> bytes:
        parts = block(last, b"") * count
        return block(1, uid) + reduce(
            lambda inside, field: block(field, inside), outer[::-1], parts
        )

    return make


FLOODS: Final[dict[str, Callable[[bytes, int], bytes]]] = {
    "identifying attributes": _flood(DESCRIPTION, 1),
    "other attributes": _flood(DESCRIPTION, 2),
    "values of an array": _flood(DESCRIPTION, 1, 2, 5, 1),
    "entries of a value": _flood(DESCRIPTION, 1, 2, 6, 1),
    "health": _flood(HEALTH, 6),
    "health below health": _flood(HEALTH, 6, 2, 6),
    "attributes of health": _flood(HEALTH, 7),
    "files": _flood(EFFECTIVE, 1, 1),
    "packages": _flood(PACKAGES, 1),
    "capabilities": _flood(CAPABILITIES, 1),
    "components": _flood(COMPONENTS, 1),
    "metadata": _flood(COMPONENTS, 1, 2, 1),
    "components below components": _flood(COMPONENTS, 1, 2, 2),
    "the same message again": _flood(HEALTH),
}
"""Every field of a message that may come more than once, by what it holds."""
