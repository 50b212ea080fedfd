"""What a rollout would do, and what speaks against it, before anything is sent. Pure: members and needs in.

Members come in groups that are alike, since there are thousands of them and few kinds.

Errors stop it, warnings want a person's word, notes are good to know. A finding's code is stable.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

from configs.collector.difference import Change, difference
from configs.collector.written import as_written
from fleets.rollouts.preflight.findings import (
    MOST_NAMED,
    OF_QUARANTINE,
    Finding,
    Preflight,
    Severity,
    StageReach,
)
from fleets.rollouts.preflight.of_members import of_members
from fleets.rollouts.preflight.of_plan import of_plan
from fleets.rollouts.preflight.of_text import of_text
from fleets.rollouts.preflight.subjects import Alike, Fate, Member, Subject
from fleets.rollouts.shares import sized
from fleets.rollouts.strategy import Strategy

__all__ = [
    "MOST_NAMED",
    "OF_QUARANTINE",
    "Alike",
    "Fate",
    "Finding",
    "Member",
    "Preflight",
    "Severity",
    "StageReach",
    "Subject",
    "check",
]


def check(groups: Sequence[Alike], subject: Subject, seed: str) -> Preflight:
    """Judge a rollout. seed: decides who goes first, as in divide()."""
    fates: Counter[Fate] = Counter()
    for group in groups:
        fates[group.fate] += group.count
    reached = [one for one in groups if one.gets_it]
    failed = [one for one in groups if one.fate is Fate.QUARANTINED]
    stages = _stages(groups, subject.strategy, seed)
    runs_nowhere = not (reached or fates[Fate.RUNNING])
    findings = [
        *of_text(subject),
        *of_members(reached, failed, subject, runs_nowhere=runs_nowhere),
        *of_plan(stages, reached, subject),
    ]
    findings.sort(key=lambda one: list(Severity).index(one.severity))
    return Preflight(dict(fates), stages, tuple(findings), _changes(subject))


def _changes(subject: Subject) -> tuple[Change, ...]:
    before, after = subject.before, subject.needs.model
    if not (before and before.model and after):
        return ()
    catalogs = (subject.catalog, subject.catalog) if subject.catalog else None
    found = difference(before.model, after, catalogs=catalogs)
    return tuple(as_written(one, before.model, after) for one in found)


def _stages(groups: Iterable[Alike], strategy: Strategy, seed: str) -> tuple[StageReach, ...]:
    managed = [one for one in groups if one.facts.is_managed]
    sizes = sized(managed, [stage.share for stage in strategy.stages], seed)
    targets = [sum(count for _, count in runs) for runs in sizes]
    gets = [sum(count for one, count in runs if one.gets_it) for runs in sizes]
    there = [sum(n for one, n in runs if one.gets_it and one.is_connected) for runs in sizes]
    numbers = zip(strategy.stages, targets, gets, there, accumulate(gets), strict=True)
    return tuple(StageReach(stage.name, *counts) for stage, *counts in numbers)
