"""Subscriptions, and what becomes of what they are told."""

from datetime import datetime
from typing import Any

from notices import delivering, services
from notices.kinds import ROLLOUT_KINDS, Kind
from notices.models import Channel, Delivery, Subscription
from notices.outbox import News
from notices.services import Wish
from telflo.base import clock
from tests.factories import TESTER

NEWS = News(kind=Kind.ROLLOUT_PAUSED, title="It is paused", path="/rollouts/1/", data={"n": 1})


def subscribe(*, channel: Channel = Channel.WEBHOOK, **wish: Any) -> Subscription:
    """Somebody who wants to know all of rollouts, unless told otherwise."""
    given = {"name": "ops", "kinds": ROLLOUT_KINDS, **wish}
    return services.subscribe(channel=channel, wish=Wish(**given), actor=TESTER).subscription


def make_email_notice() -> Subscription:
    """One by e-mail, as from a time when there was a mail server."""
    now = clock.now()
    return Subscription.objects.create(
        channel=Channel.EMAIL,
        name="letters",
        kinds=[ROLLOUT_KINDS[0]],
        recipients=["a@example.com"],
        created_at=now,
        updated_at=now,
    )


def work(now: datetime) -> int:
    """What the worker does once."""
    delivering.spread(now)
    return delivering.deliver_batch(now)


def log_of(one: Subscription) -> list[Delivery]:
    """Its deliveries, oldest first."""
    return list(Delivery.objects.filter(subscription=one).select_related("notice").order_by("id"))
