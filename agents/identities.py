"""Identities that the server gives: to one of several agents that share a uid (A2), and on request (M6).

What was given is kept, so that whichever process the agent comes to knows whose copy it is, and a client that takes no
new uid is not given one for ever.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from agents import store
from agents.models import Agent, GivenUid
from agents.store import NewEvent
from telflo.base.hints import touch_on_commit
from telflo.base.ids import new_id
from telflo.base.pruning import delete_in_batches

MOST_AN_HOUR: Final = 16
"""So many new identities are given for one uid: enough for a crowd from one machine image, and no flood."""
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Kin:
    """Another agent that had, or got, the same uid: a link when it is still known."""

    uid: UUID
    name: str
    is_known: bool
    at: datetime


def give_uid(
    *, instance_uid: UUID, remote_address: str, is_clone: bool, now: datetime
) -> UUID | None:
    """A new identity (UUIDv7) for an agent that goes by instance_uid; None when enough were given in an hour.

    is_clone: another agent goes on under the old uid. The last that is given tells so in the timeline.
    """
    with transaction.atomic():
        store.lock([instance_uid])  # one at a time
        recent = GivenUid.objects.filter(was=instance_uid, given_at__gt=now - HOUR).count()
        if recent >= MOST_AN_HOUR:
            return None
        given = GivenUid.objects.create(
            uid=new_id(),
            was=instance_uid,
            is_clone=is_clone,
            remote_address=remote_address[:64],
            given_at=now,
        )
        if recent + 1 == MOST_AN_HOUR:
            _tell(instance_uid, "shares_uid", {"address": remote_address[:64]}, now)
        return given.uid


def given_identities(uids: Collection[UUID]) -> dict[UUID, GivenUid]:
    """What is known of those of these uids that the server chose."""
    return GivenUid.objects.in_bulk(list(uids))


def take_uid(given: GivenUid, *, now: datetime) -> None:
    """An agent came with the identity that it was given: both timelines say so. In the caller's transaction."""
    GivenUid.objects.filter(pk=given.pk, taken_at=None).update(taken_at=now)
    kind = "cloned_from" if given.is_clone else "formerly"
    _tell(given.uid, kind, {"was": str(given.was), "name": _name(given.was)}, now)
    if given.is_clone:
        _tell(given.was, "cloned", {"uid": str(given.uid), "address": given.remote_address}, now)


def kin_of(uid: UUID) -> tuple[Kin | None, Sequence[Kin]]:
    """Whose uid this agent had before, and who had this agent's uid; in two queries at most."""
    rows = list(
        GivenUid.objects.filter(Q(uid=uid) | Q(was=uid))
        .exclude(taken_at=None)
        .order_by("-taken_at")[: MOST_AN_HOUR + 1]
    )
    if not rows:
        return None, ()
    names = _names({row.was for row in rows} | {row.uid for row in rows})
    origin = next((_kin(row.was, row, names) for row in rows if row.uid == uid), None)
    return origin, [_kin(row.uid, row, names) for row in rows if row.was == uid]


def prune_given_uids(now: datetime, *, batches: int = 100) -> int:
    """Delete what is older than timelines are kept; answers how many."""
    old = GivenUid.objects.filter(given_at__lt=now - settings.KEEP_AGENT_EVENTS)
    return delete_in_batches(old.order_by("given_at"), batches=batches)


def _kin(uid: UUID, row: GivenUid, names: Mapping[UUID, str]) -> Kin:
    assert row.taken_at is not None
    return Kin(uid, names.get(uid, str(uid)[-8:]), uid in names, row.taken_at)


def _names(uids: Iterable[UUID]) -> dict[UUID, str]:
    found = Agent.objects.filter(pk__in=list(uids)).values_list("pk", "display_name")
    return dict(found)


def _name(uid: UUID) -> str:
    return _names([uid]).get(uid, "")


def _tell(uid: UUID, kind: str, data: dict[str, str], now: datetime) -> None:
    if not Agent.objects.filter(pk=uid).exists():
        return  # forgotten
    store.add_events([NewEvent(uid, now, kind, data)])
    touch_on_commit([f"agent:{uid}", "overview"])
