"""Limits of subscriptions against what fleets count: told when one is reached, and when it is over."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from notices.kinds import Kind
from notices.limits import Alarm, Limit, Phase, Turn, judge
from notices.models import FleetAlarm, Subscription, Trouble
from notices.outbox import News, tell


@dataclass(frozen=True, slots=True)
class FleetCount:
    """How many collectors of a fleet there are, say that they are unhealthy, and cannot be reached."""

    id: UUID
    slug: str
    name: str
    total: int = 0
    unhealthy: int = 0
    gone: int = 0

    def of(self, trouble: Trouble) -> int:
        """Those in this trouble."""
        return self.unhealthy if trouble == Trouble.UNHEALTHY else self.gone


@dataclass(frozen=True, slots=True)
class _Words:
    kind: Kind
    one: str
    many: str


_BEGINS: Final[Mapping[Trouble, _Words]] = {
    Trouble.UNHEALTHY: _Words(Kind.COLLECTORS_UNHEALTHY, "is unhealthy", "are unhealthy"),
    Trouble.GONE: _Words(Kind.COLLECTORS_GONE, "is gone", "are gone"),
}
_ENDS: Final[Mapping[Trouble, _Words]] = {
    Trouble.UNHEALTHY: _Words(Kind.COLLECTORS_HEALTHY, "is still unhealthy", "are still unhealthy"),
    Trouble.GONE: _Words(Kind.COLLECTORS_BACK, "is still gone", "are still gone"),
}
_FILTERS: Final[Mapping[Trouble, str]] = {
    Trouble.UNHEALTHY: "health=unhealthy",
    Trouble.GONE: "status=disconnected&status=stale",
}


def is_wanted() -> bool:
    """Whether anybody wants to know about collectors in trouble, or was told and waits for the end."""
    return Subscription.objects.watching().exists() or FleetAlarm.objects.exists()


def judge_fleets(counts: Collection[FleetCount], *, now: datetime) -> None:
    """Compare all limits with what is counted now; a fixed number of statements, and one more for each change."""
    with transaction.atomic():
        locked = Subscription.objects.select_for_update(no_key=True).order_by("pk")
        subscriptions = {one.pk: one for one in locked.filter(pk__in=_watching())}
        known = {_key(one): one for one in FleetAlarm.objects.select_for_update().order_by("pk")}
        wanted = dict(_wanted(subscriptions.values(), counts))
        dropped = [one.pk for key, one in known.items() if key not in wanted]
        FleetAlarm.objects.filter(pk__in=dropped).delete()
        for key, (limit, fleet) in wanted.items():
            _judge(subscriptions[key[0]], limit, fleet, Trouble(key[2]), known.get(key), now)


_Key = tuple[UUID, UUID, str]


def _watching() -> list[UUID]:
    return list(Subscription.objects.watching().values_list("pk", flat=True))


def _key(alarm: FleetAlarm) -> _Key:
    return (alarm.subscription_id, alarm.fleet_id, alarm.trouble)


def _wanted(
    subscriptions: Collection[Subscription], counts: Collection[FleetCount]
) -> Iterator[tuple[_Key, tuple[Limit, FleetCount]]]:
    for one in subscriptions:
        for trouble in Trouble:
            limit = one.limit(trouble)
            for fleet in counts if limit else ():
                if limit and one.covers(fleet.id):
                    yield (one.pk, fleet.id, trouble.value), (limit, fleet)


def _judge(
    one: Subscription,
    limit: Limit,
    fleet: FleetCount,
    trouble: Trouble,
    row: FleetAlarm | None,
    now: datetime,
) -> None:
    before = Alarm(Phase(row.phase), row.since) if row else None
    hold = timedelta(seconds=one.hold_s)
    after, turn = judge(before, limit, fleet.of(trouble), fleet.total, now=now, hold=hold)
    if after != before:
        _store(one, fleet, trouble, after)
    if turn is not None:
        tell(news_of(turn, trouble, fleet, limit), now=now, only_for=one)


def _store(one: Subscription, fleet: FleetCount, trouble: Trouble, alarm: Alarm | None) -> None:
    same: dict[str, Any] = {"subscription": one, "fleet_id": fleet.id, "trouble": trouble.value}
    if alarm is None:
        FleetAlarm.objects.filter(**same).delete()
    else:
        new = {"phase": alarm.phase.value, "since": alarm.since}
        FleetAlarm.objects.update_or_create(**same, defaults=new)


def news_of(turn: Turn, trouble: Trouble, fleet: FleetCount, limit: Limit) -> News:
    """What receivers read about a limit that is reached, or left again."""
    count, begins = fleet.of(trouble), turn is Turn.BEGINS
    words = (_BEGINS if begins else _ENDS)[trouble]
    verb = words.one if count == 1 else words.many
    title = f"{fleet.name}: {count:,} of {fleet.total:,} collectors {verb}"
    if not begins and not count:
        well = "healthy again" if trouble == Trouble.UNHEALTHY else "back"
        title = f"{fleet.name}: its collectors are {well}"
    filters = _FILTERS[trouble]
    return News(
        kind=words.kind,
        title=title,
        text=f"You are told from {limit} on." if begins else f"That is below {limit}.",
        path=f"/collectors/?fleet={fleet.slug}&{filters}" if count else f"/fleets/{fleet.slug}/",
        fleet_id=fleet.id,
        data={
            "fleet": {"id": str(fleet.id), "slug": fleet.slug, "name": fleet.name},
            "collectors": {"count": count, "total": fleet.total, "limit": str(limit)},
        },
    )
