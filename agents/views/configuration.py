"""What a collector should run against what it says it runs, for pages and API: redacted unless asked for raw."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agents import store
from agents.models import Agent
from agents.snapshot import ConfigFile
from configs.collector.errors import ParseError
from configs.collector.nodes import Alias, Mapping, Node, Scalar, Sequence
from configs.collector.parse import parse
from configs.textdiff import Hunk, diff_texts
from fleets.models import Membership
from telflo.base import activity
from telflo.base.activity import Actor
from telflo.base.redaction import redact_text

MOST_LINES: Final = 20_000
"""Texts that would have more lines are compared as they are."""
_OWN = (
    ("extensions", "opamp"),
    ("service", "extensions", "- opamp"),
    ("service", "telemetry", "resource"),
)
"""Where a supervisor adds to what it was sent (they never count as a difference)."""
_KINDS = {"context": "same", "add": "add", "delete": "del"}


@dataclass(frozen=True, slots=True)
class ShownFile:
    """One file of an effective configuration as people see it. text is "" for a body that is no text."""

    name: str
    content_type: str
    text: str
    size: int
    is_text: bool


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a comparison: kind add, del, own, same or hunk; line numbers count from 1."""

    kind: str
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Intended against effective. lines is empty when nothing differs.

    own: lines that the supervisor added itself, not counted as added · is_ordered: keys are in order on both sides.
    """

    lines: list[DiffLine]
    added: int
    removed: int
    own: int
    is_ordered: bool


def effective_of(agent: Agent) -> tuple[ConfigFile, ...]:
    """The files that the agent says it runs; nothing when it does not report them."""
    sha256 = agent.status.effective_config_id
    return store.effective_files(sha256) if sha256 else ()


def intended_of(membership: Membership | None) -> str:
    """The text that the agent should run, redacted; "" when nothing is intended."""
    if membership is None or membership.desired is None:
        return ""
    return redact_text(membership.desired.version.yaml)


def shown_file(file: ConfigFile, *, raw: bool = False) -> ShownFile:
    """A file for people: secrets masked unless `raw`."""
    try:
        text = file.body.decode()
    except UnicodeDecodeError:
        return ShownFile(file.name, file.content_type, "", len(file.body), is_text=False)
    return ShownFile(
        name=file.name,
        content_type=file.content_type,
        text=text if raw else redact_text(text),
        size=len(file.body),
        is_text=True,
    )


def record_raw_reading(agent: Agent, actor: Actor) -> None:
    """Write into the activity log that somebody read the unredacted text (decision 23)."""
    activity.record(
        actor=actor,
        action="agent.read_raw",
        obj=agent,
        after={"effective_config": agent.status.effective_config_id},
    )


def compare(intended: str, effective: Iterable[ConfigFile]) -> Comparison | None:
    """Redacted texts compared by line, with their keys in order; None when one of the sides is missing."""
    running = "\n".join(file.text for file in map(shown_file, effective) if file.is_text)
    if not intended.strip() or not running.strip():
        return None
    try:
        old, new, is_ordered = ordered_text(intended), ordered_text(running), True
    except ParseError:
        old, new, is_ordered = intended, running, False
    diff = diff_texts(old, new)
    own = supervisors_own(new.splitlines()) if is_ordered else frozenset()
    lines = [line for hunk in diff.hunks for line in _hunk_lines(hunk, own)]
    additions = sum(line.kind == "own" for line in lines)
    return Comparison(lines, diff.added - additions, diff.deleted, additions, is_ordered)


def _hunk_lines(hunk: Hunk, own: frozenset[int]) -> Iterable[DiffLine]:
    yield DiffLine("hunk", hunk.old_start, hunk.new_start, "")
    for line in hunk.lines:
        is_own = line.kind == "add" and line.new in own
        yield DiffLine("own" if is_own else _KINDS[line.kind], line.old, line.new, line.text)


def supervisors_own(lines: list[str]) -> frozenset[int]:
    """The lines (from 1) of an ordered text that a supervisor adds: its opamp extension and the telemetry resource."""
    own: set[int] = set()
    path: list[str] = []
    for number, line in enumerate(lines, start=1):
        text = line.lstrip(" ")
        depth = (len(line) - len(text)) // 2
        path = [*path[:depth], text.partition(":")[0]]
        if any(path[: len(part)] == list(part) for part in _OWN):
            own.add(number)
    for number in range(len(lines), 0, -1):  # a key below which there is nothing else
        below = _below(lines, number)
        if below and own.issuperset(below):
            own.add(number)
    return frozenset(own)


def _below(lines: list[str], number: int) -> range:
    """The numbers of the lines that are nested in a line."""
    indent = _indent(lines[number - 1])
    end = number
    while end < len(lines) and _indent(lines[end]) > indent:
        end += 1
    return range(number + 1, end + 1)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def ordered_text(text: str) -> str:
    """The configuration with one value a line and keys in order, so that only meaning differs.

    A supervisor writes the configuration anew: order, quotes and comments are lost. Raises ParseError, also for a text
    that would have more than MOST_LINES lines.
    """
    lines: list[str] = []
    for line in _ordered(parse(text).root, ""):
        lines.append(line)
        if len(lines) > MOST_LINES:
            raise ParseError("The text is too long to be put in order.", code="too-large")
    return "\n".join(lines)


def _ordered(node: Node, indent: str) -> Iterable[str]:
    node = node.target if isinstance(node, Alias) else node
    if isinstance(node, Mapping):
        for entry in sorted(node.entries, key=lambda entry: entry.name):
            yield from _entry(f"{indent}{entry.name}:", entry.value, indent)
    elif isinstance(node, Sequence):
        for item in node:
            yield from _entry(f"{indent}-", item, indent)
    else:
        yield f"{indent}{_scalar(node)}"


def _entry(head: str, node: Node, indent: str) -> Iterable[str]:
    node = node.target if isinstance(node, Alias) else node
    if isinstance(node, Scalar):
        yield f"{head} {_scalar(node)}".rstrip()
    else:
        yield head
        yield from _ordered(node, indent + "  ")


def _scalar(node: Scalar) -> str:
    """A value on one line; nothing for null, as for an empty mapping: to a collector both mean "with defaults"."""
    return "" if node.is_null else node.value.rstrip("\n").replace("\n", "⏎")
