"""API tokens of people: issued once, kept as a hash, revoked at once."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from telflo.base.activity import Actor, record
from telflo.base.clock import now
from telflo.base.errors import Conflict, DomainError
from telflo.base.models import ApiToken, TokenScope, User
from telflo.base.secrets import new_secret

PREFIX = "tlf_u_"


@dataclass(frozen=True, slots=True)
class IssuedApiToken:
    """A new token with its secret, to be shown once."""

    token: ApiToken
    secret: str = field(repr=False)


@transaction.atomic
def issue_api_token(
    *,
    user: User,
    name: str,
    scope: str = TokenScope.READ.value,
    expires_at: datetime | None = None,
    actor: Actor,
) -> IssuedApiToken:
    """A token that acts for `user`, within the person's role. Raises DomainError for name, scope or expiry."""
    name = " ".join(name.split())
    if not 0 < len(name) <= 100:
        raise DomainError(
            "Give the token a name of 1 to 100 characters.", field="name", code="invalid"
        )
    if scope not in TokenScope.values:
        raise DomainError("The scope is read or write.", field="scope", code="invalid")
    at = now()
    if expires_at is not None and expires_at <= at:
        raise DomainError("The expiry is in the past.", field="expires", code="past")
    if not user.is_active:
        raise Conflict(f"{user.display_name} is disabled.", code="disabled")
    fresh = new_secret(PREFIX)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=fresh.prefix,
        secret_hash=fresh.secret_hash,
        scope=scope,
        created_at=at,
        expires_at=expires_at,
    )
    record(
        actor=actor,
        action="api_token.create",
        obj=token,
        after={
            "scope": scope,
            "expires_at": expires_at.isoformat() if expires_at else None,
            "person": user.username,
        },
    )
    return IssuedApiToken(token, fresh.secret)


@transaction.atomic
def revoke_api_token(*, token: ApiToken, actor: Actor) -> ApiToken:
    """Refused from now on. A token that is revoked already stays as it is."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now()):
        record(actor=actor, action="api_token.revoke", obj=token)
    token.refresh_from_db()
    return token
