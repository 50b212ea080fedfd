"""What the validator says of a text that is kept or edited here: held against the catalog of its collector
version, secrets masked.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from configs.catalog.shelf import nearest
from configs.collector.findings import Finding, Fix, Report, Severity
from configs.collector.rules.registry import BY_ID
from configs.collector.target import Target
from configs.collector.validate import validate
from telflo.base.redaction import MASK, secrets_in

Parts = frozenset[tuple[str, str]]
"""Kinds and types of components, under present names."""
_CUT: Final = "…"
_SHORTEST: Final = 4
"""A secret of fewer characters stands by chance in any sentence."""
_LONGEST_CUT: Final = 64
"""Messages show no more of a long value than this."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule with the places where it is broken."""

    rule: str
    title: str
    findings: tuple[Finding, ...]


def checked(text: str, collector_version: str = "", *, reported: Parts = frozenset()) -> Report:
    """All findings; none of them says a secret of the text. Never raises: what cannot be read is a finding.

    reported: what builds here say that they have, whatever the catalog lists.
    """
    report = validate(
        [("", text)],
        catalog=nearest(collector_version),
        version=collector_version or None,
        target=Target(reported=reported),
    )
    if not report.findings:
        return report
    secrets = _sayable(secrets_in(text))
    shown = tuple(_masked(one, secrets) for one in report.findings)
    return Report(shown, report.left_off)


def broken_rules(report: Report, severity: Severity) -> list[Broken]:
    """What is that bad, by rules, in the order of the text."""
    found: dict[str, list[Finding]] = {}
    for one in report.findings:
        if one.severity is severity:
            found.setdefault(one.rule, []).append(one)
    return [Broken(rule, _title(rule, ones), tuple(ones)) for rule, ones in found.items()]


def open_warnings(report: Report, accepted: Collection[str]) -> list[Broken]:
    """Warnings whose rules nobody has accepted."""
    return [one for one in broken_rules(report, Severity.WARNING) if one.rule not in accepted]


def _title(rule: str, findings: Sequence[Finding]) -> str:
    known = BY_ID.get(rule)
    return known.title if known else findings[0].message


def _sayable(secrets: Iterable[str]) -> list[str]:
    """Those to look for, longest first: one may hold another."""
    return sorted((one for one in secrets if len(one) >= _SHORTEST), key=len, reverse=True)


def _masked(finding: Finding, secrets: Sequence[str]) -> Finding:
    fix = finding.fix
    if fix is not None and _says_one(fix, secrets):
        fix = None
    path = tuple(_hidden(step, secrets) if isinstance(step, str) else step for step in finding.path)
    return replace(
        finding,
        message=_hidden(finding.message, secrets),
        path=path,
        component=_hidden(finding.component, secrets),
        pipeline=_hidden(finding.pipeline, secrets),
        fix=fix,
    )


def _says_one(fix: Fix, secrets: Sequence[str]) -> bool:
    texts = (fix.title, *(edit.text for edit in fix.edits))
    return any(_hidden(text, secrets) != text for text in texts)


def _hidden(message: str, secrets: Sequence[str]) -> str:
    """The message with the mask in place of each secret, also of one that is cut short."""
    for secret in secrets:
        message = message.replace(secret, MASK)
        if _CUT in message:
            message = message.replace(*_cut(message, secret))
    return message


def _cut(message: str, secret: str) -> tuple[str, str]:
    """The beginning of a secret at which a message was cut, and what to write there."""
    for length in range(min(len(secret), _LONGEST_CUT), _SHORTEST - 1, -1):
        beginning = f"{secret[:length]}{_CUT}"
        if beginning in message:
            return beginning, f"{MASK}{_CUT}"
    return _CUT, _CUT
