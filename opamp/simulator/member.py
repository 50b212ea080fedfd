"""One agent's place in a fleet: its connection, and where and how it connects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opamp.simulator.agent import SimulatedAgent
from opamp.simulator.plan import Part
from opamp.simulator.report import Destination

if TYPE_CHECKING:
    from opamp.simulator.links import Link


class Member:
    """What changes: link (None while there is none), armed (when it is woken next), tries, asked_at, beat_at."""

    __slots__ = (
        "agent",
        "answered",
        "armed",
        "asked_at",
        "authorization",
        "beat_at",
        "is_unheard",
        "link",
        "number",
        "over_http",
        "owes_full_state",
        "stays_away",
        "told",
        "tries",
        "url",
    )

    def __init__(self, part: Part, url: str) -> None:
        self.number = part.number
        self.agent: SimulatedAgent = part.agent
        self.authorization = f"Bearer {part.token}"
        self.over_http = part.over_http
        self.url = http_url(url) if part.over_http else url
        self.link: Link | None = None
        self.armed = float("inf")
        self.answered = -1
        """The number of its last message that was answered, while it numbers them as it should."""
        self.is_unheard = True
        """While nothing that it said on its connection was answered."""
        self.asked_at = 0.0
        """When its try to connect began."""
        self.beat_at = 0.0
        """When its heartbeat was sent, until the answer is here."""
        self.told = ("", 0)
        """Hash and status of its last report of a remote configuration that was counted."""
        self.owes_full_state = False
        """While it was asked for all it has, and says that when what waits was answered."""
        self.tries = 0
        self.stays_away = False
        """True while it is not to be connected."""

    def go_to(self, destination: Destination) -> None:
        """Connect there from now on, with nothing of the headers before."""
        self.url = destination.endpoint
        self.over_http = destination.endpoint.startswith("http")
        self.authorization = destination.authorization


def http_url(url: str) -> str:
    """The address to POST to, from that of the WebSocket."""
    return "http" + url.removeprefix("ws") if url.startswith("ws") else url
