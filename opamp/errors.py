"""What goes wrong between a socket and the protocol core. Texts may reach the peer: they name no internals."""

from typing import Final

_RATE: Final = "rate"
"""fleets.models.RefusalReason.RATE."""
_OF_NOBODY: Final = frozenset({"missing", "unknown"})
"""fleets.models.RefusalReason MISSING and UNKNOWN: what was sent may be anybody's guess."""


class OpampError(Exception):
    """Base of this layer's errors."""


class ConnectionRefused(OpampError):
    """The credential lets nobody in: 401 before the upgrade (A1)."""

    def __init__(self, reason: str, *, text: str, token_prefix: str = "") -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.token_prefix = token_prefix

    @property
    def names_token(self) -> bool:
        """Whether the secret is that of a token here, one that no longer lets anybody in."""
        return self.reason not in _OF_NOBODY


class AgentRefused(OpampError):
    """The credential is good, but this agent may not enrol with it; answered as an error_response."""

    def __init__(self, reason: str, *, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text

    @property
    def is_for_now(self) -> bool:
        """Whether it may come in later: only too many newcomers came at once (A3)."""
        return self.reason == _RATE


class AgentPutOff(OpampError):
    """Nothing is wrong with the agent, and something that it needs to come in is away: it is to come back later."""


class Overtaken(OpampError):
    """Over plain HTTP another request of the agent was let in meanwhile: this one is to be sent again, since the next
    number would not tell which of two answers was heard.
    """


class Overloaded(OpampError):
    """More waits than may wait, or comes than may come. Try again after `retry_after_s` seconds (A3)."""

    def __init__(
        self, retry_after_s: int = 30, text: str = "The server has too much to do right now."
    ) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class TooMany(OpampError):
    """The peer's own share is used up: 429 before the upgrade (A5)."""

    def __init__(self, text: str, retry_after_s: int = 30) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class StoreUnavailable(OpampError):
    """What agents said could not be written. It is kept and tried again."""


class BadBody(OpampError):
    """A plain-HTTP body that cannot be read: `status` is 400, 413 or 415."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
