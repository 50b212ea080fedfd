"""PURE. Parsing a collector configuration with exact positions, in bounded time and memory (rule P01)."""

import codecs
import re
from typing import Any

import yaml

from configs.collector.build import TreeBuilder, end_of, offset_of
from configs.collector.errors import ParseError
from configs.collector.limits import Limits
from configs.collector.nodes import Document
from configs.collector.places import Places
from configs.collector.structure import checked_root, structure_faults
from configs.collector.wording import BAD_ESCAPE, complaint

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BYTE_ORDER_MARK = "\ufeff"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DEFAULTS = Limits()
_DOCUMENT = "---"
_ESCAPED_SLASH = re.compile(r"(?<!\\)(?:\\\\)*(\\/)")
_MOST_OF_SLOW = 200_000
"""Characters that the slow reader is given."""


class _SlowLoader(yaml.SafeLoader):
    r"""Knows the escape `\'`, as Go's yaml does. libyaml, which is fast, has it not."""

    ESCAPE_REPLACEMENTS = {  # type: ignore[misc]  # stubs call it final; this is how PyYAML is told
        **yaml.SafeLoader.ESCAPE_REPLACEMENTS,
        "'": "'",
    }


def parse(source: str | bytes, limits: Limits = _DEFAULTS) -> Document:
    """The document of `source`, which is one, of sections that collectors know. Raises ParseError, with the place of
    the first fault.
    """
    document = read(source, limits)
    if document.rest is not None:
        raise ParseError(
            "a second document begins here. Collectors read the first alone: keep one.",
            code="several-documents",
            line=document.rest.line,
            column=document.rest.column,
        )
    for fault in structure_faults(document.root):
        raise fault
    return document


def read(source: str | bytes, limits: Limits = _DEFAULTS) -> Document:
    """The first document of `source`, as a collector reads it: YAML, a map, not empty. Raises ParseError.

    A byte order mark at the start is dropped, as the collector does; all else of the text stays as it is.
    """
    text = decoded(source, limits)
    places = Places(text)
    _refuse_control_characters(text, places)
    builder = TreeBuilder(places, limits)
    try:
        try:
            rest = _feed(builder, text, _LOADER)
        except yaml.MarkedYAMLError as error:
            if not _is_escaped_quote(error, text):
                raise
            builder = TreeBuilder(places, limits)
            rest = _feed(builder, text, _SlowLoader)
    except yaml.MarkedYAMLError as error:
        found = complaint(error, text)
        raise builder.fault(found.message, found.code, found.offset) from error
    except yaml.YAMLError as error:
        raise ParseError(
            "The text holds characters that YAML does not allow.", code="bad-character"
        ) from error
    span = None if rest is None else places.span(rest, min(rest + len(_DOCUMENT), len(text)))
    return Document(text, checked_root(builder.root), span)


def _is_escaped_quote(error: yaml.MarkedYAMLError, text: str) -> bool:
    """Whether libyaml gave up at what collectors read."""
    at = error.problem_mark.index if error.problem_mark else 0
    return text.startswith("\\'", at) and len(text) <= _MOST_OF_SLOW


def decoded(source: str | bytes, limits: Limits = _DEFAULTS) -> str:
    """The text of UTF-8 bytes, without a byte order mark. Raises ParseError for its size or its encoding."""
    size = len(source) if isinstance(source, bytes) else len(source.encode(errors="replace"))
    if size > limits.bytes:
        raise ParseError(
            f"The configuration has {size:,} bytes. The most is {limits.bytes:,}.",
            code="too-large",
        )
    text = _from_bytes(source) if isinstance(source, bytes) else source
    return text.removeprefix(_BYTE_ORDER_MARK)


def _from_bytes(source: bytes) -> str:
    if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ParseError("The file is UTF-16. Save it as UTF-8.", code="bad-encoding")
    try:
        return source.decode()
    except UnicodeDecodeError as error:
        before = source[: error.start].decode().removeprefix(_BYTE_ORDER_MARK)
        line, column = Places(before).at(len(before))
        raise ParseError(
            f"the byte 0x{source[error.start]:02x} is not UTF-8. Save the file as UTF-8.",
            code="bad-encoding",
            line=line,
            column=column,
        ) from error


def _refuse_control_characters(text: str, places: Places) -> None:
    found = _FORBIDDEN.search(text)
    if found:
        line, column = places.at(found.start())
        raise ParseError(
            f"the character U+{ord(found[0]):04X} cannot stand in YAML. Remove it.",
            code="bad-character",
            line=line,
            column=column,
        )


def _feed(builder: TreeBuilder, text: str, loader: type[Any]) -> int | None:
    """Build the first document. Where a second one begins, if one does: collectors do not look at it."""
    events = yaml.parse(text, Loader=loader)
    has_slash = r"\/" in text
    for event in events:
        if has_slash and isinstance(event, yaml.ScalarEvent) and event.style == '"':
            _refuse_escaped_slash(builder, text, event)
        if isinstance(event, yaml.DocumentStartEvent):
            _check_document(builder, event)
        if isinstance(event, yaml.DocumentEndEvent):
            break
        builder.take(event)
    try:
        following = next(events, None)
    except yaml.MarkedYAMLError as error:
        return error.problem_mark.index if error.problem_mark else len(text)
    return offset_of(following) if isinstance(following, yaml.DocumentStartEvent) else None


def _refuse_escaped_slash(builder: TreeBuilder, text: str, event: yaml.ScalarEvent) -> None:
    """The one escape that libyaml knows and Go's yaml does not."""
    found = _ESCAPED_SLASH.search(text, offset_of(event), end_of(event))
    if found:
        raise builder.fault(BAD_ESCAPE, "bad-escape", found.start(1))


def _check_document(builder: TreeBuilder, event: yaml.DocumentStartEvent) -> None:
    if event.version is not None and event.version != (1, 1):
        raise builder.fault(
            "collectors refuse this %YAML line. Remove it.", "bad-directive", offset_of(event)
        )
