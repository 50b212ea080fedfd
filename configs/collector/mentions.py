"""PURE. Which line a collector's complaint is about: what its words name, found in the configuration's text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from configs.collector.names import Kind, renamed, trimmed
from configs.collector.nodes import Document, Entry, Mapping, Node, resolved
from configs.collector.nodes import Sequence as Listed

_PATH: Final = re.compile(r"[A-Za-z_][\w/.-]*(?:::[\w/.-]+)+")
_QUOTED: Final = re.compile(r"[\"']([A-Za-z][\w/.-]*)[\"']")
_KEYS: Final = re.compile(r"has invalid keys: ([\w./-]+(?:, [\w./-]+)*)")


def line_named(document: Document, words: str) -> int | None:
    """Its number from 1; None when the words name no component and no key of this text.

    A path (`exporters::otlp/backend::tls`) counts before a name in quotes, and a key that is unknown there before both.
    """
    words = words.replace('\\"', '"')  # out of a JSON log line
    found = _by_path(document.root, words) or _by_id(document.root, words)
    if found is None:
        return None
    unknown = {key for keys in _KEYS.findall(words) for key in keys.split(", ")}
    below = (entry for entry in _entries_below(found.value) if entry.name in unknown)
    return next(below, found).key.span.line


def _by_path(root: Mapping, words: str) -> Entry | None:
    """The deepest part that a path leads to; a section alone says too little."""
    walks = [_walk(root, path.split("::")) for path in _PATH.findall(words)]
    longest = max(walks, key=len, default=[])
    return longest[-1] if len(longest) > 1 else None


def _walk(root: Mapping, names: Sequence[str]) -> list[Entry]:
    found: list[Entry] = []
    node: Node = root
    for name in names:
        entry = _entry(node, name, found[0].name if len(found) == 1 else "")
        if entry is None:
            break
        found.append(entry)
        node = entry.value
    return found


def _by_id(root: Mapping, words: str) -> Entry | None:
    """The first component that is named in quotes; sections that the words name as well come first."""
    ids = _QUOTED.findall(words)
    kinds = sorted(Kind, key=lambda kind: kind.value.removesuffix("s") not in words)
    candidates = (_walk(root, [kind.value, name]) for kind in kinds for name in ids)
    return next((walk[-1] for walk in candidates if len(walk) > 1), None)


def _entry(node: Node, name: str, section: str) -> Entry | None:
    """section: of components, which have an old and a new name; "" for any other key."""
    found = resolved(node)
    entries: Iterable[Entry] = found.entries if isinstance(found, Mapping) else ()
    wanted = _plain(section, name)
    return next((entry for entry in entries if _plain(section, entry.name) == wanted), None)


def _plain(section: str, name: str) -> str:
    is_component = section in set(Kind)
    return renamed(Kind(section), trimmed(name)) if is_component else name


def _entries_below(node: Node) -> Iterator[Entry]:
    """As written: what an alias stands for is written elsewhere."""
    if isinstance(node, Mapping):
        for entry in node.entries:
            yield entry
            yield from _entries_below(entry.value)
    elif isinstance(node, Listed):
        for item in node:
            yield from _entries_below(item)
