"""The one door to tell something: a row in the transaction of what it tells, so nothing is lost or untrue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from notices import tasks
from notices.kinds import Kind
from notices.models import Notice, Subscription
from telflo.base.redaction import redact_line, redact_mapping


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
