"""PURE. What came of bad versions in rollouts that take themselves back, as values and lines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

RECOVERED_WITHIN_S: Final = 60.0
"""From detection until every agent is back on its own previous version."""
SOAK_S: Final = 1
BAKE_S: Final = 1
PLAN: Final = {
    "stages": [
        {"name": "1", "count": 1, "bake_seconds": BAKE_S},
        {"name": "10 %", "percent": 10, "bake_seconds": BAKE_S},
        {"name": "50 %", "percent": 50, "bake_seconds": BAKE_S},
        {"name": "100 %", "percent": 100},
    ],
    "soak_seconds": SOAK_S,
    "automatic_rollback": True,
}
"""As the API takes it. No stage may have a failure."""


@dataclass(frozen=True, slots=True)
class StageSeen:
    """A stage as stored when all was over. targets: how many are in it."""

    name: str
    targets: int
    state: str
    has_begun: bool


@dataclass(frozen=True, slots=True)
class Takeback:
    """A version that `failing` of `agents` cannot run, rolled out by PLAN.

    detect_s: from the first failure that an agent told to the decision · touched: agents that were offered it ·
    recover_s: from the decision until every one of them runs its own previous version.
    """

    agents: int
    failing: int
    stages: Sequence[StageSeen]
    detect_s: float
    touched: int
    recover_s: float

    @property
    def spent(self) -> int:
        """The index of the stage whose budget it spent."""
        return next(i for i, stage in enumerate(self.stages) if stage.state == "failed")

    @property
    def most(self) -> int:
        """How many agents that stage and those before it have."""
        return sum(stage.targets for stage in self.stages[: self.spent + 1])

    @property
    def has_stopped(self) -> bool:
        """Whether it never passed that stage: no later one began, and nobody of a later one was offered it."""
        later = self.stages[self.spent + 1 :]
        return not any(stage.has_begun for stage in later) and self.touched <= self.most

    @property
    def outcome(self) -> str:
        """For people."""
        problems = [] if self.has_stopped else ["it passed the stage whose budget it spent"]
        if self.recover_s > RECOVERED_WITHIN_S:
            problems.append(f"recovery: {self.recover_s / RECOVERED_WITHIN_S:.1f} times the target")
        return f"**missed: {'; '.join(problems)}**" if problems else "met"


def takeback_lines(takebacks: Iterable[Takeback]) -> list[str]:
    """A table with a row for each version."""
    found = list(takebacks)
    names = " → ".join(stage.name for stage in found[0].stages)
    lines = [
        f"{found[0].agents:,} agents, of which half ran another version than the rest before; stages {names}, soak",
        f"{SOAK_S} s, bake {BAKE_S} s, no failure allowed. Detected: from the first failure that an agent told until",
        "the rollout goes back. Recovered: from then until every agent runs its own previous version. The target is",
        f"{RECOVERED_WITHIN_S:.0f} s, and that the version never passes the stage whose budget it spends.",
        "",
        "| cannot run it | found in stage | later stages begun | agents touched | detected after | recovered after | |",
        "|---" * 7 + "|",
    ]
    for one in found:
        begun = sum(stage.has_begun for stage in one.stages[one.spent + 1 :])
        lines.append(
            f"| {one.failing} of {one.agents:,} | {one.spent + 1} ({one.stages[one.spent].name}) | {begun}"
            f" | {one.touched} of at most {one.most} | {one.detect_s:.2f} s | {one.recover_s:.2f} s"
            f" | {one.outcome} |"
        )
    return lines
