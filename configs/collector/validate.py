"""PURE. The validator: texts in, findings out, in bounded time and memory, whatever the texts are."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from configs.collector.catalog_types import Catalog
from configs.collector.errors import ParseError
from configs.collector.files import File, Files
from configs.collector.findings import NOWHERE, Finding, Report, Severity, sorted_findings
from configs.collector.limits import Limits
from configs.collector.parse import read
from configs.collector.places import Places
from configs.collector.rules.hit import Hit
from configs.collector.rules.registry import RULES
from configs.collector.rules.rule import CONFIGURATION, Rule
from configs.collector.rules.subject import Subject
from configs.collector.target import Target

MOST_FINDINGS: Final = 500
MOST_OF_A_RULE: Final = 100
MOST_FILES: Final = 50
SYNTAX: Final = "P01"
"""The rule of what is no YAML, or too large to be read."""
EMPTY: Final = "G01"
_DEFAULTS: Final = Limits()


def validate(
    texts: Iterable[tuple[str, str | bytes]],
    *,
    catalog: Catalog | None = None,
    version: str | None = None,
    target: Target | None = None,
    disabled: Collection[str] = (),
    limits: Limits = _DEFAULTS,
) -> Report:
    """What is wrong with files (name, text) that are merged in this order; one file is the usual case.

    catalog: what the components of the collector version take; without it such rules are silent · version: of the
    collector, when there is no catalog · disabled: ids of rules that are not wanted · limits: of all files together.
    Never raises: what cannot be read is a finding.
    """
    files, faults = _read(list(texts), limits)
    if faults:
        return Report(tuple(faults))
    subject = Subject(Files(files), catalog=catalog, version=version, target=target)
    found: list[Finding] = []
    left_off = 0
    for rule in RULES:
        if rule.id not in disabled:
            hits = iter(rule.check(subject))
            found += (_finding(subject, rule, hit) for hit in islice(hits, MOST_OF_A_RULE))
            left_off += next(hits, None) is not None
    order = {file.name: at for at, file in enumerate(files)}
    return _bounded(sorted_findings(found, order), left_off)


def _read(texts: list[tuple[str, str | bytes]], limits: Limits) -> tuple[list[File], list[Finding]]:
    """The files that hold something, and what makes reading end."""
    if len(texts) > MOST_FILES:
        return [], [
            _unreadable("", ParseError(f"More than {MOST_FILES} files.", code="too-large"), "")
        ]
    files: list[File] = []
    faults: list[Finding] = []
    empty: list[Finding] = []
    for name, text in texts:
        try:
            document = read(text, limits)
        except ParseError as fault:
            (empty if fault.code == "empty" else faults).append(_unreadable(name, fault, text))
        else:
            files.append(File(name, document))
            size = len(document.text.encode(errors="replace"))
            limits = replace(limits, bytes=limits.bytes - size)
    nothing = [] if files or faults else empty or [_unreadable("", _NOTHING, "")]
    return files, faults + nothing


_NOTHING: Final = ParseError("There is no file.", code="empty")


def _unreadable(name: str, fault: ParseError, text: str | bytes) -> Finding:
    span = NOWHERE
    if fault.line:
        shown = text.decode(errors="replace") if isinstance(text, bytes) else text
        places = Places(shown.removeprefix("\ufeff"))
        start = places.offset(fault.line, fault.column)
        span = places.span(start, start + 1)
    return Finding(
        rule=EMPTY if fault.code == "empty" else SYNTAX,
        severity=Severity.ERROR,
        message=_sentence(fault.findings[0].message),
        file=name,
        span=span,
        doc_url=CONFIGURATION,
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _finding(subject: Subject, rule: Rule, hit: Hit) -> Finding:
    spot = subject.files.spot(hit.path)
    span = hit.span
    if span is None:
        span = spot.key.span if hit.on_key and spot.key is not None else spot.shown
    owner = subject.owner(hit.path)
    known = subject.known(owner) if owner else None
    return Finding(
        rule=rule.id,
        severity=hit.severity or rule.severity,
        message=hit.message,
        file=hit.file or spot.file.name,
        span=span,
        path=hit.path,
        component=f"{owner.kind}/{owner.id}" if owner else "",
        pipeline=_pipeline_of(hit),
        doc_url=known.doc_url if known and known.doc_url else rule.doc_url,
        fix=hit.fix,
    )


def _pipeline_of(hit: Hit) -> str:
    is_pipeline = len(hit.path) > 2 and hit.path[:2] == ("service", "pipelines")
    return str(hit.path[2]) if is_pipeline else ""


def _bounded(findings: list[Finding], left_off: int) -> Report:
    """Not more than anybody reads; the worst stay."""
    if len(findings) <= MOST_FINDINGS:
        return Report(tuple(findings), left_off)
    kept = set(
        islice(_by_rank(findings), MOST_FINDINGS),
    )
    shown = tuple(one for at, one in enumerate(findings) if at in kept)
    return Report(shown, left_off + len(findings) - len(shown))


def _by_rank(findings: list[Finding]) -> Iterator[int]:
    return iter(sorted(range(len(findings)), key=lambda at: findings[at].severity.rank))
