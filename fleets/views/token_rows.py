"""Tokens as rows of a table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fleets.models import Token
from fleets.token_state import TokenState, ends_at, token_state
from fleets.tokens import members_of, moved_from
from fleets.views.token_words import counts_by, names_of

OPEN = (TokenState.ACTIVE, TokenState.EXPIRES_SOON)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One token and who uses it. name: what people call it. moved: how many came by it before an offer moved them."""

    token: Token
    name: str
    state: TokenState
    ends_at: datetime | None
    collectors: int
    moved: int

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
    """The rows of these tokens; two queries for their collectors, one for the names of those that have their own."""
    found = list(tokens)
    names = names_of(found)
    counts = counts_by(members_of(*found), "token_id")
    moved = counts_by(moved_from(*found), "moved_from_id")
    return [
        TokenRow(
            token,
            names[token.pk],
            token_state(token, now),
            ends_at(token),
            counts.get(token.pk, 0),
            moved.get(token.pk, 0),
        )
        for token in found
    ]
