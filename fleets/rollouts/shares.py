"""Which targets belong to which stage. Pure: candidates and shares in, a stage for each out."""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Final, Protocol, TypeVar
from uuid import UUID

from fleets.rollouts.selector import Selector

MOST_STAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member that may become a target. attributes: what it says of itself, and its labels."""

    uid: UUID
    is_connected: bool
    attributes: Mapping[str, str] = field(default_factory=dict)
    gets_it: bool = True


@dataclass(frozen=True, slots=True)
class Share:
    """What a stage takes of those that are left: exactly one of the three.

    count: so many more · percent: until so many of all have gone, counted from the first stage on; both of those that
    get the version · selector: all that it selects.
    """

    count: int | None = None
    percent: int | None = None
    selector: Selector | None = None


class BadShares(ValueError):
    """Shares that make no plan; says which stage, and why. stage: its number from 1, 0 for the plan as a whole."""

    def __init__(self, message: str, stage: int = 0) -> None:
        super().__init__(message)
        self.stage = stage


def check_shares(shares: Sequence[Share]) -> None:
    """Raise BadShares unless these make a plan that ends with everybody."""
    if not 1 <= len(shares) <= MOST_STAGES:
        raise BadShares(f"A plan has 1 to {MOST_STAGES} stages.")
    reached = 0
    for number, share in enumerate(shares, start=1):
        if [share.count, share.percent, share.selector].count(None) != 2:
            raise BadShares(
                f"Stage {number}: say a number, a percentage or a selector, one of them.", number
            )
        if share.count is not None and share.count < 1:
            raise BadShares(f"Stage {number}: it needs at least one collector.", number)
        if share.percent is not None:
            if not reached < share.percent <= 100:
                raise BadShares(
                    f"Stage {number}: {share.percent} % is not more than the {reached} % before it, or over 100 %.",
                    number,
                )
            reached = share.percent
    if shares[-1].percent != 100:
        raise BadShares(
            "The last stage has to reach 100 %, so that nobody is left behind.", len(shares)
        )


class Drawn(Protocol):
    """Who can be put into a stage, or what stands for many that are alike in what follows."""

    @property
    def is_connected(self) -> bool:
        """Those that are come first."""

    @property
    def gets_it(self) -> bool:
        """Those that do not, since it failed there or is there already, come last and count for nothing."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """What selectors look at."""


One = TypeVar("One", bound=Drawn)


def seed_of(fleet_id: UUID, version_id: UUID) -> str:
    """What decides who goes first when a fleet is given a version: a preview draws as the rollout will."""
    return f"{fleet_id.hex}{version_id.hex}"


def divide(candidates: Iterable[Candidate], shares: Sequence[Share], seed: str) -> dict[UUID, int]:
    """The stage of each, by index, as divided()."""
    groups = divided(((one, (one.uid.bytes,)) for one in candidates), shares, seed)
    return {one.uid: index for index, group in enumerate(groups) for one in group}


def divided(
    crowd: Iterable[tuple[One, Iterable[bytes]]], shares: Sequence[Share], seed: str
) -> list[Sequence[One]]:
    """Who is in each stage: everybody is in exactly one. check_shares() must hold.

    crowd: what stands for those that are alike, with their uids; it is answered as often as it has uids.

    Who goes first is drawn by the seed, so that it is nobody's turn always; within a stage's choice those that are
    connected come before those that are not, since an offline canary tells nothing. Nor does one that is skipped: those
    go with the last stage, and neither a number nor a percentage counts them.
    """
    ordered = _in_turn(crowd, seed.encode())
    total = _waiting(ordered)
    left: Sequence[One] = ordered
    groups = []
    for share in shares:
        taken, left = _take(share, left, total=total)
        groups.append(taken)
    return groups


def _take(share: Share, left: Sequence[One], *, total: int) -> tuple[Sequence[One], Sequence[One]]:
    """Those that it takes, and those that are left then. total: how many get the version in all stages."""
    if share.selector is not None:
        kinds = {id(one): one for one in left}
        chosen = {key: share.selector.selects(one.attributes) for key, one in kinds.items()}
        selected = [chosen[id(one)] for one in left]
        return list(compress(left, selected)), [
            one for one, is_in in zip(left, selected, strict=True) if not is_in
        ]
    if share.percent == 100:
        return left, left[:0]
    waiting = _waiting(left)
    gone = total - waiting
    upto = gone + (share.count or 0) if share.percent is None else -(-share.percent * total // 100)
    count = min(max(0, upto - gone), waiting)
    return left[:count], left[count:]


def _waiting(left: Sequence[One]) -> int:
    """How many of those that are left get it: they are the first."""
    return bisect_left(left, True, key=lambda one: not one.gets_it)


def _in_turn(crowd: Iterable[tuple[One, Iterable[bytes]]], salt: bytes) -> list[One]:
    """Those that are connected first, those that do not get it last; among each, as the draw of their uids says."""
    connected: dict[bytes, One] = {}
    away: dict[bytes, One] = {}
    skipped: dict[bytes, One] = {}
    for one, uids in crowd:
        turns = skipped if not one.gets_it else connected if one.is_connected else away
        turns.update((hashlib.sha256(salt + uid).digest(), one) for uid in uids)
    return [turns[draw] for turns in (connected, away, skipped) for draw in sorted(turns)]
