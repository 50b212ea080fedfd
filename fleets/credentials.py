"""Credentials of single agents (S5, S6): minted when they are offered, kept once they are seen, ended by the next."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from agents import notify, store
from agents.models import Agent
from agents.store import NewEvent
from fleets.models import AgentConnection, Token, TokenKind
from fleets.standing import Standing
from fleets.tokens import PREFIX_LENGTH, PREFIXES
from telflo.base.pruning import delete_in_batches
from telflo.base.secrets import new_secret

_FORGOTTEN: Final = "The collector was forgotten."
_REPLACED: Final = "The collector uses a newer credential."


@dataclass(frozen=True, slots=True)
class Minted:
    """A credential that is not stored yet, and its secret, which goes into the offer and nowhere else."""

    token: Token
    secret: str

    def __repr__(self) -> str:
        """Without the secret: it must not get into logs."""
        return f"Minted({self.token})"


def mint(uid: UUID, shared: Token, *, now: datetime) -> Minted:
    """A credential for one agent that came by a shared token, or by an earlier one like it.

    It belongs to that token's fleet, as its member does: supervisors forget offers, and who comes back by the shared
    token must be the same member.
    """
    parent = shared.parent_id if shared.kind == TokenKind.AGENT else shared.pk
    made = new_secret(PREFIXES[TokenKind.AGENT])
    token = Token(
        kind=TokenKind.AGENT,
        fleet_id=shared.fleet_id,
        name=f"credential of {uid}",
        prefix=made.secret[:PREFIX_LENGTH],
        secret_hash=made.secret_hash,
        parent_id=parent,
        agent_uid=uid,
        created_at=now,
        enrol_until=shared.enrol_until,
    )
    return Minted(token, made.secret)


def note_came_by_offered(standings: Iterable[Standing], *, now: datetime) -> None:
    """Of these agents, those that are here by the credential that they were offered: those before it are over, and who
    is still connected by one of them is closed in every process (S8).

    In the caller's transaction. Writes once for each; a fixed number of statements, however many they are.
    """
    in_use = {
        one.agent_id: one.token_id for one in standings if one.came_by_offered and one.unused_offers
    }
    if not in_use:
        return
    AgentConnection.objects.filter(agent_id__in=in_use).update(unused_offers=0)
    older = Token.objects.filter(kind=TokenKind.AGENT, agent_uid__in=in_use, revoked_at=None)
    used = {token_id for token_id in in_use.values() if token_id is not None}
    _replace(list(older.exclude(pk__in=used).values_list("pk", flat=True)), now)
    prefixes = dict(Token.objects.filter(pk__in=used).values_list("pk", "prefix"))
    store.add_events(
        NewEvent(uid, now, "credential", {"token": prefixes[token_id]})
        for uid, token_id in in_use.items()
        if token_id is not None
    )


def _replace(token_ids: Collection[UUID], now: datetime) -> None:
    if not token_ids:
        return
    left = Token.objects.filter(pk__in=token_ids, revoked_at=None)
    left.update(revoked_at=now, revoked_reason=_REPLACED)
    transaction.on_commit(partial(notify.close_tokens, token_ids, _REPLACED), robust=True)


def offer_again(uids: Collection[UUID]) -> None:
    """These agents are offered credentials once more, however many they left unused."""
    left = AgentConnection.objects.filter(agent_id__in=uids).exclude(unused_offers=0)
    store.hold(list(left.values_list("agent_id", flat=True)))
    # The place too: nobody came by it.
    left.update(unused_offers=0, place="")


def end_of_forgotten(uids: Collection[UUID], *, now: datetime) -> None:
    """The credentials of agents that are deleted let nobody in any more, but for those that a copy brought along."""
    _end(Q(agent_uid__in=uids), now)


def _end(whose: Q, now: datetime) -> None:
    left = Token.objects.filter(whose, kind=TokenKind.AGENT, revoked_at=None, memberships=None)
    left.update(revoked_at=now, revoked_reason=_FORGOTTEN)


def prune_credentials(now: datetime, *, batches: int = 100) -> int:
    """Delete agents' credentials that were replaced or revoked long ago; answers how many.

    Those of agents that an earlier version forgot are ended.
    """
    _end(Q(~Exists(Agent.objects.filter(pk=OuterRef("agent_uid")))), now)
    old = Token.objects.filter(
        kind=TokenKind.AGENT, revoked_at__lt=now - settings.KEEP_REFUSED_ATTEMPTS
    )
    return delete_in_batches(old.order_by("pk"), batches=batches)
