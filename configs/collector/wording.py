"""PURE. What a YAML parser complains about, in words for people."""

import re
from typing import Final, NamedTuple

import yaml


class Complaint(NamedTuple):
    """A fault of syntax: what to say, a code for programs, and the offset of the place to look at."""

    message: str
    code: str
    offset: int


class _Wording(NamedTuple):
    pattern: re.Pattern[str]
    code: str
    message: str
    looks_back: bool = False
    """The place to look at is where the unfinished thing began."""


def _wording(pattern: str, code: str, message: str, *, looks_back: bool = False) -> _Wording:
    return _Wording(re.compile(pattern), code, message, looks_back)


BAD_ESCAPE: Final = "a backslash followed by something that is no escape. Use single quotes, or double the backslash."
_WORDINGS = (
    _wording(
        r"mapping values are not allowed",
        "unexpected-colon",
        "a colon that cannot stand here. Check the indentation, or put text with a colon in quotes.",
    ),
    _wording(
        r"sequence entries are not allowed",
        "unexpected-dash",
        "a list cannot begin here. Start it on the next line, indented.",
    ),
    _wording(r"quoted scalar.*end of (?:stream|document)|document indicator", "unclosed-quote",
             "this quote is never closed.", looks_back=True),
    _wording(r"flow sequence.*',' or ']'", "unclosed-list",
             "this list is not closed: a comma or ] is missing.", looks_back=True),
    _wording(r"flow mapping.*',' or '}'", "unclosed-map",
             "this map is not closed: a comma or } is missing.", looks_back=True),
    _wording(r"unknown escape|escape sequence|escape code", "bad-escape", BAD_ESCAPE),
    _wording(r"unexpected ':'", "missing-blank", "a blank is missing after this colon."),
    _wording(r"block scalar", "bad-block",
             "only an indentation or a comment may follow | or >. Start the text on the next line."),
    _wording(r"anchor|alias", "bad-anchor", "a name of letters and digits is missing after & or *."),
    _wording(r"undefined tag|tag", "bad-tag", "a tag (!) that is not complete. Put text that begins with ! in quotes."),
    _wording(r"block collection", "bad-list", "this does not fit the list around it: expected a line with -."),
    _wording(r"block mapping", "bad-indentation",
             "this does not fit the map around it: expected a key at the same indentation as the others."),
    _wording(r"document start", "several-documents",
             "text after the end of the document. A configuration is one document."),
    _wording(r"directive|version", "bad-directive", "a directive (%) that collectors do not read. Remove the line."),
    _wording(r"node content|node", "missing-value", "a value is missing before this."),
)  # fmt: skip
_MERGE_MARK = re.compile(r"^(?:<{7}|>{7})(?: |\r?$)", re.MULTILINE)
_MARKED = "a mark of two texts that were put together. Keep what is right, and take the marks out."
_UNCLOSED = "the text ends here, and a bracket before it is not closed."
_TAB = "a tab cannot indent. Use spaces."
_STARTS = {
    "@": "a value cannot begin with @. Put it in quotes.",
    "`": "a value cannot begin with a backtick. Put it in quotes.",
    "%": "a value cannot begin with %. Put it in quotes.",
}


def complaint(error: yaml.MarkedYAMLError, text: str) -> Complaint:
    """A parser's error (of libyaml or PyYAML) in our words."""
    offset = error.problem_mark.index if error.problem_mark else 0
    mark = _MERGE_MARK.search(text)
    if mark:
        return Complaint(_MARKED, "merge-mark", mark.start())
    problem = f"{error.context or ''} {error.problem or ''}"
    if "cannot start any token" in problem:
        return _bad_start(text, offset)
    for wording in _WORDINGS:
        if wording.pattern.search(problem):
            if wording.code == "missing-value" and not text[offset:].strip():
                return Complaint(_UNCLOSED, "unclosed", offset)
            at = (
                error.context_mark
                if wording.looks_back and error.context_mark
                else error.problem_mark
            )
            return Complaint(wording.message, wording.code, at.index if at else 0)
    return Complaint(
        "this is not YAML. Check the indentation and the quotes here.", "syntax", offset
    )


def _bad_start(text: str, offset: int) -> Complaint:
    character = text[offset : offset + 1]
    if character == "\t":
        return Complaint(_TAB, "tab", offset)
    message = _STARTS.get(character, f"a value cannot begin with {character}. Put it in quotes.")
    return Complaint(message, "bad-start", offset)
