"""PURE. References: `${env:X:-default}` and what is written nearly like it (rules X02 to X09)."""

import re
from collections import deque
from collections.abc import Iterator
from typing import Final

from configs.collector import references
from configs.collector.findings import Severity
from configs.collector.references import Reference, split_references, variables_named_by
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.reading import entries_of_text
from configs.collector.rules.rule import CONFIGURATION, Rule, rule
from configs.collector.rules.subject import Setting, Subject
from configs.collector.values import Expansion

_DOCS: Final = CONFIGURATION + "#environment-variables"
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_BARE: Final = re.compile(r"(?<!\$)\$(?P<name>[A-Z_][A-Z0-9_]*)\b(?!\{)")
_SCHEMES: Final = frozenset({"env", "file", "http", "https", "yaml"})
_FROM_ELSEWHERE: Final = frozenset({"http", "https"})
_CONTRIB_SCHEMES: Final = frozenset(
    {"s3", "secretsmanager", "aes", "googlesecretmanager", "vault", "parameterstore"}
)


@rule("X02", Severity.ERROR, "Name of a variable", _DOCS)
def variable_names(subject: Subject) -> Iterator[Hit]:
    """Letters, digits and _."""
    for one, reference in _references(subject):
        if (
            reference.scheme == "env"
            and not reference.inner
            and not _NAME.fullmatch(reference.target)
        ):
            named = shown(reference.target) if reference.target else "nothing"
            yield Hit(
                f"A reference names {named} as its variable. Use letters, digits and _, a digit not first.",
                one.path,
            )


@rule("X03", Severity.ERROR, "A dollar sign inside a reference", _DOCS)
def dollars_in_references(subject: Subject) -> Iterator[Hit]:
    """References may stand in each other; a dollar sign of its own may not."""
    for one, reference in _references(subject):
        parts = split_references(reference.text[2:-1])
        if any("$" in part for part in parts if isinstance(part, str)):
            yield Hit("Collectors refuse a $ inside a reference. Take it out.", one.path)


@rule("X04", Severity.WARNING, "A bare dollar sign", _DOCS)
def bare_dollars(subject: Subject) -> Iterator[Hit]:
    """`$NAME` was once a variable and is plain text now."""
    for one in subject.texts:
        text = str(one.value)
        found = _BARE.search(text) if "$" in text else None
        if found and not _is_inside(text, found.start()):
            name = found["name"]
            fix = subject.edits.part_replaced(
                f"Write ${{env:{name}}}", one.path, f"${name}", f"${{env:{name}}}"
            )
            yield Hit(
                f"${name} is plain text for collectors. Write ${{env:{name}}}, or $${name} where the text is meant.",
                one.path,
                fix=fix,
            )


@rule("X06", Severity.ERROR, "Unknown source of a reference", _DOCS)
def schemes(subject: Subject) -> Iterator[Hit]:
    """env, file, yaml, http, https; more in distributions."""
    for one, reference in _references(subject):
        scheme = reference.scheme
        if scheme in subject.target.denied_schemes:
            yield Hit(f"References by {scheme}: are not allowed here. Use ${{env:NAME}}.", one.path)
        elif scheme in _FROM_ELSEWHERE:
            message = f"The collector fetches this by {scheme} when it starts, and does what it is told. Write it here."
            yield Hit(message, one.path, severity=Severity.WARNING)
        elif scheme not in _SCHEMES | _CONTRIB_SCHEMES:
            yield _unknown_source(subject, one, reference)
        elif scheme in _CONTRIB_SCHEMES:
            message = f"Only distributions that have a provider for {scheme}: know this reference."
            yield Hit(message, one.path, severity=Severity.INFO)


@rule("X07", Severity.WARNING, "A reference that is never closed", _DOCS)
def unclosed(subject: Subject) -> Iterator[Hit]:
    """Without its } it is plain text."""
    for one in subject.texts:
        text = str(one.value)
        parts = split_references(text) if "${" in text else ()
        literal = "".join(part for part in parts if isinstance(part, str))
        if "${" in literal.replace("$$", ""):
            yield Hit("This reference is never closed, so it is plain text. Add the }.", one.path)


@rule("X08", Severity.WARNING, "A reference in a key", _DOCS)
def in_keys(subject: Subject) -> Iterator[Hit]:
    """Only values are resolved."""
    for file, entry, _ in entries_of_text(subject, "${"):
        if "${" in entry.name and references.references_in(entry.name):
            message = (
                "Collectors resolve references in values only: this key stays as it is written."
            )
            yield Hit(message, file=file, span=entry.key.span)


@rule("X09", Severity.WARNING, "A default with braces", _DOCS)
def braces_in_defaults(subject: Subject) -> Iterator[Hit]:
    """A reference ends at the first }."""
    for one, reference in _references(subject):
        if reference.default is not None and reference.default.count("{") > reference.default.count(
            "}"
        ):
            yield Hit(
                "The reference ends at the first }, so its default is cut short. Take the braces out of it.",
                one.path,
            )


@rule("L23", Severity.INFO, "A variable without a default", _DOCS)
def without_default(subject: Subject) -> Iterator[Hit]:
    """Where the host does not set it, the value is empty."""
    seen: set[str] = set()
    for one, reference in _references(subject):
        for variable in variables_named_by(reference):
            if not variable.has_default and variable.name not in seen:
                seen.add(variable.name)
                yield Hit(
                    f"Each host has to set {variable.name}, or the value is empty. "
                    f"Where there is one that fits all, write ${{env:{variable.name}:-…}}.",
                    one.path,
                )


RULES: Final[tuple[Rule, ...]] = (
    variable_names,
    dollars_in_references,
    bare_dollars,
    schemes,
    unclosed,
    in_keys,
    braces_in_defaults,
    without_default,
)


def _references(subject: Subject) -> Iterator[tuple[Setting, Reference]]:
    """All references in values, the outermost before those inside."""
    for one in subject.texts:
        waiting = deque(_outermost(one))
        while waiting:
            reference = waiting.popleft()
            yield one, reference
            waiting.extend(reference.inner)


def _outermost(one: Setting) -> list[Reference]:
    parts = one.value.parts if isinstance(one.value, Expansion) else ()
    return [part for part in parts if isinstance(part, Reference)]


def _unknown_source(subject: Subject, one: Setting, reference: Reference) -> Hit:
    """Often a variable with a default, as shells write it."""
    name = reference.scheme
    if not reference.target.startswith("-") or not _NAME.fullmatch(name):
        message = f"Collectors know no references by {shown(name)}. Use env: or file:."
        return Hit(message, one.path)
    message = f"Collectors look for a source named {shown(name)} here. Write ${{env:{name}:-…}}."
    written, right = f"${{{name}:-", f"${{env:{name}:-"
    fix = subject.edits.part_replaced(f"Write {right}…}}", one.path, written, right, raw=True)
    return Hit(message, one.path, fix=fix)


def _is_inside(text: str, at: int) -> bool:
    """Whether the place is inside a reference; there a dollar sign is another fault (X03)."""
    begin = 0
    for part in split_references(text):
        size = len(part) if isinstance(part, str) else len(part.text)
        if begin <= at < begin + size:
            return isinstance(part, Reference)
        begin += size
    return False
