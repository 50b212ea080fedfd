"""PURE. Finding secrets by their keys in YAML that parses: walks the parser's events, expands nothing."""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import Enum

import yaml

from telflo.base.redaction.masking import Span, merged
from telflo.base.redaction.names import (
    is_header_map,
    is_plain_inside,
    is_secret_name,
    is_secret_scalar,
)

_MAX_DEPTH = 500
_MAX_CHARACTERS = 8 * 1024 * 1024
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")


class _Inside(Enum):
    """What the values of a collection are."""

    ORDINARY = 0
    SECRETS = 1
    HEADERS = 2
    HEADER_PAIR = 3
    """One `{name, value}` of a list of headers."""


@dataclass(slots=True)
class _Frame:
    """A mapping or a list that is open."""

    is_mapping: bool
    inside: _Inside
    start: int
    anchor: str | None
    below: str = ""
    """The key that it stands under."""
    key: str | None = None
    label: str = ""
    values: list[Span] = field(default_factory=list)

    def awaits_key(self) -> bool:
        """Whether the next node is a key."""
        return self.is_mapping and self.key is None

    def next_inside(self) -> _Inside:
        """What the value now being read is, or what is in it."""
        if not self.is_mapping:
            return _Inside.HEADER_PAIR if self.inside is _Inside.HEADERS else self.inside
        key = self.key or ""
        if self.inside is _Inside.HEADERS or (
            self.inside is _Inside.HEADER_PAIR and key in {"value", "default_value"}
        ):
            return _Inside.SECRETS
        if self.inside is _Inside.SECRETS and not is_plain_inside(key):
            return _Inside.SECRETS
        if is_secret_name(key, below=self.below):
            return _Inside.SECRETS
        return _Inside.HEADERS if is_header_map(key) else _Inside.ORDINARY


class _TooDeep(Exception):
    """The text nests deeper than any configuration: look at it line by line instead."""


def spans_by_key(text: str) -> list[Span] | None:
    """Where values of secret-looking keys are, or None when the text is no YAML that can be walked."""
    if len(text) > _MAX_CHARACTERS:
        return None
    walker = _Walker(text)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            walker.see(event)
    except (yaml.YAMLError, _TooDeep):
        return None
    return walker.finish()


class _Walker:
    def __init__(self, text: str) -> None:
        self.text = text
        self.root = _Frame(False, _Inside.ORDINARY, 0, None)
        self.frames = [self.root]
        self.found: list[Span] = []
        self.scalars: list[Span] = []
        self.anchors: dict[str, Span] = {}
        self.referred: set[Span] = set()

    def see(self, event: yaml.Event) -> None:
        """Take the next event."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(event)

    def finish(self) -> list[Span]:
        """The spans, with those inside anchored values that a secret key refers to."""
        ranges = list(merged(list(self.referred)))
        starts = [start for start, _ in ranges]
        for span in self.scalars:
            at = bisect_right(starts, span[0]) - 1
            if at >= 0 and span[1] <= ranges[at][1]:
                self.found.append(span)
        return self.found

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        frame = self.frames[-1]
        span = self._without_properties(_start(event), _end(event))
        if event.anchor:
            self.anchors[event.anchor] = span
        if frame.awaits_key():
            frame.key = event.value
            return
        self.scalars.append(span)
        self._judge(frame, event.value, span)
        frame.key = None

    def _judge(self, frame: _Frame, value: str, span: Span) -> None:
        inside = frame.next_inside()
        is_header_line = inside is _Inside.HEADER_PAIR and (":" in value or "=" in value)
        is_secret = inside is _Inside.SECRETS or is_secret_scalar(frame.key or "")
        if is_secret or (is_header_line and not frame.is_mapping):
            self.found.append(span)
        if frame.key in {"name", "key"}:
            frame.label = value
        if frame.key == "value":
            frame.values.append(span)

    def _without_properties(self, start: int, end: int) -> Span:
        """The value without an anchor or a tag before it."""
        match = _PROPERTIES.match(self.text, start, end)
        return (match.end() if match else start), end

    def _alias(self, event: yaml.AliasEvent) -> None:
        frame = self.frames[-1]
        if frame.awaits_key():
            frame.key = ""
            return
        target = self.anchors.get(str(event.anchor))
        if target is not None and frame.next_inside() in {_Inside.SECRETS, _Inside.HEADERS}:
            self.referred.add(target)
        frame.key = None

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        if len(self.frames) > _MAX_DEPTH:
            raise _TooDeep
        frame = self.frames[-1]
        inside = _Inside.ORDINARY if frame.awaits_key() else frame.next_inside()
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        below = frame.key or ""
        self.frames.append(_Frame(is_mapping, inside, _start(event), event.anchor, below))

    def _close(self, event: yaml.CollectionEndEvent) -> None:
        frame = self.frames.pop()
        if frame.anchor:
            self.anchors[frame.anchor] = frame.start, _end(event)
        if is_secret_name(frame.label):
            self.found += frame.values
        parent = self.frames[-1]
        parent.key = "" if parent.awaits_key() else None


def _start(event: yaml.Event) -> int:
    """The offset where the event's text begins."""
    return event.start_mark.index if event.start_mark else 0


def _end(event: yaml.Event) -> int:
    """The offset behind the event's text."""
    return event.end_mark.index if event.end_mark else 0
