"""What a collector should run against what it says it runs, for pages and API: redacted unless asked for raw."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agents.models import Agent, EffectiveConfig
from agents.snapshot import ConfigFile
from agents.store.values import files_from_text
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
    """One line of a comparison: kind add, del, same or hunk; line numbers count from 1."""

    kind: str
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Intended against effective. lines is empty when nothing differs; is_ordered: keys are in order on both sides."""

    lines: list[DiffLine]
    added: int
    removed: int
    is_ordered: bool


def effective_of(agent: Agent) -> tuple[ConfigFile, ...]:
    """The files that the agent says it runs; nothing when it does not report them."""
    sha256 = agent.status.effective_config_id
    if not sha256:
        return ()
    stored = EffectiveConfig.objects.filter(pk=sha256).values_list("files", flat=True).first()
    return files_from_text(stored) if stored else ()


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
    lines = [line for hunk in diff.hunks for line in _hunk_lines(hunk)]
    return Comparison(lines, diff.added, diff.deleted, is_ordered)


def _hunk_lines(hunk: Hunk) -> Iterable[DiffLine]:
    yield DiffLine("hunk", hunk.old_start, hunk.new_start, "")
    for line in hunk.lines:
        yield DiffLine(_KINDS[line.kind], line.old, line.new, line.text)


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
