"""What a rollout would do, and what speaks against it, before anything is sent. Pure: members and needs in.

Members come in groups that are alike, since there are thousands of them and few kinds.

Errors stop it, warnings want a person's word, notes are good to know. A finding's code is stable.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from heapq import nsmallest
from itertools import accumulate
from typing import Final
from uuid import UUID

from configs.collector.difference import Change, difference
from configs.collector.drift import moves_data
from configs.collector.written import as_written
from fleets.rollouts.needs import Component, Needs, missing_in
from fleets.rollouts.placing import WHY_NOT, Place, TargetFacts, gets_it, place_target
from fleets.rollouts.shares import divided
from fleets.rollouts.strategy import Strategy
from telflo.ui.numbers import counted

MOST_NAMED: Final = 100
"""So many collectors of a finding are named; its count is of all."""
MOST_WORDS: Final = 20
OF_QUARANTINE: Final = ("quarantined", "tried_again")
"""Codes of findings about collectors on which it failed before: skipped, and tried again."""


class Severity(StrEnum):
    """What a finding means for the start."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Fate(StrEnum):
    """What a rollout does with a member; each has exactly one."""

    NOW = "now"
    OFFLINE = "offline"
    RUNNING = "running"
    UNABLE = "unable"
    OBSERVED = "observed"
    QUARANTINED = "quarantined"


_FATES: Final = {
    Place.WAITING: Fate.NOW,
    Place.PENDING_OFFLINE: Fate.OFFLINE,
    Place.SUCCEEDED: Fate.RUNNING,
}


@cache
def fate_of(facts: TargetFacts) -> Fate:
    """As fleets/rollouts/placing.py will place it; there are no more facts than a few flags."""
    place = place_target(facts).place
    if place is not Place.EXCLUDED:
        return _FATES[place]
    if not facts.is_managed:
        return Fate.OBSERVED
    return Fate.QUARANTINED if facts.accepts_config else Fate.UNABLE


Member = tuple[str, str]
"""Its name, and its uid as hexadecimal text, with dashes or without."""


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Members of the fleet that differ in nothing that is asked here but who they are.

    build: the hash of their components, "" while they report none · attributes: of those that the strategy looks at.
    """

    facts: TargetFacts
    members: Sequence[Member]
    build: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_connected(self) -> bool:
        """As divided() asks."""
        return self.facts.is_connected

    @property
    def gets_it(self) -> bool:
        """As divided() asks."""
        return gets_it(self.facts)

    @property
    def fate(self) -> Fate:
        """What a rollout does with each."""
        return fate_of(self.facts)

    @property
    def uids(self) -> Iterable[bytes]:
        """As divided() draws by them."""
        every = bytes.fromhex("".join([uid for _, uid in self.members]).replace("-", ""))
        return (every[at : at + 16] for at in range(0, len(every), 16))


@dataclass(frozen=True, slots=True)
class Named:
    """A collector that a finding is about. detail: what of it, such as the components that it lacks."""

    uid: UUID
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know. count: how many collectors it is about, 0 for none in particular."""

    code: str
    severity: Severity
    title: str
    detail: str = ""
    count: int = 0
    collectors: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class StageReach:
    """One stage. targets: all in it · reached: who gets it, be it on their return · total: with those before."""

    name: str
    targets: int
    reached: int
    total: int


