"""Deliveries, one for each who wants a notice: claimed, sent outside of any transaction, written down.

At least once: a worker that dies between sending and writing sends again a minute later, under the same id.
"""

import logging
import random
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from notices import message, retrying, signing
from notices.kinds import Kind
from notices.models import Channel, Delivery, DeliveryState, Notice, Subscription
from notices.sending import Answer, post, send_mail
from notices.sending.answers import GONE
from telflo.base.activity import Actor, record
from telflo.base.hints import touch_on_commit

logger = logging.getLogger(__name__)

AT_ONCE: Final = 8
WITHIN_S: Final = 10.0
"""So long one receiver may take, from the name's address to the end of its answer."""
LEASE: Final = timedelta(seconds=60)
"""After so long a delivery that was claimed and not written down is anybody's again."""
_SPARE_S: Final = 5.0
_SPREAD_AT_ONCE: Final = 100
_APART: Final = timedelta(seconds=30)
USER_AGENT: Final = f"Telflo/{settings.TELFLO_VERSION}"


def spread(now: datetime) -> int:
    """Give each new notice a delivery for everybody who wants it; answers how many. Running twice changes nothing."""
    with transaction.atomic():
        new = Notice.objects.filter(spread_at=None).order_by("id")
        notices = list(new.select_for_update(skip_locked=True, of=("self",))[:_SPREAD_AT_ONCE])
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


def deliver_batch(now: datetime) -> int:
    """Send what is due, a few at once; answers how many were tried."""
    claimed = claim(now)
    if claimed:
        _write(list(zip(claimed, _send_all(claimed, now), strict=True)), now)
    return len(claimed)


def claim(now: datetime) -> list[Delivery]:
    """Up to AT_ONCE deliveries that are due, which nobody else will send for LEASE."""
    with transaction.atomic():
        due = Delivery.objects.filter(state=DeliveryState.WAITING, next_at__lte=now)
        rows = due.select_related("notice", "subscription").order_by("next_at", "id")
        claimed = list(rows.select_for_update(skip_locked=True, of=("self",))[:AT_ONCE])
        mine = Delivery.objects.filter(pk__in=[one.pk for one in claimed])
        mine.update(next_at=now + LEASE, tries=F("tries") + 1, tried_at=now)
    for one in claimed:
        one.tries += 1
    return claimed


def _send_all(deliveries: Sequence[Delivery], now: datetime) -> list[Answer]:
    """In threads that touch no database; whoever hangs in spite of all deadlines counts as silent."""
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="telflo-notices")
    futures = [pool.submit(_timed, one, now) for one in deliveries]
    wait(futures, WITHIN_S + _SPARE_S)
    pool.shutdown(wait=False, cancel_futures=True)
    return [_result(future) for future in futures]


def _result(future: "Future[Answer]") -> Answer:
    if not future.done() or future.cancelled():
        return Answer("It did not answer in time.")
    error = future.exception()
    if error is None:
        return future.result()
    logger.error("A notification could not be sent.", exc_info=error)
    return Answer("Sending it failed here. The server's log has the cause.")


def _timed(delivery: Delivery, now: datetime) -> Answer:
    began_s = time.monotonic()
    answer = _send(delivery, now)
    return replace(answer, took_ms=round((time.monotonic() - began_s) * 1_000))


def _send(delivery: Delivery, now: datetime) -> Answer:
    told, one = _message(delivery.notice), delivery.subscription
    if one.channel == Channel.EMAIL:
        return send_mail(
            subject=message.subject(told),
            text=message.mail_text(told, why=f"Sent by Telflo for the notification “{one}”."),
            recipients=one.recipients,
            message_id=f"{told.id}.{one.pk}",
        )
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    body = message.slack_body(told)
    if one.channel == Channel.WEBHOOK:
        body = message.standard_body(told)
        headers |= signing.headers_of(one.secrets(now), f"msg_{told.id.hex}", now, body)
    return post(
        one.url,
        body=body,
        headers=headers,
        allowed=settings.WEBHOOK_ALLOW,
        ca_file=settings.CA_FILE,
        within_s=WITHIN_S,
    )


