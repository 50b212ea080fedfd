"""Which targets belong to which stage. Pure: candidates and shares in, a stage for each out."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from fleets.rollouts.selector import Selector

MOST_STAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member that may become a target. attributes: what it says of itself, and its labels."""

    uid: UUID
    is_connected: bool
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Share:
    """What a stage takes of those that are left: exactly one of the three.

    count: so many more · percent: until so many of all targets have gone, counted from the first stage on · selector:
    all that it selects.
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


def divide(candidates: Sequence[Candidate], shares: Sequence[Share], seed: str) -> dict[UUID, int]:
    """The stage of each, by index: every candidate is in exactly one. check_shares() must hold.

    Who goes first is drawn by the seed, so that it is nobody's turn always; within a stage's choice those that are
    connected come before those that are not, since an offline canary tells nothing.
    """
    left = sorted(candidates, key=lambda one: (not one.is_connected, _draw(seed, one.uid)))
    stages: dict[UUID, int] = {}
    for index, share in enumerate(shares):
        taken = _take(share, left, gone=len(stages), total=len(candidates))
        stages.update(dict.fromkeys((one.uid for one in taken), index))
        left = [one for one in left if one.uid not in stages]
    return stages


def _take(share: Share, left: Sequence[Candidate], *, gone: int, total: int) -> Sequence[Candidate]:
    if share.selector is not None:
        return [one for one in left if share.selector.selects(one.attributes)]
    if share.percent is not None:
        return left[: max(0, -(-share.percent * total // 100) - gone)]
    return left[: share.count]


def _draw(seed: str, uid: UUID) -> bytes:
    return hashlib.sha256(seed.encode() + uid.bytes).digest()
