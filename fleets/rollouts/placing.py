"""Where single targets stand, and which of those that wait go next. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from fleets.rollouts.plan import State


class Place(StrEnum):
    """Target states that a target can be put into without an answer of its agent."""

    WAITING = "waiting"
    PENDING_OFFLINE = "pending_offline"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXCLUDED = "excluded"


class Again(StrEnum):
    """How a configuration that failed on a collector can be offered there once more."""

    AT_ONCE = "at_once"
    VIA_PREVIOUS = "via_previous"
    NEVER_RAN_ANOTHER = "never_ran_another"
    PREVIOUS_FAILED = "previous_failed"


WHY_NOT: Final = {
    Again.NEVER_RAN_ANOTHER: "This collector never ran another version well, and a supervisor that is offered the same"
    " configuration twice in a row reports success without trying. Assign another version first.",
    Again.PREVIOUS_FAILED: "The version to go back to in between failed here too. Assign another version first.",
}


HAD_IT: Final = "It ran this version already."
CANCELLED_BEFORE: Final = "The rollout was cancelled before."
TAKEN_BACK_BEFORE: Final = "The rollout was taken back before."
SUPERSEDED_BEFORE: Final = "Another version was assigned before it got this one."
NOT_REACHED: Final = frozenset({CANCELLED_BEFORE, TAKEN_BACK_BEFORE})
"""Why targets are none any more that waited when their rollout ended."""


def way_again(*, failed: str, applied: str, previous: str, has_previous_failed: bool) -> Again:
    """How this hash, which failed, can be offered again: never the same twice with no other in between (decision 2).

    applied: the hash that the agent acknowledged last, as applied · previous: what it ran well before. "" for none.
    """
    if applied and applied != failed:
        return Again.AT_ONCE
    if not previous or previous == failed:
        return Again.NEVER_RAN_ANOTHER
    return Again.PREVIOUS_FAILED if has_previous_failed else Again.VIA_PREVIOUS


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What decides where a target that may go stands.

    has_applied: it acknowledged this very hash as applied · again: how it is tried once more where it failed before,
    None when it is not to be.
    """

    is_managed: bool
    accepts_config: bool
    is_connected: bool
    is_quarantined: bool
    has_applied: bool
    again: Again | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a target stands, why, and whether its agent should run the version now.

    is_wanted: the version becomes the agent's desired one, be it offered, done, offline or quarantined ·
    goes_back_first: it is offered its previous version before.
    """

    place: Place
    reason: str = ""
    is_wanted: bool = True
    goes_back_first: bool = False


def place_target(facts: TargetFacts) -> Placement:
    """Where a released target stands before anything is offered to it."""
    if not facts.is_managed:
        return Placement(Place.EXCLUDED, "It is only observed, or has left the fleet.", False)
    if not facts.accepts_config:
        return Placement(Place.EXCLUDED, "It does not accept configurations from a server.", False)
    if facts.is_quarantined and facts.again is None:
        # It is no failure of this rollout, so it spends no budget; the collector's own status shows it.
        return Placement(
            Place.EXCLUDED, "This configuration failed here before. Retry it to offer it again."
        )
    if facts.again in WHY_NOT:
        return Placement(Place.EXCLUDED, WHY_NOT[facts.again])
    if facts.has_applied and facts.again is None:
        return Placement(Place.SUCCEEDED, HAD_IT)
    place = Place.WAITING if facts.is_connected else Place.PENDING_OFFLINE
    return Placement(place, goes_back_first=facts.again is Again.VIA_PREVIOUS)


def place_lost(state: State, *, is_followed: bool = False, is_retried: bool = False) -> Placement:
    """Where a target stands whose offer never arrived, by the state of its rollout: where those stand that were let go
    and not offered anything. Where it is not wanted, what the agent should run is what it had.

    is_followed: another rollout has the agent now, or it should run another version · is_retried: a person had it tried
    again since the rollout is over, so that it is wanted in one that was cancelled too.
    """
    if is_retried and state is State.CANCELLED:
        state = State.SUCCEEDED
    if state is State.SUCCEEDED and is_followed:
        return Placement(Place.EXCLUDED, SUPERSEDED_BEFORE)
    return _LOST[state]


_LOST: Final[Mapping[State, Placement]] = {
    State.PENDING: Placement(Place.WAITING, is_wanted=False),
    State.RUNNING: Placement(Place.WAITING),
    State.BAKING: Placement(Place.WAITING),
    State.PAUSED: Placement(Place.WAITING, is_wanted=False),
    State.SUCCEEDED: Placement(Place.PENDING_OFFLINE),
    State.CANCELLED: Placement(Place.EXCLUDED, CANCELLED_BEFORE, is_wanted=False),
    State.SUPERSEDED: Placement(Place.EXCLUDED, SUPERSEDED_BEFORE, is_wanted=False),
    State.ROLLING_BACK: Placement(Place.EXCLUDED, TAKEN_BACK_BEFORE, is_wanted=False),
    State.ROLLED_BACK: Placement(Place.EXCLUDED, TAKEN_BACK_BEFORE, is_wanted=False),
}


def gets_it(facts: TargetFacts) -> bool:
    """Whether the version is given to it, be it on its return: neither skipped, nor is it there already."""
    return place_target(facts).place in {Place.WAITING, Place.PENDING_OFFLINE}


def next_to_go(
    waiting: Iterable[tuple[UUID, str]],
    busy: Mapping[str, int],
    *,
    room: int | None,
    per_zone: int,
) -> list[UUID]:
    """Who of those that wait (uid and zone, in their order) may be let go now.

    busy: how many of each zone are between the offer and the judgement, or broken by the version · per_zone: how many
    may be at a time, 0 for any number. Those without a zone ("") hold up nobody.
    """
    taken: list[UUID] = []
    zones = Counter(busy)
    for uid, zone in waiting:
        if room is not None and len(taken) >= room:
            break
        if per_zone and zone and zones[zone] >= per_zone:
            continue
        zones[zone] += 1
        taken.append(uid)
    return taken
