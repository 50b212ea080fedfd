"""What an agent can be told, as values, and which agents take it. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from agents.snapshot import Capability

_ACCEPTS_RESTART = int(Capability.ACCEPTS_RESTART_COMMAND)


@dataclass(frozen=True, slots=True)
class Restart:
    """Stop and start the collector (K1)."""

    def is_accepted(self, capabilities: int, custom: Collection[str]) -> bool:
        """Only with AcceptsRestartCommand. capabilities: AgentCapabilities bits."""
        return bool(capabilities & _ACCEPTS_RESTART)


@dataclass(frozen=True, slots=True)
class Message:
    """A custom message (K2)."""

    capability: str
    type: str
    data: bytes

    def is_accepted(self, capabilities: int, custom: Collection[str]) -> bool:
        """Only for a capability that the agent announced. custom: its custom capabilities."""
        return self.capability in custom


Command = Restart | Message
