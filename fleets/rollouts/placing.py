"""Where single targets stand, and which of those that wait go next. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Place(StrEnum):
    """Target states that a target can be put into without an answer of its agent."""

    WAITING = "waiting"
    PENDING_OFFLINE = "pending_offline"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What decides where a target that may go stands. has_applied: it acknowledged this very hash as applied."""

    is_managed: bool
    accepts_config: bool
    is_connected: bool
    is_quarantined: bool
    has_applied: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a target stands, why, and whether its agent should run the version now.

    is_wanted: the version becomes the agent's desired one, be it offered, done, offline or quarantined.
    """

    place: Place
    reason: str = ""
    is_wanted: bool = True


def place_target(facts: TargetFacts) -> Placement:
    """Where a released target stands before anything is offered to it."""
    if not facts.is_managed:
        return Placement(Place.EXCLUDED, "It is only observed, or has left the fleet.", False)
    if not facts.accepts_config:
        return Placement(Place.EXCLUDED, "It does not accept configurations from a server.", False)
    if facts.is_quarantined:
        # It is no failure of this rollout, so it spends no budget; the collector's own status shows it.
        return Placement(
            Place.EXCLUDED, "This configuration failed here before. Retry it to offer it again."
        )
    if facts.has_applied:
        return Placement(Place.SUCCEEDED)
    return Placement(Place.WAITING if facts.is_connected else Place.PENDING_OFFLINE)


def next_to_go(
    waiting: Iterable[tuple[UUID, str]],
    busy: Mapping[str, int],
    *,
    room: int | None,
    per_zone: int,
) -> list[UUID]:
    """Who of those that wait (uid and zone, in their order) may be let go now.

    busy: how many of each zone are between the offer and the judgement · per_zone: how many may be at a time, 0 for any
    number. Those without a zone ("") hold up nobody.
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
