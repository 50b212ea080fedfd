"""Tokens as rows of a table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from fleets.models import Membership, Token
from fleets.token_state import TokenState, ends_at, token_state

OPEN = (TokenState.ACTIVE, TokenState.EXPIRES_SOON)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One token and who uses it."""

    token: Token
    state: TokenState
    ends_at: datetime | None
    collectors: int

    @property
    def is_open(self) -> bool:
        """Whether it still enrols."""
        return self.state in OPEN

    @property
    def is_in_overlap(self) -> bool:
        """Whether a successor is out and it ends with the overlap."""
        return self.is_open and self.token.retired_at is not None

    @property
    def may_rotate(self) -> bool:
        """Whether a successor can be issued."""
        return self.token.retired_at is None and self.token.revoked_at is None

    @property
    def is_revoked(self) -> bool:
        """Whether nothing more can be done with it."""
        return self.state is TokenState.REVOKED


def token_rows(tokens: Iterable[Token], now: datetime) -> list[TokenRow]:
    """The rows of these tokens; one query for all their collectors."""
    found = list(tokens)
    used = Membership.objects.filter(token__in=[token.pk for token in found]).order_by()
    counts = dict(used.values_list("token_id").annotate(n=Count("*")))
    return [
        TokenRow(token, token_state(token, now), ends_at(token), counts.get(token.pk, 0))
        for token in found
    ]