@dataclass(frozen=True, slots=True)
class Preflight:
    """What would happen. fates: members by what becomes of them · changes: against the stable version."""

    fates: Mapping[Fate, int]
    stages: tuple[StageReach, ...]
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...] = ()

    @property
    def reached(self) -> int:
        """Who gets it, now or on their return."""
        return self.fates.get(Fate.NOW, 0) + self.fates.get(Fate.OFFLINE, 0)

    def of(self, severity: Severity) -> list[Finding]:
        """The findings of one severity."""
        return [one for one in self.findings if one.severity is severity]

    def open_warnings(self, accepted: Collection[str]) -> list[Finding]:
        """Warnings that nobody has accepted, by their codes."""
        return [one for one in self.of(Severity.WARNING) if one.code not in accepted]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged besides the members.

    before: what the fleet's stable version needs, None without one · builds: what each build offers, by hash ·
    underway: the rollout that this one would end, as people name it · is_open: whether the change window is.
    """

    strategy: Strategy
    needs: Needs
    before: Needs | None = None
    builds: Mapping[str, frozenset[Component]] = field(default_factory=dict)
    underway: str = ""
    is_open: bool = True


def check(groups: Sequence[Alike], subject: Subject, seed: str) -> Preflight:
    """Judge a rollout. seed: decides who goes first, as in divide()."""
    fates: Counter[Fate] = Counter()
    for group in groups:
        fates[group.fate] += len(group.members)
    reached = [one for one in groups if one.gets_it]
    failed = [one for one in groups if one.fate is Fate.QUARANTINED]
    stages = _stages(groups, subject.strategy, seed)
    findings = [
        *_of_text(subject),
        *_of_components(reached, subject),
        *_of_environment(subject),
        *_of_quarantine(failed, reached),
        *_of_stages(stages, subject.strategy),
        *_of_zones(reached, subject.strategy),
        *_of_the_moment(subject),
    ]
    findings.sort(key=lambda one: list(Severity).index(one.severity))
    return Preflight(dict(fates), stages, tuple(findings), _changes(subject))


def _changes(subject: Subject) -> tuple[Change, ...]:
    before, after = subject.before, subject.needs.model
    if not (before and before.model and after):
        return ()
    return tuple(as_written(one, before.model, after) for one in difference(before.model, after))


def _stages(groups: Iterable[Alike], strategy: Strategy, seed: str) -> tuple[StageReach, ...]:
    managed = ((one, one.uids) for one in groups if one.facts.is_managed)
    divisions = divided(managed, [stage.share for stage in strategy.stages], seed)
    gets = [
        sum(count for one, count in Counter(those).items() if one.gets_it) for those in divisions
    ]
    return tuple(
        StageReach(stage.name, len(those), count, total)
        for stage, those, count, total in zip(
            strategy.stages, divisions, gets, accumulate(gets), strict=True
        )
    )


def _of_text(subject: Subject) -> Iterable[Finding]:
    if subject.needs.faults:
        words = " ".join(subject.needs.faults[:MOST_WORDS])
        yield Finding("invalid", Severity.ERROR, "No collector can run this text", words)
    elif subject.needs.model is not None and not moves_data(subject.needs.model):
        yield Finding(
            "moves_nothing",
            Severity.WARNING,
            "It moves no telemetry",
            "It has no pipeline, or none but nop. A collector that runs it says that it is healthy.",
        )


def _of_components(reached: Sequence[Alike], subject: Subject) -> Iterable[Finding]:
    """Each build is judged once, however many collectors are of it."""
    needed, called = subject.needs.components, subject.needs.called
    lacks = {build: missing_in(needed, has) for build, has in subject.builds.items()}
    lacking = [one for one in reached if lacks.get(one.build)]
    # Who runs the stable version has what that uses.
    doubtful = needed - (subject.before.components if subject.before else frozenset())
    silent = [one for one in reached if one.build not in lacks] if doubtful else []
    if lacking:
        words = _listed({called(part) for one in lacking for part in lacks[one.build]})
        yield Finding(
            "missing_components",
            Severity.WARNING,
            f"{_counted(_size(lacking), 'lacks', 'lack')} components of it",
            f"Their builds have no {words}. It will fail on them.",
            _size(lacking),
            _named(lacking, lambda one: _listed(called(part) for part in lacks[one.build])),
        )
    if silent:
        yield Finding(
            "unknown_components",
            Severity.WARNING,
            f"{_counted(_size(silent), 'reports', 'report')} no components",
            f"Whether their builds have {_listed(called(one) for one in doubtful)} is unknown.",
            _size(silent),
            _named(silent),
        )


def _of_environment(subject: Subject) -> Iterable[Finding]:
    """What the stable version does not use yet is likely set nowhere."""
    needed = subject.needs.environment
    new = needed - (subject.before.environment if subject.before else frozenset())
    if new:
        yield Finding(
            "new_variables",
            Severity.WARNING,
            f"It needs {'a variable' if len(new) == 1 else f'{len(new)} variables'} on each host",
            f"{_listed(new)}: not used so far. Without a value a collector gets an empty text.",
        )
    if kept := needed - new:
        yield Finding(
            "variables",
            Severity.NOTE,
            "It needs variables that are in use",
            f"{_listed(kept)}: the stable version uses them too.",
        )


_THEY_SKIP: Final = (
    "They are skipped, and keep what they run",
    "It is skipped, and keeps what it runs",
)


def _of_quarantine(failed: Sequence[Alike], reached: Iterable[Alike]) -> Iterable[Finding]:
    again = [one for one in reached if one.facts.again]
    if failed:
        yield Finding(
            "quarantined",
            Severity.WARNING,
            f"It failed before on {counted(_size(failed), 'collector')}",
            f"{_THEY_SKIP[_size(failed) == 1]}, until somebody retries it there.",
            _size(failed),
            _named(failed, _why_not),
        )
    if again:
        yield Finding(
            "tried_again",
            Severity.NOTE,
            f"It failed before on {counted(_size(again), 'collector')}, and is tried again there",
            "Who runs it still goes back to the version before first.",
            _size(again),
            _named(again),
        )


def _why_not(group: Alike) -> str:
    again = group.facts.again
    return WHY_NOT.get(again, "") if again else ""


def _of_stages(stages: Sequence[StageReach], strategy: Strategy) -> Iterable[Finding]:
    empty = [
        str(plan.share.selector)
        for plan, stage in zip(strategy.stages, stages, strict=True)
        if plan.share.selector is not None and not stage.reached
    ]
    if empty and stages[-1].total:
        yield Finding(
            "empty_selector",
            Severity.WARNING,
            "A stage selects no collector",
            f"Nobody who is left and gets the version has {_listed(empty)}, so this stage tests nothing.",
        )


def _of_zones(reached: Sequence[Alike], strategy: Strategy) -> Iterable[Finding]:
    if not strategy.zone_key:
        return
    without = [one for one in reached if not one.attributes.get(strategy.zone_key)]
    found = len({one.attributes.get(strategy.zone_key, "") for one in reached} - {""})
    yield Finding(
        "zones",
        Severity.NOTE,
        f"{found} value{'' if found == 1 else 's'} of {strategy.zone_key}",
        f"At most {strategy.zone_limit} at a time of each.",
    )
    if without:
        yield Finding(
            "no_zone",
            Severity.WARNING,
            f"{_counted(_size(without), 'has', 'have')} no {strategy.zone_key}",
            "The zone limit does not hold for them: they may restart together.",
            _size(without),
            _named(without),
        )


def _of_the_moment(subject: Subject) -> Iterable[Finding]:
    if subject.underway:
        yield Finding(
            "supersedes",
            Severity.WARNING,
            f"{subject.underway} is under way",
            "This one takes its place. Those that it moved go on from there.",
        )
    if subject.strategy.window and not subject.is_open:
        window = subject.strategy.window
        yield Finding(
            "window_closed",
            Severity.NOTE,
            "The change window is closed now",
            f"The first goes on {window.days_text}, {window.hours_text} {window.zone}.",
        )


def _size(groups: Iterable[Alike]) -> int:
    return sum(len(one.members) for one in groups)


def _named(
    groups: Iterable[Alike], detail: Callable[[Alike], str] | None = None
) -> tuple[Named, ...]:
    every = ((name, uid, one) for one in groups for name, uid in one.members)
    shown = nsmallest(MOST_NAMED, every)
    return tuple(Named(UUID(uid), name, detail(one) if detail else "") for name, uid, one in shown)


def _listed(words: Iterable[str]) -> str:
    """In order, and no more than people read."""
    every = sorted(words)
    more = f" and {len(every) - MOST_WORDS} more" if len(every) > MOST_WORDS else ""
    return ", ".join(every[:MOST_WORDS]) + more


def _counted(count: int, verb: str, plural: str) -> str:
    return f"{counted(count, 'collector')} {verb if count == 1 else plural}"
