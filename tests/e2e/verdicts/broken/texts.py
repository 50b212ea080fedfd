"""Whole texts: what a base that is read and written again cannot show."""

from __future__ import annotations

from typing import Final

_TAIL: Final = """\
exporters:
  nop:
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [nop], exporters: [nop]}
"""
_NOP: Final = "receivers:\n  nop:\n"


def _insert(value: str) -> str:
    """An attribute with this value is put on every record."""
    action = f"{{key: a, value: {value}, action: insert}}"
    tail = _TAIL.replace("[nop], exp", "[nop], processors: [resource], exp")
    return f"processors:\n  resource: {{attributes: [{action}]}}\n{tail}"


BY_TEXT: Final = (
    ("P01", "a colon too many", "receivers:\n  nop: a: b\n" + _TAIL),
    ("P01", "a key set twice", "receivers:\n  nop:\n  nop:\n" + _TAIL),
    ("P01", "a section set twice", _NOP + _NOP + _TAIL),
    ("P01", "a list that is not closed", "receivers: [nop\n" + _TAIL),
    ("P01", "a tab", "receivers:\n\tnop:\n" + _TAIL),
    ("P01", "an alias of nothing", "receivers:\n  nop: *nothing\n" + _TAIL),
    ("P01", "an alias inside itself", "receivers:\n  nop: &a {b: *a}\n" + _TAIL),
    ("P01", "a merge of a text", "receivers:\n  nop: {<<: a}\n" + _TAIL),
    ("P01", "a list", "- receivers\n- exporters\n"),
    ("P01", "a text", "receivers\n"),
    ("P01", "a quote that is not closed", "receivers:\n  nop: {a: 'b}\n" + _TAIL),
    ("P01", "a directive", "%YAML 1.2\n---\n" + _NOP + _TAIL),
    ("P01", "a map as a key", "receivers:\n  {a: b}: c\n" + _TAIL),
    ("P01", "a null as a key", "receivers:\n  ~: c\n" + _TAIL),
    ("P01", "a number as a key", "receivers:\n  nop:\n  1: c\n" + _TAIL),
    ("P01", "a bad escape", 'receivers:\n  nop: {a: "\\q"}\n' + _TAIL),
    ("P01", "an escaped slash", _NOP + _insert('"a\\/b"')),
    ("P01", "an escaped single quote", _NOP + _insert("\"a\\'b\"")),
    ("P01", "a byte order mark in a text", _NOP + _insert("a\ufeffb")),
    ("P01", "a key without a blank", "receivers: {nop:}\n" + _TAIL),
    ("P01", "a control character", "receivers:\n  nop: {a: \x01}\n" + _TAIL),
    ("G01", "nothing", ""),
    ("G01", "a comment alone", "# nothing\n"),
    ("G01", "null", "~\n"),
    ("G01", "an empty map", "{}\n"),
    ("P04", "keys that are paths", "receivers::nop:\n" + _TAIL),
    ("P02", "colons in a key inside of a list", _NOP + "processors:\n  resource: {attributes: [{key: a, action: insert, value::b: 1}]}\n" + _TAIL),
    ("P06", "ids that differ in blanks", "receivers:\n  nop:\n  ' nop':\n" + _TAIL),
    ("P12", "a second document", _NOP + _TAIL + "---\nreceivers: {nothing: }\n"),
    ("P12", "a second document that is broken", _NOP + _TAIL + "---\na: [\n"),
    ("P13", "blanks around an id", "receivers:\n  ' nop ': {junk: 1}\n" + _TAIL),
    ("P14", "a setting made twice", _NOP + "processors:\n  batch: {timeout: 1s}\n  batch::timeout: 2s\n" + _TAIL),
    ("P15", "a date that there is not", _NOP + _insert("2026-02-30")),
    ("P15", "a time without a zone", _NOP + _insert("2026-01-02T03:04:05")),
    ("P15", "a time with a zone", _NOP + _insert("2026-01-02T03:04:05+01:00")),
    ("P15", "a date", _NOP + _insert("2026-01-02")),
    ("P01", "Windows line ends", (_NOP + _TAIL).replace("\n", "\r\n")),
    ("P01", "a byte order mark", "\ufeff" + _NOP + _TAIL),
    ("P01", "a tag of one's own", "receivers:\n  nop: !mine {}\n" + _TAIL),
    ("P01", "a question mark", "? receivers\n: nop:\n" + _TAIL),
    ("X01", "a whole section from a reference", "receivers: '${yaml:{nop: }}'\n" + _TAIL),
    ("X01", "a member from a reference", _NOP + _TAIL.replace("[nop], exp", "['${env:NAME:-nop}'], exp")),
)  # fmt: skip
"""Rule, what is odd about it, and a whole text."""
