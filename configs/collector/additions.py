"""PURE. The lines of a printed configuration that are a supervisor's own, and differ from host to host."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

OWN_PATHS: Final = (
    ("extensions", "opamp"),
    ("service", "extensions", "- opamp"),
    ("service", "telemetry", "resource"),
)
"""Where a supervisor adds to what it was sent."""


def own_lines(lines: Sequence[str]) -> frozenset[int]:
    """The numbers (from 0) of the lines that are a supervisor's own, in YAML of one value a line."""
    own: set[int] = set()
    path: list[tuple[int, str]] = []
    cut = -1
    for number, line in enumerate(lines):
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        if cut >= 0 and (indent > cut or not text):
            own.add(number)
            continue
        cut = -1
        while path and path[-1][0] >= indent:
            path.pop()
        path.append((indent, text.partition(":")[0]))
        if len(path) <= _DEEPEST and tuple(key for _, key in path) in OWN_PATHS:
            own.add(number)
            cut = indent
    return frozenset(own)


def essence(bodies: Iterable[tuple[str, str]]) -> str:
    """A hash of reported files (name, text) that collectors of one configuration share, though each has a supervisor,
    an identity and a process id of its own. Where a text is written in another way than collectors print it, hosts
    may not share it; nothing worse.
    """
    digest = hashlib.sha256()
    for name, text in sorted(bodies):
        lines = text.split("\n")
        own = own_lines(lines)
        kept = "\n".join(line for number, line in enumerate(lines) if number not in own)
        for part in (name.encode(), kept.encode(errors="replace")):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()


_DEEPEST: Final = max(map(len, OWN_PATHS))
