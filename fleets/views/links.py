"""Where the things stand that the activity log names: those that still exist, and that the reader may see."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from agents.models import Agent
from configs.models import Configuration, ConfigVersion
from fleets.models import Deployment, Fleet, Rollout, Token
from notices.models import Subscription
from telflo.base.access import Action, may
from telflo.base.models import Activity, ApiToken, User

Links = Mapping[Any, str]
"""Addresses by the ids of what they lead to."""


def links_of(entries: Iterable[Activity], reader: Any) -> dict[UUID, str]:
    """The addresses of what these entries are about, by the entries' ids. One query for each kind of thing."""
    rows = list(entries)
    ids: dict[str, set[UUID]] = {kind: set() for kind in _FINDERS}
    for row in rows:
        key = _uuid(row.object_id)
        if key is not None and row.object_type in ids:
            ids[row.object_type].add(key)
    found = {kind: find(ids[kind], reader) for kind, find in _FINDERS.items()}
    numbers = {number for row in rows if (number := _rollout_number(row))}
    rollouts = _rollouts(numbers, reader, by="number")
    links = {}
    for row in rows:
        key = _uuid(row.object_id)
        started = rollouts.get(_rollout_number(row))
        link = started or found.get(row.object_type, {}).get(key)
        if link:
            links[row.pk] = link
    return links


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _rollout_number(row: Activity) -> int | None:
    """The rollout that an assignment started, which says more of it than the fleet does."""
    number = (row.after or {}).get("rollout") if row.action == "fleet.assign" else None
    return number if isinstance(number, int) else None


def _rollouts(keys: Collection[Any], _reader: Any, *, by: str = "pk") -> Links:
    found = Rollout.objects.filter(**{f"{by}__in": keys}).values_list(by, "number")
    return {key: reverse("rollouts:detail", args=[number]) for key, number in found}


def _fleets(ids: Collection[UUID], _reader: Any) -> Links:
    found = Fleet.objects.filter(pk__in=ids).values_list("pk", "slug")
    return {key: reverse("fleets:detail", args=[slug]) for key, slug in found}


def _agents(ids: Collection[UUID], _reader: Any) -> Links:
    found = Agent.objects.filter(pk__in=ids).values_list("pk", flat=True)
    return {key: reverse("agents:detail", args=[key]) for key in found}


def _configurations(ids: Collection[UUID], _reader: Any) -> Links:
    found = Configuration.objects.filter(pk__in=ids).values_list("pk", flat=True)
    return {key: reverse("configs:detail", args=[key]) for key in found}


def _versions(ids: Collection[UUID], _reader: Any) -> Links:
    found = ConfigVersion.objects.filter(pk__in=ids).values_list("pk", "configuration", "number")
    return {key: reverse("configs:version", args=where) for key, *where in found}


def _tokens(ids: Collection[UUID], _reader: Any) -> Links:
    """In the list, where alone tokens are shown."""
    found = Token.objects.filter(pk__in=ids).values_list("pk", "kind", "prefix")
    words = {key: {"kind": kind, "state": "all", "q": prefix} for key, kind, prefix in found}
    return {key: f"{reverse('tokens:list')}?{urlencode(one)}" for key, one in words.items()}


def _deployments(ids: Collection[UUID], _reader: Any) -> Links:
    found = Deployment.objects.filter(pk__in=ids).values_list("pk", "fleet__slug")
    return {key: reverse("fleets:deployment", args=[slug, key]) for key, slug in found}


def _people(ids: Collection[UUID], reader: Any) -> Links:
    """Only Admins see the list of people; everybody sees oneself."""
    if may(reader, Action.ADMINISTER):
        found = User.objects.filter(uid__in=ids).values_list("uid", "pk")
        return {uid: f"{reverse('people')}#person-{key}" for uid, key in found}
    return {reader.uid: reverse("profile")} if reader.uid in ids else {}


def _api_tokens(ids: Collection[UUID], reader: Any) -> Links:
    """One's own."""
    found = ApiToken.objects.filter(pk__in=ids, user=reader).values_list("pk", flat=True)
    return dict.fromkeys(found, reverse("profile"))


def _subscriptions(ids: Collection[UUID], reader: Any) -> Links:
    """Of notifications, which only Admins see."""
    if not may(reader, Action.ADMINISTER):
        return {}
    found = Subscription.objects.filter(pk__in=ids).values_list("pk", flat=True)
    return {key: reverse("notices:detail", args=[key]) for key in found}


_FINDERS: Final[Mapping[str, Callable[[Collection[UUID], Any], Links]]] = {
    "fleet": _fleets,
    "agent": _agents,
    "configuration": _configurations,
    "version": _versions,
    "token": _tokens,
    "deployment": _deployments,
    "rollout": _rollouts,
    "person": _people,
    "api_token": _api_tokens,
    "subscription": _subscriptions,
}
"""By the kinds that the log names (telflo.base.activity.object_type)."""
