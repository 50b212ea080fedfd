"""PURE. What can be told, by the names that receivers see; they stay the same (docs/interfaces.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """The type of a notice."""

    ROLLOUT_PAUSED = "rollout.paused"
    ROLLOUT_ROLLING_BACK = "rollout.rolling_back"
    ROLLOUT_ROLLED_BACK = "rollout.rolled_back"
    ROLLOUT_SUCCEEDED = "rollout.succeeded"
    ROLLOUT_CANCELLED = "rollout.cancelled"
    COLLECTORS_UNHEALTHY = "collectors.unhealthy"
    COLLECTORS_HEALTHY = "collectors.healthy"
    COLLECTORS_GONE = "collectors.gone"
    COLLECTORS_BACK = "collectors.back"
    TEST = "test"


ROLLOUT_KINDS: Final = tuple(kind for kind in Kind if kind.startswith("rollout."))
"""What a subscription names. The kinds of collectors follow from its limits."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a kind is called in pages, and drawn: a tone and an icon of the status vocabulary."""

    word: str
    tone: str
    icon: str


LOOKS: Final[Mapping[Kind, Look]] = {
    Kind.ROLLOUT_PAUSED: Look("Paused", "warn", "pause"),
    Kind.ROLLOUT_ROLLING_BACK: Look("Rolling back", "back", "undo-2"),
    Kind.ROLLOUT_ROLLED_BACK: Look("Rolled back", "back", "undo-2"),
    Kind.ROLLOUT_SUCCEEDED: Look("Succeeded", "ok", "circle-check"),
    Kind.ROLLOUT_CANCELLED: Look("Cancelled", "idle", "ban"),
    Kind.COLLECTORS_UNHEALTHY: Look("Collectors unhealthy", "fail", "triangle-alert"),
    Kind.COLLECTORS_HEALTHY: Look("Collectors healthy again", "ok", "activity"),
    Kind.COLLECTORS_GONE: Look("Collectors gone", "fail", "unplug"),
    Kind.COLLECTORS_BACK: Look("Collectors back", "ok", "plug"),
    Kind.TEST: Look("Test", "move", "send"),
}
