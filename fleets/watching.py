"""Collectors of each fleet that are in trouble, counted for those who want to be told."""

from datetime import datetime
from typing import Final

from django.db.models import Count, Q

from agents.attention import is_ill
from agents.status import CUT_OFF
from fleets.models import Fleet
from notices import alarms
from notices.alarms import FleetCount

_STATUS: Final = "memberships__agent__status"


def watch_fleets(now: datetime) -> None:
    """Compare every fleet with the limits of subscriptions, in one query; nothing where nobody wants to know."""
    if alarms.is_wanted():
        alarms.judge_fleets(count_fleets(now), now=now)


def count_fleets(now: datetime) -> list[FleetCount]:
    """All fleets that are not archived. Who restarts because we said so is not unhealthy."""
    is_gone = Q(**{f"{_STATUS}__status__in": list(CUT_OFF)})
    rows = Fleet.objects.active().order_by().values_list("id", "slug", "name")
    counted = rows.annotate(
        total=Count(_STATUS),
        ill=Count(_STATUS, filter=is_ill(now, f"{_STATUS}__")),
        gone=Count(_STATUS, filter=is_gone),
    )
    return [
        FleetCount(key, slug, name, total, ill, gone)
        for key, slug, name, total, ill, gone in counted
    ]
