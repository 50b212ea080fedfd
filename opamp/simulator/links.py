"""What a fleet needs of a connection, and what a connection tells its fleet."""

from typing import Protocol

from opamp.simulator.member import Member


class Link(Protocol):
    """An open connection of one agent."""

    @property
    def is_behind(self) -> bool:
        """Whether messages wait until others were answered."""

    @property
    def is_accepted(self) -> bool:
        """Whether the server lets the agent in, as far as it has said."""

    def send(self, frame: bytes) -> None:
        """Send one message: a whole WebSocket message with its header byte."""

    def close(self) -> None:
        """End it in order, after what was sent."""

    def cut(self) -> None:
        """End it as a failing network does."""


class Listener(Protocol):
    """What links report to."""

    def opened(self, member: Member, link: Link) -> None:
        """The server took the connection."""

    def heard(self, member: Member, data: bytes) -> None:
        """A ServerToAgent arrived, without its header."""

    def heard_bare(self, member: Member) -> None:
        """An answer arrived that holds nothing but whom it is for."""

    def closed(self, member: Member, why: str) -> None:
        """The connection is over."""

    def failed(self, member: Member, why: str, retry_after_s: float) -> None:
        """A try to connect failed; the server wishes a pause (0: none)."""

    def broke(self, member: Member, why: str) -> None:
        """The network broke under a link that goes on by itself, from now on at the member's url."""

    def trouble(self, why: str) -> None:
        """Something to count that ends nothing."""
