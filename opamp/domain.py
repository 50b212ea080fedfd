"""The gateway's port to the real domain: fleets' services, each call with a database connection in good order."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    transaction,
)
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import TimeoutError as RedisTimeout

from agents import identities, store
from agents.commands import Command
from agents.snapshot import AgentPatch
from agents.store import Arrival
from fleets import (
    admission,
    connection_claims,
    enrollment,
    offers,
    refusals,
    reports,
    standing,
    tokens,
)
from fleets.connection_offer import Held, SettingsClaim, SettingsOffer
from fleets.errors import EnrolmentRefused, NotNow, TokenRefused
from fleets.offer import Claim, Intent, Offer
from opamp.errors import AgentPutOff, AgentRefused, ConnectionRefused, Overtaken
from opamp.ports import Admitted, Caller, Credential, Refusal
from telflo.base.deadlocks import again_after_deadlock

P = ParamSpec("P")
R = TypeVar("R")

_AWAY = (
    OperationalError,
    InterfaceError,
    ConnectionError,
    TimeoutError,
    RedisAway,  # redis-py's own, no OSErrors
    RedisTimeout,
    AgentPutOff,
)


def with_connections(work: Callable[P, R]) -> Callable[P, R]:
    """Run on a thread of ours: connections that are too old or broken are replaced, as Django does around a request."""
    patient = again_after_deadlock(work)

    @wraps(work)
    def run(*args: P.args, **named: P.kwargs) -> R:
        close_old_connections()
        try:
            return patient(*args, **named)
        finally:
            close_old_connections()

    return run


class DjangoDomain:
    """opamp.ports.Domain on the database."""

    @with_connections
    def verify_token(self, secret: str, *, now: datetime) -> Credential:
        """See Domain."""
        try:
            token = enrollment.verify_token(secret, now=now)
        except TokenRefused as refusal:
            raise ConnectionRefused(
                refusal.reason.value, text=str(refusal), token_prefix=refusal.token_prefix
            ) from None
        return Credential(id=token.id, prefix=token.prefix, token=token)

    @with_connections
    def admit_agents(self, callers: Sequence[Caller], *, now: datetime) -> Mapping[UUID, Admitted]:
        """See Domain."""
        answers = admission.admit_agents([_caller(one) for one in callers], now=now)
        return {uid: _admitted(answer) for uid, answer in answers.items()}

    @with_connections
    def give_uid(
        self, *, instance_uid: UUID, remote_address: str, is_clone: bool, now: datetime
    ) -> UUID | None:
        """See Domain."""
        return identities.give_uid(
            instance_uid=instance_uid, remote_address=remote_address, is_clone=is_clone, now=now
        )

    @with_connections
    def claim_commands(
        self, agents: Mapping[UUID, int], *, now: datetime
    ) -> Mapping[UUID, Command]:
        """See Domain."""
        return store.claim_commands(agents, now=now)

    @with_connections
    def sessions(self, uids: Collection[UUID] | None) -> Mapping[UUID, tuple[int, bool]]:
        """See Domain."""
        return store.sessions_of(uids)

    @with_connections
    def record_patches(self, patches: Sequence[AgentPatch]) -> None:
        """See Domain."""
        try:
            reports.record_patches(patches)
        except store.Overtaken:
            raise Overtaken from None

    @with_connections
    def claim_offers(self, agents: Mapping[UUID, int], *, now: datetime) -> Mapping[UUID, Offer]:
        """See Domain."""
        return offers.claim_offers(agents, now=now)

    @with_connections
    def give_back_offers(self, claims: Mapping[UUID, Claim], *, now: datetime) -> None:
        """See Domain."""
        offers.give_back_offers(claims, now=now)

    @with_connections
    def claim_settings(
        self, agents: Mapping[UUID, Held], *, now: datetime
    ) -> Mapping[UUID, SettingsOffer]:
        """See Domain."""
        return connection_claims.claim_settings(agents, now=now)

    @with_connections
    def give_back_settings(self, claims: Mapping[UUID, SettingsClaim], *, now: datetime) -> None:
        """See Domain."""
        connection_claims.give_back_settings(claims, now=now)

    @with_connections
    def intents(self, uids: Collection[UUID] | None) -> Mapping[UUID, Intent]:
        """See Domain."""
        return standing.intents(uids)

    @with_connections
    def revoked_among(self, credential_ids: Collection[UUID]) -> Collection[UUID]:
        """See Domain."""
        return tokens.revoked_among(credential_ids)

    @with_connections
    def record_refusals(self, refused: Sequence[Refusal]) -> None:
        """See Domain."""
        # In one order: two processes may count the same ones.
        with transaction.atomic():
            for refusal in sorted(refused, key=_kind_of):
                _record_refusal(refusal)

    def is_temporary(self, error: Exception) -> bool:
        """A database or a Redis that is away or busy; a value that it cannot take is not."""
        return isinstance(error, _AWAY) or type(error) is DatabaseError


def _admitted(answer: admission.Answer) -> Admitted:
    if isinstance(answer, EnrolmentRefused):
        return AgentRefused(answer.reason.value, text=str(answer))
    return AgentPutOff(str(answer)) if isinstance(answer, NotNow) else answer


def _caller(caller: Caller) -> admission.Caller:
    arrival = Arrival(
        caller.instance_uid,
        caller.transport,
        caller.remote_address,
        caller.number,
        has_left=caller.has_left,
    )
    return admission.Caller(caller.credential.token, arrival)


def _kind_of(refusal: Refusal) -> tuple[str, str, str]:
    return refusal.token_prefix, refusal.address, refusal.reason


def _record_refusal(refusal: Refusal) -> None:
    refusals.record_refusal(
        token_prefix=refusal.token_prefix,
        address=refusal.address,
        reason=refusal.reason,
        transport=refusal.transport,
        user_agent=refusal.user_agent,
        count=refusal.count,
        now=refusal.at,
    )
