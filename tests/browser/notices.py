"""Who is told in the seeded installation, and how that went: arrived at once, after a while, and not yet."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from notices.kinds import Kind
from notices.models import Channel, Delivery, DeliveryState, Notice, Subscription
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
    wish = Wish(name="on call", kinds=_KINDS, url=url)
    one = subscribe(channel=Channel.WEBHOOK, wish=wish, actor=actor).subscription
    for kind, title, tries in _TOLD:
        # Not by tell(): the worker would send them.
        notice = Notice.objects.create(
            kind=kind.value, at=now, title=title, path="/rollouts/", only_for=one, spread_at=now
        )
        _tried(Delivery(notice=notice, subscription=one), tries, now).save()
    Subscription.objects.filter(pk=one.pk).update(
        failures=2, failing_since=now, last_delivered_at=now - timedelta(days=6)
    )
    chat = Wish(name="chat", kinds=_KINDS, url="https://hooks.example.com/services/T1/B1")
    subscribe(channel=Channel.SLACK, wish=chat, actor=actor)


def _tried(delivery: Delivery, tries: _Tries, now: datetime) -> Delivery:
    for number, (status, error, took_ms) in enumerate(tries):
        at = now + timedelta(minutes=number)
        delivery.add_try(at, status_code=status, error=error, took_ms=took_ms)
        delivery.tries, delivery.tried_at = number + 1, at
        delivery.status_code, delivery.error = status, error
    has_arrived = not delivery.error
    delivery.state = DeliveryState.DELIVERED if has_arrived else DeliveryState.WAITING
    delivery.next_at = None if has_arrived else now + timedelta(days=1)
    return delivery
