"""What can go wrong with fleets, tokens and rollouts, in words for people."""

from fleets.models import RefusalReason
from telflo.base.errors import Conflict, DomainError


class TokenRefused(DomainError):
    """A connection is refused before it begins. Peers learn the reason's words alone."""

    def __init__(self, reason: RefusalReason, token_prefix: str = "") -> None:
        super().__init__(f"{reason.label}.", field="token", code=reason.value)
        self.reason = reason
        self.token_prefix = token_prefix


class EnrolmentRefused(TokenRefused):
    """The token is known, but this agent may not come in by it."""


class NotNow(DomainError):
    """Nothing is wrong with the agent: it is to come back a little later."""


class FleetInUse(Conflict):
    """The fleet still has collectors."""


class VersionNotPublished(DomainError):
    """Only published versions can be assigned."""


class AlreadyAssigned(Conflict):
    """The fleet has this version already."""


class CannotRetry(Conflict):
    """There is nothing to retry, or no safe way to."""


class NobodyRetried(Conflict):
    """None of those that were named can be retried in the rollout."""


class NobodyLeftOut(Conflict):
    """None of those that were named can be left out of the rollout."""
