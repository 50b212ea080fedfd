"""PURE. What is told of a rollout that changes its state, and in which words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fleets.rollouts.plan import State
from notices.kinds import Kind
from telflo.ui.numbers import counted


@dataclass(frozen=True, slots=True)
class Subject:
    """The rollout as people know it. targets: how many are in which state."""

    id: UUID
    number: int
    configuration: str
    version: int
    fleet_id: UUID
    fleet_slug: str
    fleet: str
    targets: Mapping[str, int]

    def count(self, *states: str) -> int:
        """Targets in these states."""
        return sum(self.targets.get(state, 0) for state in states)


@dataclass(frozen=True, slots=True)
class Telling:
    """A kind, a sentence, and what more there is to say."""

    kind: Kind
    title: str
    text: str


_KINDS: Final[Mapping[State, Kind]] = {
    State.PAUSED: Kind.ROLLOUT_PAUSED,
    State.ROLLING_BACK: Kind.ROLLOUT_ROLLING_BACK,
    State.ROLLED_BACK: Kind.ROLLOUT_ROLLED_BACK,
    State.SUCCEEDED: Kind.ROLLOUT_SUCCEEDED,
    State.CANCELLED: Kind.ROLLOUT_CANCELLED,
}
_TITLES: Final[Mapping[Kind, str]] = {
    Kind.ROLLOUT_PAUSED: "is paused",
    Kind.ROLLOUT_ROLLING_BACK: "is being taken back",
    Kind.ROLLOUT_ROLLED_BACK: "was taken back",
    Kind.ROLLOUT_SUCCEEDED: "succeeded",
    Kind.ROLLOUT_CANCELLED: "was cancelled",
}


def telling_of(state: State, reason: str, subject: Subject) -> Telling | None:
    """What is told of a rollout that entered `state`; None: nothing, as of one that has no targets."""
    kind = _KINDS.get(state)
    if kind is None or not sum(subject.targets.values()):
        return None
    who = f"Rollout #{subject.number} of {subject.configuration} v{subject.version} to {subject.fleet}"
    # Of a success there is no more to say than who is offline, which the numbers do.
    why = "" if state is State.SUCCEEDED else reason.strip()
    parts = [why, *_numbers(kind, subject)]
    return Telling(kind, f"{who} {_TITLES[kind]}", " ".join(part for part in parts if part))


def _numbers(kind: Kind, subject: Subject) -> list[str]:
    """The numbers that matter then, as sentences."""
    stuck = subject.count("revert_failed")
    if kind is Kind.ROLLOUT_ROLLED_BACK:
        back = subject.count("reverted")
        told = [f"{counted(back, 'collector')} back on the version before."]
        return [*told, f"{counted(stuck, 'collector')} did not go back."] if stuck else told
    told = [f"{counted(subject.count('succeeded'), 'collector has', 'collectors have')} it."]
    failed = subject.count("failed")
    offline = subject.count("pending_offline") if kind is Kind.ROLLOUT_SUCCEEDED else 0
    if failed:
        told.append(f"{counted(failed, 'collector')} failed.")
    if offline:
        told.append(f"{counted(offline, 'collector')} offline, to follow.")
    return told


def data_of(state: State, reason: str, subject: Subject) -> dict[str, Any]:
    """The same for programs."""
    return {
        "rollout": {
            "id": str(subject.id),
            "number": subject.number,
            "state": state.value,
            "reason": reason,
        },
        "fleet": {
            "id": str(subject.fleet_id),
            "slug": subject.fleet_slug,
            "name": subject.fleet,
        },
        "version": {"configuration": subject.configuration, "number": subject.version},
        "targets": dict(subject.targets),
    }
