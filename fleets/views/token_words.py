"""What ending a token does to collectors, in words and numbers: for the questions of the pages and the Django admin."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Count, QuerySet

from agents.models import Agent
from fleets.models import Membership, Token, TokenKind
from fleets.tokens import members_of, moved_from
from telflo.ui.numbers import counted


def words_of_retiring(tokens: Sequence[Token]) -> dict[UUID, str]:
    """What happens when each of these is retired, by their ids; one query for all."""
    users = counts_by(members_of(*tokens), "token_id")
    return {
        token.pk: f"No new collector gets in by it. {_stay(users.get(token.pk, 0))}"
        for token in tokens
    }


def words_of_revoking(tokens: Sequence[Token]) -> dict[UUID, str]:
    """What happens when each of these is revoked, by their ids; two queries for all."""
    users = counts_by(members_of(*tokens), "token_id")
    moved = counts_by(moved_from(*tokens), "moved_from_id")
    return {
        token.pk: _lose(token, users.get(token.pk, 0)) + _who_may_come_back(moved.get(token.pk, 0))
        for token in tokens
    }


def names_of(tokens: Sequence[Token]) -> dict[UUID, str]:
    """What people call each of these, by their ids: a collector's own credential by the collector's name, while it is
    known. One query when there is such a one.
    """
    uids = {token.agent_uid for token in tokens if token.agent_uid}
    known = (
        dict(Agent.objects.filter(pk__in=uids).values_list("pk", "display_name")) if uids else {}
    )
    called = {uid: name for uid, name in known.items() if name}
    return {
        token.pk: f"credential of {called[token.agent_uid]}"
        if token.agent_uid in called
        else token.name
        for token in tokens
    }


def counts_by(members: "QuerySet[Membership]", by: str) -> dict[UUID, int]:
    """How many members there are for each value of a column, in one query."""
    return dict(members.order_by().values_list(by).annotate(n=Count("*")))


def _stay(number: int) -> str:
    if not number:
        return "No collector came in by it."
    return f"{counted(number, 'collector')} that it let in {'stays' if number == 1 else 'stay'}."


def _lose(token: Token, number: int) -> str:
    if not number:
        return "No collector uses it. Who still has the secret is refused from then on."
    verbs = ("loses", "keeps") if number == 1 else ("lose", "keep")
    lose = f"{counted(number, 'collector')} {verbs[0]} the server and {verbs[1]} running."
    if token.kind == TokenKind.HOST:
        return f"{lose} A quick-deploy command that is run on its host gives it another token."
    return f"{lose} To stop new hosts only, retire it."


def _who_may_come_back(moved: int) -> str:
    if not moved:
        return ""
    was, words = (
        (
            "was",
            "Unless its file holds another token by now, it comes back by it at its next restart and is refused.",
        )
        if moved == 1
        else (
            "were",
            "Unless their files hold another token by now, they come back by it at their next restart and are refused.",
        )
    )
    return f" {counted(moved, 'collector')} came by it and {was} moved by an offer. {words}"
