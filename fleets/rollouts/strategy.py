"""How a rollout goes: its stages and its knobs, as people choose them. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fleets.rollouts.counts import Budget
from fleets.rollouts.shares import BadShares, Share, check_shares
from fleets.rollouts.windows import Window

LONGEST_BAKE: Final = timedelta(days=14)
LONGEST_SOAK: Final = timedelta(days=1)
SHORTEST_APPLY: Final = timedelta(seconds=10)
MOST_COUNTED: Final = 1_000_000
"""Of collectors, wherever a plan counts them."""
NO_FAILURES: Final = Budget()
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One stage: who is in it, how long it is watched once all are judged, how many may fail."""

    name: str
    share: Share
    bake: timedelta = timedelta()
    budget: Budget = NO_FAILURES


@dataclass(frozen=True, slots=True)
class Strategy:
    """Stages in order, and what holds for all of them.

    soak: how long a collector has to stay well after it applied the version · max_in_flight: how many may be between
    offer and judgement at a time, 0 for any number · waits_for_offline: offline ones hold up their stage · zone_key,
    zone_limit: at most so many at a time that share the value of this attribute; no key, no limit · window: when
    something new may start · apply_timeout: when silence after an offer is a failure, None for what the settings say.
    """

    stages: tuple[StagePlan, ...]
    automatic_rollback: bool = True
    soak: timedelta = _MINUTE
    max_in_flight: int = 0
    waits_for_offline: bool = False
    zone_key: str = ""
    zone_limit: int = 0
    window: Window | None = None
    apply_timeout: timedelta | None = None

    @property
    def traits(self) -> list[str]:
        """What it looks at of what collectors say of themselves, by name."""
        selectors = [stage.share.selector for stage in self.stages if stage.share.selector]
        keys = {condition.key for selector in selectors for condition in selector.conditions}
        return sorted(keys | ({self.zone_key} if self.zone_key else set()))

    def check(self) -> None:
        """Raise BadShares unless it can be carried out."""
        check_shares([stage.share for stage in self.stages])
        for number, stage in enumerate(self.stages, start=1):
            if not timedelta() <= stage.bake <= LONGEST_BAKE:
                raise BadShares(
                    f"Stage {number}: a stage bakes for at most {LONGEST_BAKE.days} days.", number
                )
            if not 0 <= stage.budget.percent <= 100 or (stage.budget.count or 0) < 0:
                raise BadShares(
                    f"Stage {number}: a failure budget is 0 to 100 %, or a number.", number
                )
        if not timedelta() <= self.soak <= LONGEST_SOAK:
            raise BadShares("A collector soaks for at most a day.")
        if bool(self.zone_key) != bool(self.zone_limit):
            raise BadShares("A zone limit needs an attribute and a number.")
        if self.apply_timeout and not SHORTEST_APPLY <= self.apply_timeout <= LONGEST_SOAK:
            raise BadShares("The apply timeout is 10 s to a day.")


def all_at_once(budget: Budget = NO_FAILURES) -> Strategy:
    """Everybody in one stage, and nothing is taken back by itself."""
    stage = StagePlan("All at once", Share(percent=100), budget=budget)
    return Strategy((stage,), automatic_rollback=False, soak=timedelta())


def canary() -> Strategy:
    """One collector, then a tenth, then half, then all; each stage is watched, failures take everything back."""
    return Strategy(
        (
            StagePlan("Canary", Share(count=1), bake=5 * _MINUTE),
            StagePlan("10 %", Share(percent=10), bake=10 * _MINUTE),
            StagePlan("50 %", Share(percent=50), bake=10 * _MINUTE, budget=Budget(percent=2)),
            StagePlan("Everybody", Share(percent=100), budget=Budget(percent=2)),
        )
    )


def one_by_one() -> Strategy:
    """Everybody, one after the other."""
    return Strategy((StagePlan("One by one", Share(percent=100)),), max_in_flight=1)


PRESETS: Final = {"canary": canary, "all_at_once": all_at_once, "one_by_one": one_by_one}
