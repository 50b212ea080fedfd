"""What speaks against a version on those that are to get it: their builds, hosts, and what they did before. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from fleets.rollouts.needs import Said, called, missing_in
from fleets.rollouts.placing import WHY_NOT
from fleets.rollouts.preflight.findings import (
    Finding,
    Severity,
    counted_who,
    lines_of,
    listed,
    named,
    size_of,
)
from fleets.rollouts.preflight.subjects import Alike, Subject
from telflo.ui.numbers import counted


def of_members(
    reached: Sequence[Alike], failed: Sequence[Alike], subject: Subject, *, runs_nowhere: bool
) -> Iterable[Finding]:
    """failed: those that are skipped since it failed there before · runs_nowhere: nobody runs it, or would."""
    yield from _of_components(reached, subject)
    yield from _of_versions(reached, subject)
    yield from _of_environment(subject)
    yield from _of_quarantine(failed, reached, runs_nowhere=runs_nowhere)


def _of_components(reached: Sequence[Alike], subject: Subject) -> Iterable[Finding]:
    """Each build is judged once, however many collectors are of it."""
    needed = subject.needs.components
    lacks = {build: missing_in(needed, has) for build, has in subject.builds.items()}
    lacking = [one for one in reached if lacks.get(one.build)]
    # Who runs the stable version has what that defines.
    doubtful = needed - (subject.before.components if subject.before else frozenset())
    silent = [one for one in reached if one.build not in lacks] if doubtful else []
    if lacking:
        words = listed({called(part) for one in lacking for part in lacks[one.build]})
        yield Finding(
            "missing_components",
            Severity.WARNING,
            f"{counted_who(size_of(lacking), 'lacks', 'lack')} components of it",
            f"Their builds have no {words}. It will fail on them.",
            size_of(lacking),
            named(lacking, lambda one: listed(called(part) for part in lacks[one.build])),
        )
    if silent:
        yield Finding(
            "unknown_components",
            Severity.WARNING,
            f"{counted_who(size_of(silent), 'reports', 'report')} no components",
            f"Whether their builds have {listed(called(one) for one in doubtful)} is unknown.",
            size_of(silent),
            named(silent),
        )


def _of_versions(reached: Sequence[Alike], subject: Subject) -> Iterable[Finding]:
    """What a version of the collector does not know: an error where it is so of all of them."""
    wrong, doubtful = (
        {
            version: [one for one in said if one.is_error is is_error]
            for version, said in subject.by_version.items()
        }
        for is_error in (True, False)
    )
    refusing = [one for one in reached if wrong.get(one.collector)]
    doubting = [one for one in reached if doubtful.get(one.collector) and one not in refusing]
    if refusing:
        is_fatal = size_of(refusing) == size_of(reached) and not subject.has_run
        yield Finding(
            "unknown_fields",
            Severity.ERROR if is_fatal else Severity.WARNING,
            f"{counted_who(size_of(refusing), 'is', 'are')} of a version that refuses it",
            count=size_of(refusing),
            collectors=named(refusing, lambda one: one.collector),
            lines=_by_version(wrong),
        )
    if doubting:
        yield Finding(
            "doubtful_fields",
            Severity.WARNING,
            f"{counted_who(size_of(doubting), 'is', 'are')} of a version that may take it otherwise",
            count=size_of(doubting),
            collectors=named(doubting, lambda one: one.collector),
            lines=_by_version(doubtful),
        )


def _by_version(said: Mapping[str, Sequence[Said]]) -> tuple[str, ...]:
    return lines_of([f"{version}: {one}" for version in sorted(said) for one in said[version]])


def _of_environment(subject: Subject) -> Iterable[Finding]:
    """What the stable version does not use yet is likely set nowhere."""
    needed = subject.needs.environment
    new = needed - (subject.before.environment if subject.before else frozenset())
    if new:
        yield Finding(
            "new_variables",
            Severity.WARNING,
            f"It needs {'a variable' if len(new) == 1 else f'{len(new)} variables'} on each host",
            f"{listed(new)}: not used so far. Without a value a collector gets an empty text.",
        )
    if kept := needed - new:
        yield Finding(
            "variables",
            Severity.NOTE,
            "It needs variables that are in use",
            f"{listed(kept)}: the stable version uses them too.",
        )


_THEY_SKIP: Final = (
    "They are skipped, and keep what they run",
    "It is skipped, and keeps what it runs",
)


def _of_quarantine(
    failed: Sequence[Alike], reached: Iterable[Alike], *, runs_nowhere: bool
) -> Iterable[Finding]:
    """Where all would be skipped there is nothing to start: it would be what newcomers get, and have run nowhere."""
    again = [one for one in reached if one.facts.again]
    if failed:
        left = " Nobody is left who would get it." if runs_nowhere else ""
        yield Finding(
            "quarantined",
            Severity.ERROR if runs_nowhere else Severity.WARNING,
            f"It failed before on {counted(size_of(failed), 'collector')}",
            f"{_THEY_SKIP[size_of(failed) == 1]}, until somebody retries it there.{left}",
            size_of(failed),
            named(failed, _why_not),
        )
    if again:
        yield Finding(
            "tried_again",
            Severity.NOTE,
            f"It failed before on {counted(size_of(again), 'collector')}, and is tried again there",
            "Who runs it still goes back to the version before first.",
            size_of(again),
            named(again),
        )


def _why_not(group: Alike) -> str:
    again = group.facts.again
    return WHY_NOT.get(again, "") if again else ""
