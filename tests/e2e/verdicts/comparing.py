"""Our verdicts beside those of a real collector."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from configs.catalog import load
from configs.collector.findings import Report, Severity
from configs.collector.validate import validate
from tests.e2e.binaries import Collector, ensure
from tests.e2e.verdicts.asking import Verdict, starts, verdicts
from tests.e2e.verdicts.corpus import Case
from tests.e2e.verdicts.names import is_same_place

WANTED: Final = 0.98
"""Of what a collector refuses, the share that we are to refuse for the same component or key."""
_OF_A_SETTING: Final = re.compile(
    r"cannot unmarshal the configuration|reading configuration for|decoding failed"
)
"""What collectors say while they read settings."""
_SHOWN: Final = 300
"""Characters of a complaint."""


class Outcome(StrEnum):
    """How two verdicts compare."""

    BOTH_TAKE_IT = "both take it"
    BOTH_REFUSE_IT = "both refuse it, for the same place"
    ELSEWHERE = "both refuse it, for different places"
    MISSED = "the collector alone refuses it"
    CANNOT_START = "the collector takes it and cannot start, we refuse it"
    FALSE_ALARM = "the collector takes it and starts, we refuse it"


@dataclass(frozen=True, slots=True)
class Compared:
    """One configuration with both verdicts."""

    case: Case
    theirs: Verdict
    ours: Report
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of one collector version."""

    version: str
    rows: Sequence[Compared]

    def of(self, *outcomes: Outcome) -> list[Compared]:
        """The rows with these outcomes."""
        return [row for row in self.rows if row.outcome in outcomes]

    @property
    def missed(self) -> list[Compared]:
        """What the collector refuses and we do not, or for something else."""
        return self.of(Outcome.MISSED, Outcome.ELSEWHERE)

    @property
    def share(self) -> float:
        """How much of what the collector refuses we refuse for the same place."""
        refused = self.of(Outcome.BOTH_REFUSE_IT, Outcome.MISSED, Outcome.ELSEWHERE)
        return 1 - len(self.missed) / len(refused)

    @property
    def missed_beyond_settings(self) -> list[Compared]:
        """Those missed that are refused for more than the name or the type of a setting."""
        return [row for row in self.missed if not _OF_A_SETTING.search(row.theirs.words)]

    @property
    def share_beyond_settings(self) -> float:
        """The share without those that are refused for the name or the type of a setting."""
        refused = self.of(Outcome.BOTH_REFUSE_IT, Outcome.MISSED, Outcome.ELSEWHERE)
        left = [row for row in refused if not _OF_A_SETTING.search(row.theirs.words)]
        return 1 - len(self.missed_beyond_settings) / len(left)

    def told(self) -> str:
        """A few lines for people, with every row that is not as it should be."""
        counts = Counter(row.outcome for row in self.rows)
        lines = [f"otelcol {self.version}: {len(self.rows)} configurations"]
        lines += [f"  {counts[one]:5}  {one.value}" for one in Outcome]
        lines.append(f"  {self.share:.2%} of what it refuses is refused for the same place")
        lines.append(
            f"  {self.share_beyond_settings:.2%} of what it refuses for more than a setting's name or type"
        )
        wrong = self.of(Outcome.FALSE_ALARM, Outcome.ELSEWHERE, Outcome.MISSED)
        return "\n".join([*lines, *map(_line, wrong)])


def compared(version: str, cases: Sequence[Case]) -> Comparison:
    """Ask the collector of a version, and ourselves, about each case."""
    binary = ensure(Collector(version))
    theirs = verdicts(binary, [case.text for case in cases])
    return Comparison(
        version, [_row(binary, version, *pair) for pair in zip(cases, theirs, strict=True)]
    )


def ours_of(text: str, version: str) -> Report:
    """What the validator says about a text for a collector version."""
    return validate([("config.yaml", text)], catalog=load(version), version=version)


def outcome_of(text: str, theirs: Verdict, ours: Report, starts: Callable[[], bool]) -> Outcome:
    """How they compare. starts: whether the collector starts with it, asked only where that decides."""
    if theirs.is_refused:
        if ours.is_valid:
            return Outcome.MISSED
        is_same = is_same_place(theirs.words, text, ours.findings)
        return Outcome.BOTH_REFUSE_IT if is_same else Outcome.ELSEWHERE
    if ours.is_valid:
        return Outcome.BOTH_TAKE_IT
    return Outcome.FALSE_ALARM if starts() else Outcome.CANNOT_START


def _row(binary: Path, version: str, case: Case, theirs: Verdict) -> Compared:
    ours = ours_of(case.text, version)
    outcome = outcome_of(case.text, theirs, ours, lambda: starts(binary, case.text))
    return Compared(case, theirs, ours, outcome)


def _line(row: Compared) -> str:
    errors = [one for one in row.ours.findings if one.severity is Severity.ERROR]
    ours = "; ".join(f"{one.rule} {one.message}" for one in errors) or "nothing"
    theirs = " ".join(row.theirs.words.split())[:_SHOWN] or "nothing"
    return f"- {row.case.name}: {row.outcome}\n    it: {theirs}\n    we: {ours}"
