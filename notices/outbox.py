"""The one door to tell something: a row in the transaction of what it tells, so nothing is lost or untrue."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from notices.kinds import Kind
from notices.models import Delivery, Notice, Subscription
from telflo.base.redaction import redact_line, redact_mapping

logger = logging.getLogger(__name__)

_BATCH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What there is to tell. title: one sentence; path: of the page about it; data: JSON for programs."""

    kind: Kind
    title: str
    text: str = ""
    path: str = ""
    fleet_id: UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def tell(news: News, *, now: datetime, only_for: Subscription | None = None) -> None:
    """Keep it in the caller's transaction and send it once that holds. Secrets in it are masked here."""
    # Tasks import this module's neighbours.
    from notices import tasks  # noqa: PLC0415

    Notice.objects.create(
        kind=news.kind.value,
        at=now,
        fleet_id=news.fleet_id,
        title=redact_line(news.title)[:300],
        text=redact_line(news.text)[:2_000],
        path=news.path,
        data=redact_mapping(news.data),
        only_for=only_for,
    )
    transaction.on_commit(tasks.deliver_soon, robust=True)


def spread(now: datetime) -> int:
    """Give each new notice a delivery for everybody who wants it; answers how many. Running twice changes nothing."""
    with transaction.atomic():
        new = Notice.objects.filter(spread_at=None).order_by("id")
        notices = list(new.select_for_update(skip_locked=True, of=("self",))[:_BATCH])
        if not notices:
            return 0
        subscriptions = list(Subscription.objects.select_for_update(no_key=True).order_by("pk"))
        made = [
            Delivery(notice=notice, subscription=one, next_at=now)
            for notice in notices
            for one in subscriptions
            if (one.paused_at is None or notice.only_for_id) and one.wants(notice)
        ]
        Delivery.objects.bulk_create(made, ignore_conflicts=True)
        Notice.objects.filter(pk__in=[one.pk for one in notices]).update(spread_at=now)
        return len(made)
