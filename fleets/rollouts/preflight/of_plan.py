"""What speaks against a plan: stages that reach nobody, zones, and the moment. Pure."""

from collections.abc import Iterable, Sequence

from fleets.rollouts.preflight.findings import (
    Finding,
    Severity,
    StageReach,
    counted_who,
    listed,
    named,
    size_of,
)
from fleets.rollouts.preflight.subjects import Alike, Subject
from fleets.rollouts.strategy import Strategy


def of_plan(
    stages: Sequence[StageReach], reached: Sequence[Alike], subject: Subject
) -> Iterable[Finding]:
    """stages: how many each would reach."""
    yield from _of_stages(stages, subject.strategy)
    yield from _of_absence(stages, subject.strategy)
    yield from _of_zones(reached, subject.strategy)
    yield from _of_the_moment(subject)


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
            f"Nobody who is left and gets the version has {listed(empty)}, so this stage tests nothing.",
        )


def _of_absence(stages: Sequence[StageReach], strategy: Strategy) -> Iterable[Finding]:
    """Stages of which all are offline, before one of which some are not: what offline ones do not hold up goes on."""
    last = max((at for at, stage in enumerate(stages) if stage.connected), default=0)
    absent = [stage.name for stage in stages[:last] if stage.reached and not stage.connected]
    if absent and not strategy.waits_for_offline:
        yield Finding(
            "offline_stage",
            Severity.WARNING,
            "A stage has nobody who is connected",
            f"All collectors of {listed(absent)} are offline and hold up nothing: the next stage begins at once."
            " Have offline collectors hold up their stage, or wait until they are back.",
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
            f"{counted_who(size_of(without), 'has', 'have')} no {strategy.zone_key}",
            "The zone limit does not hold for them: they may restart together.",
            size_of(without),
            named(without),
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
