"""PURE. What a receiver answered."""

from dataclasses import dataclass
from datetime import timedelta

GONE = 410
"""A receiver that says so is never sent to again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """error is empty when it arrived. status and text: of HTTP; retry_after: how long it wants to be left alone.

    took_ms: how long it took, None when that is not known.
    """

    error: str = ""
    status: int | None = None
    text: str = ""
    retry_after: timedelta | None = None
    took_ms: int | None = None

    @property
    def has_arrived(self) -> bool:
        """Whether the receiver has it."""
        return not self.error
