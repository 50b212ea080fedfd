"""How many targets of a stage are where, and how many of them may fail. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """How many targets of a stage are in which state. Those excluded count for nothing.

    had_it: of those that succeeded, how many ran the version before: nothing was tried there · let_go: of those that
    wait, how many may be offered the version already · away: of those that are reverting, how
    many are offline; they go back when they return.
    """

    waiting: int = 0
    offered: int = 0
    applying: int = 0
    soaking: int = 0
    succeeded: int = 0
    failed: int = 0
    pending_offline: int = 0
    reverting: int = 0
    reverted: int = 0
    revert_failed: int = 0
    had_it: int = 0
    let_go: int = 0
    away: int = 0

    @property
    def total(self) -> int:
        """All that are in it."""
        return self.under_way + self.moved_and_judged + self.pending_offline

    @property
    def tried(self) -> int:
        """All that the budget is a share of: those that get the version."""
        return self.total - self.had_it

    @property
    def in_flight(self) -> int:
        """Those that were let go and are not judged yet."""
        return self.let_go + self.offered + self.applying + self.soaking

    @property
    def under_way(self) -> int:
        """Those that an answer is still expected of, without offline ones."""
        return self.waiting + self.offered + self.applying + self.soaking

    @property
    def moved_and_judged(self) -> int:
        """Those that are done with, one way or the other."""
        return self.succeeded + self.failed + self.reverting + self.reverted + self.revert_failed

    @property
    def to_revert(self) -> int:
        """Those that were let go and do not go back yet."""
        return self.in_flight + self.succeeded + self.failed + self.pending_offline


@dataclass(frozen=True, slots=True)
class Budget:
    """How many targets of a stage may fail: a number, or a share of them."""

    percent: int = 0
    count: int | None = None

    def is_spent(self, failed: int, total: int) -> bool:
        """Whether more failed than may."""
        if self.count is not None:
            return failed > self.count
        return failed * 100 > self.percent * total

    def __str__(self) -> str:
        """For people."""
        return f"{self.percent} %" if self.count is None else str(self.count)
