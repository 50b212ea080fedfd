"""Who is told in the seeded installation, and how that went: arrived at once, after a while, and not yet."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from notices.kinds import Kind
from notices.models import Channel, Delivery, DeliveryState, Subscription
from notices.outbox import News, spread, tell
from notices.services import Wish, subscribe
from telflo.base.activity import Actor

_UNAVAILABLE: Final = (503, "It answered 503.", 212)
_SILENT: Final = (None, "It did not answer in time.", 10_004)
_TAKEN: Final = (204, "", 96)
_Tries = tuple[tuple[int | None, str, int], ...]
_TOLD: Final[tuple[tuple[Kind, str, _Tries], ...]] = (
    (Kind.ROLLOUT_ROLLED_BACK, "edge gateway v2 to edge-us was taken back", (_TAKEN,)),
    (
        Kind.ROLLOUT_CANCELLED,
        "edge gateway v2 to edge-eu is cancelled",
        (_SILENT, _UNAVAILABLE, _TAKEN),
    ),
    (Kind.ROLLOUT_ROLLING_BACK, "kubernetes node v1 is being taken back", (_UNAVAILABLE, _SILENT)),
)
_KINDS: Final = tuple(kind for kind, *_ in _TOLD)


def subscribe_people(actor: Actor, now: datetime) -> None:
    """A webhook with a log, and a channel without one.

    Nothing is sent: what came of each try is written down, and what else they would be told of does not happen.
    """
    url = "https://hooks.example.com/telflo"
    wish = Wish(name="on call", kinds=_KINDS, gone_from="50%", url=url)
    one = subscribe(channel=Channel.WEBHOOK, wish=wish, actor=actor).subscription
    for kind, title, _ in _TOLD:
        tell(News(kind=kind, title=title, path="/rollouts/"), now=now, only_for=one)
    spread(now)
    for delivery, (*_, tries) in zip(one.deliveries.order_by("id"), _TOLD, strict=True):
        _try(delivery, tries, now)
    Subscription.objects.filter(pk=one.pk).update(
        failures=2, failing_since=now, last_delivered_at=now - timedelta(days=6)
    )
    chat = Wish(name="chat", kinds=_KINDS, url="https://hooks.example.com/services/T1/B1")
    subscribe(channel=Channel.SLACK, wish=chat, actor=actor)


def _try(delivery: Delivery, tries: _Tries, now: datetime) -> None:
    for number, (status, error, took_ms) in enumerate(tries):
        at = now + timedelta(minutes=number)
        delivery.add_try(at, status_code=status, error=error, took_ms=took_ms)
        delivery.tries, delivery.tried_at = number + 1, at
        delivery.status_code, delivery.error = status, error
    has_arrived = not delivery.error
    delivery.state = DeliveryState.DELIVERED if has_arrived else DeliveryState.WAITING
    delivery.next_at = None if has_arrived else now + timedelta(days=1)
    delivery.save()