def _message(notice: Notice) -> message.Message:
    return message.Message(
        id=notice.pk,
        kind=notice.kind,
        at=notice.at,
        title=notice.title,
        text=notice.text,
        url=f"{settings.BASE_URL}{notice.path}" if settings.BASE_URL and notice.path else "",
        data=notice.data,
    )


def _write(answers: Sequence[tuple[Delivery, Answer]], now: datetime) -> None:
    with transaction.atomic():
        wanted = {delivery.subscription_id for delivery, _ in answers}
        locked = Subscription.objects.select_for_update(no_key=True).order_by("pk")
        subscriptions = {one.pk: one for one in locked.filter(pk__in=wanted)}
        for delivery, answer in answers:
            one = subscriptions.get(delivery.subscription_id)
            if one is not None:  # else it was deleted meanwhile, and its deliveries with it
                _write_down(delivery, answer, now)
                _judge(one, delivery, answer, now)
        for one in subscriptions.values():
            one.save(update_fields=_JUDGED)
        touch_on_commit({"notices", "system"})


_JUDGED: Final = ["failures", "failing_since", "last_delivered_at", "paused_at", "pause_reason"]


def _write_down(delivery: Delivery, answer: Answer, now: datetime) -> None:
    pause = None
    if not answer.has_arrived and delivery.notice.kind != Kind.TEST:
        chance = random.random()  # noqa: S311 - spreads load, guards nothing
        pause = retrying.next_try(delivery.tries, chance=chance, wanted=answer.retry_after)
    delivery.next_at = now + pause if pause else None
    delivery.state = DeliveryState.DELIVERED if answer.has_arrived else DeliveryState.FAILED
    if pause:
        delivery.state = DeliveryState.WAITING
    delivery.status_code, delivery.answer = answer.status, answer.text
    delivery.error = answer.error[:300]
    delivery.add_try(now, status_code=answer.status, error=delivery.error, took_ms=answer.took_ms)
    delivery.save(update_fields=["next_at", "state", "status_code", "answer", "error", "log"])


def _judge(one: Subscription, delivery: Delivery, answer: Answer, now: datetime) -> None:
    """What a subscription's last tries say of it. A test pauses nothing."""
    if answer.has_arrived:
        one.failures, one.failing_since, one.last_delivered_at = 0, None, now
        return
    if delivery.notice.kind == Kind.TEST or one.paused_at is not None:
        return
    one.failures += 1
    one.failing_since = one.failing_since or now
    if answer.status == GONE:
        _pause(one, "Its receiver answered 410: it is gone for good.", now)
    elif retrying.is_hopeless(one.failures, one.failing_since, now):
        _pause(one, f"{one.failures} tries in a row failed. The last: {answer.error}", now)
    else:
        _keep_apart(one, now)


def _keep_apart(one: Subscription, now: datetime) -> None:
    """What waits for a receiver that fails does not come all at once, and holds up nobody else's."""
    due = Delivery.objects.filter(subscription=one, state=DeliveryState.WAITING)
    due.filter(next_at__lte=now).update(next_at=now + _APART)


def _pause(one: Subscription, why: str, now: datetime) -> None:
    one.paused_at, one.pause_reason = now, why[:300]
    give_up_waiting(one)
    record(
        actor=Actor.worker("notifications"),
        action="subscription.pause",
        obj=one,
        reason=one.pause_reason,
    )


def give_up_waiting(one: Subscription) -> None:
    """Nothing that waits for it is sent any more."""
    waiting = Delivery.objects.filter(subscription=one, state=DeliveryState.WAITING)
    waiting.update(state=DeliveryState.FAILED, next_at=None)
