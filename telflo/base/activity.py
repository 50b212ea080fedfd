"""The one door to the activity log: who did what, on what, when, why, with the values before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Self
from uuid import UUID

from django.db.models import Model

from telflo.base.clock import now
from telflo.base.hints import touch_on_commit
from telflo.base.models import Activity, ActorKind, ApiToken, User
from telflo.base.redaction import redact_line, redact_mapping

_TYPES = {"configversion": "version", "user": "person", "apitoken": "api_token"}
"""Names for people and the API where a model's own name says less."""
MOST_NAMED: Final = 100
"""Of so many objects of one change the log keeps ids and names."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change. Make one with the constructors below."""

    kind: ActorKind
    label: str
    user: User | None = None

    @classmethod
    def person(cls, user: User) -> Self:
        """A person in the pages or the Django admin."""
        return cls(ActorKind.PERSON, user.display_name, user)

    @classmethod
    def api_token(cls, user: User, token: ApiToken) -> Self:
        """A person's program, by an API token."""
        return cls(ActorKind.API_TOKEN, f"{token.name} (token of {user.display_name})", user)

    @classmethod
    def stranger(cls, address: str) -> Self:
        """Somebody who has not shown who they are."""
        return cls(ActorKind.PERSON, f"Somebody at {address}")

    @classmethod
    def worker(cls, name: str) -> Self:
        """Telflo itself: a task, a command, the first start."""
        return cls(ActorKind.WORKER, name)

    @classmethod
    def token(cls, label: str) -> Self:
        """A collector or an install script, by its token. `label` never holds the secret."""
        return cls(ActorKind.TOKEN, label)


def record(
    *,
    actor: Actor,
    action: str,
    obj: Model | None,
    label: str = "",
    fleet_id: UUID | None = None,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add one row, in the caller's transaction: call it where the change is made.

    `action` is `kind.verb` ("version.publish"). `label` names the object for people (default: str(obj)). obj None: what
    is named is nothing that is kept here.
    `fleet_id` defaults to the fleet that `obj` is or belongs to. before/after are JSON values; secrets in
    them are masked here.
    """
    _add(
        actor=actor,
        action=action,
        object_type=object_type(obj) if obj else action.partition(".")[0],
        object_id=_id_of(obj),
        label=label or str(obj),
        fleet_id=fleet_id or (_fleet_of(obj) if obj else None),
        reason=reason,
        before=before,
        after=after,
    )


def record_many(
    *,
    actor: Actor,
    action: str,
    kind: str,
    labels: Mapping[UUID, str],
    noun: str,
    fleet_id: UUID | None = None,
    reason: str = "",
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add one row for one change of many objects of a kind: labels names them by id, noun names the kind for people.

    It holds their number, and the ids and names of the first MOST_NAMED. Of one object it reads as record's does.
    """
    only = next(iter(labels)) if len(labels) == 1 else None
    named = {str(key): label for key, label in islice(labels.items(), MOST_NAMED)}
    _add(
        actor=actor,
        action=action,
        object_type=kind,
        object_id=str(only or ""),
        label=f"{len(labels):,} {noun}s" if only is None else labels[only],
        fleet_id=fleet_id,
        reason=reason,
        before=None,
        after={**(after or {}), **({} if only else {"count": len(labels), f"{noun}s": named})},
    )


def _add(
    *,
    actor: Actor,
    action: str,
    object_type: str,
    object_id: str,
    label: str,
    fleet_id: UUID | None,
    reason: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    Activity.objects.create(
        at=now(),
        actor_kind=actor.kind,
        actor=actor.user,
        actor_label=actor.label[:200],
        action=action,
        object_type=object_type,
        object_id=object_id,
        object_label=label[:200],
        fleet_id=fleet_id,
        reason=redact_line(reason)[:500],
        before=None if before is None else redact_mapping(before),
        after=None if after is None else redact_mapping(after),
    )
    touch_on_commit(["activity"])


def actor_of(request: object) -> Actor:
    """Who makes this page's or API's request. Raises TypeError for a request of nobody: check access first."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        raise TypeError("a change was asked for by nobody")
    token = getattr(request, "auth", None)
    return Actor.api_token(user, token) if isinstance(token, ApiToken) else Actor.person(user)


def object_type(obj: Model) -> str:
    """The name of the kind of thing in the log, e.g. "fleet", "version", "person"."""
    name = obj._meta.model_name or ""
    return _TYPES.get(name, name)


def _id_of(obj: Model | None) -> str:
    if obj is None:
        return ""
    return str(obj.uid if isinstance(obj, User) else obj.pk)


def _fleet_of(obj: Model) -> UUID | None:
    if obj._meta.model_name == "fleet":
        return UUID(str(obj.pk))
    found = getattr(obj, "fleet_id", None)
    return found if isinstance(found, UUID) else None
