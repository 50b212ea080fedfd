"""What the text of a version says against it, on whatever collector. Pure."""

from collections.abc import Iterable

from configs.collector.drift import moves_data
from fleets.rollouts.preflight.findings import Finding, Severity, lines_of
from fleets.rollouts.preflight.subjects import Subject
from telflo.ui.numbers import counted


def of_text(subject: Subject) -> Iterable[Finding]:
    """Errors and warnings of the validator, and that it moves nothing."""
    yield from _of_faults(subject)
    yield from _of_warnings(subject)


def _of_faults(subject: Subject) -> Iterable[Finding]:
    faults = subject.needs.faults
    if faults and subject.has_run:
        title = "The validator refuses this text, and collectors ran it well"
        yield Finding("invalid_but_ran", Severity.WARNING, title, lines=lines_of(faults))
    elif faults:
        title = "No collector can run this text"
        yield Finding("invalid", Severity.ERROR, title, lines=lines_of(faults))
    if not faults and subject.needs.model is not None and not moves_data(subject.needs.model):
        yield Finding(
            "moves_nothing",
            Severity.WARNING,
            "It moves no telemetry",
            "It has no pipeline, or none but nop. A collector that runs it says that it is healthy.",
        )


def _of_warnings(subject: Subject) -> Iterable[Finding]:
    """What the stable version is warned of too is known to run well."""
    known = {one.what for one in subject.before.warnings} if subject.before else set()
    new = [one for one in subject.needs.warnings if one.what not in known]
    kept = [one for one in subject.needs.warnings if one.what in known]
    if new:
        title = f"The validator has {counted(len(new), 'warning')}"
        hint = " that the stable version does not have" if subject.before else ""
        yield Finding("text_warnings", Severity.WARNING, title + hint, lines=lines_of(new))
    if kept:
        title = f"{counted(len(kept), 'warning')} of the validator, as for the stable version"
        yield Finding("text_warnings_kept", Severity.NOTE, title, lines=lines_of(kept))
