"""Which targets belong to which stage. Pure: candidates and shares in, a stage for each out."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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

    @property
    def count(self) -> int:
        """As Drawn."""
        return 1

    @property
    def uids(self) -> Iterable[bytes]:
        """As Drawn."""
        return (self.uid.bytes,)


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

    @property
    def count(self) -> int:
        """How many it stands for."""

    @property
    def uids(self) -> Iterable[bytes]:
        """Of those that it stands for."""


One = TypeVar("One", bound=Drawn)
Run = tuple[One, int]
"""So many that follow each other and are the same One."""


def seed_of(fleet_id: UUID, version_id: UUID) -> str:
    """What decides who goes first when a fleet is given a version: a preview draws as the rollout will."""
    return f"{fleet_id.hex}{version_id.hex}"


def divide(candidates: Iterable[Candidate], shares: Sequence[Share], seed: str) -> dict[UUID, int]:
    """The stage of each, by index, as sized() says how many they are. check_shares() must hold.

    Who goes first is drawn by the seed, so that it is nobody's turn always; within a stage's choice those that are
    connected come before those that are not, since an offline canary tells nothing. Nor does one that is skipped: those
    go with the last stage, and neither a number nor a percentage counts them.
    """
    stages = _divided(_in_turn(candidates, seed.encode()), shares)
    return {one.uid: index for index, stage in enumerate(stages) for one, _ in stage}


def sized(crowd: Iterable[One], shares: Sequence[Share], seed: str) -> list[Sequence[Run[One]]]:
    """How many of each kind are in each stage, exactly as divide() would put them. check_shares() must hold.

    Nobody is drawn unless that decides how many: where a selector is asked of those that a number left.
    """
    draws = _is_drawn(shares)
    return _divided(_in_turn(crowd, seed.encode()) if draws else _by_turn(crowd), shares)


def _is_drawn(shares: Sequence[Share]) -> bool:
    numbers = [at for at, share in enumerate(shares) if share.selector is None]
    return any(share.selector is not None for share in shares[numbers[0] :])


def _divided(ordered: Sequence[Run[One]], shares: Sequence[Share]) -> list[Sequence[Run[One]]]:
    total = _waiting(ordered)
    left: Sequence[Run[One]] = ordered
    groups = []
    for share in shares:
        taken, left = _take(share, left, total=total)
        groups.append(taken)
    return groups


def _take(
    share: Share, left: Sequence[Run[One]], *, total: int
) -> tuple[Sequence[Run[One]], Sequence[Run[One]]]:
    """Those that it takes, and those that are left then. total: how many get the version in all stages."""
    if share.selector is not None:
        kinds = {id(one): one for one, _ in left}
        chosen = {key: share.selector.selects(one.attributes) for key, one in kinds.items()}
        selected = [run for run in left if chosen[id(run[0])]]
        return selected, [run for run in left if not chosen[id(run[0])]]
    if share.percent == 100:
        return left, []
    waiting = _waiting(left)
    gone = total - waiting
    upto = gone + (share.count or 0) if share.percent is None else -(-share.percent * total // 100)
    return _cut(left, min(max(0, upto - gone), waiting))


def _cut(left: Sequence[Run[One]], wanted: int) -> tuple[Sequence[Run[One]], Sequence[Run[One]]]:
    """The first so many, and the others."""
    for at, (one, count) in enumerate(left):
        if wanted <= count:
            rest = [(one, count - wanted)] if wanted < count else []
            first = [(one, wanted)] if wanted else []
            return [*left[:at], *first], [*rest, *left[at + 1 :]]
        wanted -= count
    return left, []


def _waiting(left: Iterable[Run[One]]) -> int:
    """How many of those that are left get it: they are the first."""
    return sum(count for one, count in left if one.gets_it)


def _turn(one: Drawn) -> int:
    """Those that are connected first, those that do not get it last."""
    return 2 if not one.gets_it else 0 if one.is_connected else 1


def _by_turn(crowd: Iterable[One]) -> list[Run[One]]:
    return [(one, one.count) for one in sorted(crowd, key=_turn)]


def _in_turn(crowd: Iterable[One], salt: bytes) -> list[Run[One]]:
    """Each for itself, as the draw of the uids says among those whose turn it is."""
    turns: tuple[dict[bytes, One], ...] = ({}, {}, {})
    for one in crowd:
        draws = turns[_turn(one)]
        draws.update((hashlib.sha256(salt + uid).digest(), one) for uid in one.uids)
    return [(draws[draw], 1) for draws in turns for draw in sorted(draws)]
