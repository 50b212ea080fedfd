"""Whether a collector that applied the version is well: judged over its soak, and while its stage bakes. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from configs.collector.drift import Runs


class Health(Enum):
    """What is known of it."""

    HEALTHY = auto()
    UNHEALTHY = auto()
    UNKNOWN = auto()


class Word(Enum):
    """How it is judged."""

    WAIT = auto()
    SUCCEEDED = auto()
    UNVERIFIED = auto()
    """It cannot say how it is; it applied the version and stayed connected."""
    AGAIN = auto()
    """It was well through its soak, and ill since: it soaks once more."""
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class SoakFacts:
    """A target that soaks, as stored. patience: how long after the soak an answer is waited for (the apply timeout).

    error: its own words on its health · runs: what became of the version there, None while that is not known ·
    awaits_comparison: what it says that it runs is looked at in a moment · soak: how long it has to stay well ·
    healthy_since: when it last became so, None while that is not known; that alone tells of an illness, or a restart,
    between two looks · is_muted: it said that it is well, and its health is unknown only since connection settings of
    ours made its client start anew, which some supervisors never correct · is_our_doing: it became well again after
    connection settings or a restart that it was told.
    """

    health: Health
    reports_health: bool
    is_connected: bool
    soak_until: datetime
    patience: timedelta
    error: str = ""
    runs: Runs | None = None
    awaits_comparison: bool = False
    soak: timedelta = timedelta()
    healthy_since: datetime | None = None
    is_muted: bool = False
    is_our_doing: bool = False

    @property
    def well_until(self) -> datetime:
        """When it will have been well for a whole soak, if it stays so."""
        return self.soak_until if self.healthy_since is None else self.healthy_since + self.soak


@dataclass(frozen=True, slots=True)
class Verdict:
    """The word, and why."""

    word: Word
    reason: str = ""


def judge(facts: SoakFacts, now: datetime) -> Verdict:
    """Level-triggered: unhealthy, or without the pipelines of the version, at any look is a failure; well, or silent
    for good reason, at the end is success.
    """
    if trouble := _trouble_of(facts):
        return Verdict(Word.FAILED, trouble)
    if now < facts.soak_until:
        return Verdict(Word.WAIT)
    is_late = now >= facts.soak_until + facts.patience
    if not facts.is_connected:
        return Verdict(Word.FAILED, LEFT) if is_late else Verdict(Word.WAIT)
    if facts.awaits_comparison and not is_late:
        return Verdict(Word.WAIT)
    if not facts.reports_health:
        return Verdict(Word.UNVERIFIED, "It does not report its health.")
    if facts.health is Health.HEALTHY:
        return _steady(facts, now)
    if not is_late:
        return Verdict(Word.WAIT)
    return Verdict(Word.UNVERIFIED, MUTED) if facts.is_muted else Verdict(Word.FAILED, SILENT)


def watch(facts: SoakFacts, *, soaked_at: datetime, has_soaked_anew: bool) -> Verdict:
    """The same while its stage bakes: trouble is a failure at any look, and who became well again since the soak
    soaks once more, the next time has failed. What we told it is no illness.

    soaked_at: when it was judged well.
    """
    if trouble := _trouble_of(facts):
        return Verdict(Word.FAILED, trouble)
    is_well = facts.is_connected and facts.reports_health and facts.health is Health.HEALTHY
    if not is_well or facts.healthy_since is None or facts.healthy_since <= soaked_at:
        return Verdict(Word.WAIT)
    if facts.is_our_doing:
        return Verdict(Word.SUCCEEDED)
    return Verdict(Word.FAILED, RELAPSING) if has_soaked_anew else Verdict(Word.AGAIN, RELAPSED)


def _trouble_of(facts: SoakFacts) -> str:
    """What is a failure at any look, be it in the soak or while the stage bakes; "" for nothing."""
    if facts.health is Health.UNHEALTHY and facts.is_connected:
        told = f": {facts.error}" if facts.error else "."
        return f"It applied the version and became unhealthy{told}"
    return LACKING if facts.runs is Runs.LACKING else ""


def _steady(facts: SoakFacts, now: datetime) -> Verdict:
    """It soaks anew from when it became well again, once: who restarts again and again is not well."""
    if now >= facts.well_until:
        return _well(facts)
    if now < facts.soak_until + facts.soak + facts.patience:
        return Verdict(Word.WAIT)
    return Verdict(Word.FAILED, UNSTEADY.format(lasting_s=int(facts.soak.total_seconds())))


def _well(facts: SoakFacts) -> Verdict:
    """Who does not say what it runs is not judged by that; who says it in a way that cannot be compared is marked."""
    if facts.awaits_comparison or facts.runs is Runs.UNKNOWN:
        return Verdict(Word.UNVERIFIED, "What it says that it runs could not be compared.")
    return Verdict(Word.SUCCEEDED)


LACKING = (
    "It applied the version, and what it says that it runs lacks pipelines of that version."
    " Its configuration page shows the difference."
)
LEFT = "It applied the version, left, and did not come back within the apply timeout."
UNSTEADY = (
    "It applied the version and did not stay well for {lasting_s} s: it became unhealthy, or restarted,"
    " again and again."
)
RELAPSED = "It became unhealthy, or restarted, while its stage baked: it soaks once more."
RELAPSING = "It was well through its soak, and became unhealthy, or restarted, again and again while its stage baked."
SILENT = "It applied the version and did not say how it is within the apply timeout."
MUTED = "It was well, and has not said how it is since it was given other connection settings, as some supervisors do."
