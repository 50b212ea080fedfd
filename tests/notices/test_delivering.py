"""From the outbox to a receiver: nothing is lost, doubles can be known, who does not answer is left alone."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from notices import delivering, services
from notices.kinds import Kind
from notices.models import MOST_LOGGED, Channel, Delivery, Notice, Subscription
from notices.outbox import News, tell
from notices.pruning import prune_notices
from notices.tasks import deliver_notices
from telflo.base import clock
from telflo.base.models import Activity
from tests.factories import TESTER
from tests.notices.makers import NEWS, log_of, subscribe, work
from tests.notices.receiver import Receiver

pytestmark = pytest.mark.django_db


def told(now: datetime | None = None) -> datetime:
    """Something is told; answers when."""
    now = now or clock.now()
    tell(NEWS, now=now)
    return now


def test_a_webhook_arrives_signed(receiver: Receiver) -> None:
    one = subscribe(url=receiver.url)
    assert work(told()) == 1
    [got] = receiver.got
    body = json.loads(got.body)
    assert (body["type"], body["data"]["title"], body["data"]["n"]) == (
        "rollout.paused",
        "It is paused",
        1,
    )
    assert got.headers["webhook-id"] == f"msg_{Notice.objects.get().pk.hex}"
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key = base64.b64decode(one.secret.removeprefix("whsec_"))
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{right}"
    [delivery] = log_of(one)
    assert (delivery.state, delivery.status_code, delivery.tries) == ("delivered", 204, 1)


def test_a_renewed_secret_signs_beside_the_one_before(receiver: Receiver) -> None:
    one = subscribe(url=receiver.url)
    services.renew_secret(subscription=one, actor=TESTER)
    work(told())
    work(told(clock.now() + timedelta(days=2)))
    both, alone = (got.headers["webhook-signature"].split(" ") for got in receiver.got)
    assert (len(both), len(alone)) == (2, 1)


def test_slack_gets_a_text_and_no_signature(receiver: Receiver, settings: Any) -> None:
    settings.BASE_URL = "https://telflo.example"
    subscribe(channel=Channel.SLACK, url=receiver.url)
    work(told())
    [got] = receiver.got
    assert json.loads(got.body) == {"text": "*It is paused*\nhttps://telflo.example/rollouts/1/"}
    assert "webhook-signature" not in got.headers


def test_an_e_mail_goes_to_all_of_a_subscription(settings: Any) -> None:
    settings.EMAIL_IS_ON = True
    one = subscribe(channel=Channel.EMAIL, recipients=["a@example.com", "b@example.com"])
    work(told())
    [letter] = mail.outbox
    assert letter.to == ["a@example.com", "b@example.com"]
    assert letter.subject == "It is paused"
    assert "“ops”" in letter.body
    assert log_of(one)[0].state == "delivered"


def test_an_e_mail_whose_server_was_taken_away_says_so(settings: Any) -> None:
    settings.EMAIL_IS_ON = True
    one = subscribe(channel=Channel.EMAIL, recipients=["a@example.com"])
    settings.EMAIL_IS_ON = False
    work(told())
    [delivery] = log_of(one)
    assert (delivery.state, delivery.error) == (
        "waiting",
        "E-mail is off. Set TELFLO_EMAIL_URL.",
    )


def test_it_is_told_once_to_each_who_wants_it(receiver: Receiver) -> None:
    wants, others = (
        subscribe(url=receiver.url),
        subscribe(url=receiver.url, kinds=[Kind.ROLLOUT_SUCCEEDED]),
    )
    elsewhere = subscribe(url=receiver.url, fleets=[wants.pk])
    now = told()
    assert [work(now), work(now), delivering.spread(now)] == [1, 0, 0]
    assert [len(log_of(one)) for one in (wants, others, elsewhere)] == [1, 0, 0]


def test_who_comes_later_is_not_told_of_before(receiver: Receiver) -> None:
    told(clock.now() - timedelta(seconds=5))
    one = subscribe(url=receiver.url)
    work(clock.now())
    assert log_of(one) == []


def test_what_is_rolled_back_is_not_told(receiver: Receiver) -> None:
    one = subscribe(url=receiver.url)
    with transaction.atomic():
        told()
        transaction.set_rollback(True)
    work(clock.now())
    assert log_of(one) == []


def test_on_commit_it_is_sent_at_once(
    receiver: Receiver, committed: Callable[[], AbstractContextManager[Any]]
) -> None:
    subscribe(url=receiver.url)
    with committed():
        told()
        assert receiver.got == []
    assert len(receiver.got) == 1


def test_a_worker_that_dies_loses_nothing(receiver: Receiver) -> None:
    one = subscribe(url=receiver.url)
    now = told()
    delivering.spread(now)
    assert len(delivering.claim(now)) == 1  # and here it dies
    assert work(now + timedelta(seconds=59)) == 0
    assert work(now + timedelta(seconds=60)) == 1
    assert [delivery.state for delivery in log_of(one)] == ["delivered"]


def test_two_workers_never_claim_the_same(receiver: Receiver) -> None:
    subscribe(url=receiver.url)
    now = told()
    delivering.spread(now)
    assert [len(delivering.claim(now)), len(delivering.claim(now))] == [1, 0]


def test_while_one_worker_delivers_others_have_time_for_rollouts(receiver: Receiver) -> None:
    from django.core.cache import cache  # noqa: PLC0415

    subscribe(url=receiver.url)
    told()
    cache.add("notices.deliver", "1")
    assert deliver_notices() == 0
    cache.delete("notices.deliver")
    assert deliver_notices() == 1


def test_what_fails_is_tried_again_under_the_same_id(receiver: Receiver) -> None:
    receiver.answers = [(500, {}, b"oops token=abcdefghijklmnop"), (200, {}, b"ok")]
    one = subscribe(url=receiver.url)
    now = told()
    work(now)
    [delivery] = log_of(one)
    assert (delivery.state, delivery.status_code, delivery.error) == (
        "waiting",
        500,
        "It answered 500.",
    )
    assert "abcdefghijklmnop" not in delivery.answer
    one.refresh_from_db()
    assert (one.state, one.failures) == ("failing", 1)
    assert delivery.next_at is not None
    assert timedelta(seconds=8) <= delivery.next_at - now <= timedelta(seconds=12)
    assert work(delivery.next_at) == 1
    assert receiver.got[0].headers["webhook-id"] == receiver.got[1].headers["webhook-id"]
    one.refresh_from_db()
    assert (one.state, log_of(one)[0].state, log_of(one)[0].tries) == ("active", "delivered", 2)


def until_nothing_waits(now: datetime) -> int:
    """The worker goes on, by the stored times alone; answers how many tries it took."""
    delivering.spread(now)
    tries = 0
    while due := Delivery.objects.filter(state="waiting").order_by("next_at").first():
        assert due.next_at is not None
        tries += work(max(now, due.next_at))
    return tries


def test_every_try_is_kept_with_when_what_it_drew_and_how_long_it_took(receiver: Receiver) -> None:
    receiver.answers = [(500, {}, b"no"), (503, {}, b"no"), (200, {}, b"ok")]
    one = subscribe(url=receiver.url)
    now = told()
    assert until_nothing_waits(now) == 3
    [delivery] = log_of(one)
    assert [(each["status_code"], each["error"]) for each in delivery.log] == [
        (500, "It answered 500."),
        (503, "It answered 503."),
        (200, ""),
    ]
    times = [datetime.fromisoformat(each["at"]) for each in delivery.log]
    assert times[0] == now
    assert times == sorted(times)
    assert all(each["took_ms"] >= 0 for each in delivery.log)


def test_of_very_many_tries_the_last_are_kept() -> None:
    delivery = Delivery()
    for number in range(MOST_LOGGED + 5):
        delivery.add_try(clock.now(), status_code=number, error="", took_ms=None)
    assert [one["status_code"] for one in delivery.log] == list(range(5, MOST_LOGGED + 5))


def test_who_never_answers_is_given_up_and_paused_within_a_day(receiver: Receiver) -> None:
    receiver.answers_with(503)
    one = subscribe(url=receiver.url)
    now = told()
    # Eleven tries at most; whether the tenth or the eleventh pauses it is up to chance.
    assert until_nothing_waits(now) in {10, 11}
    [delivery] = log_of(one)
    assert (delivery.state, delivery.next_at) == ("failed", None)
    told(now + timedelta(hours=30))
    until_nothing_waits(now + timedelta(hours=30))
    one.refresh_from_db()
    assert one.state == "paused"
    assert "It answered 503." in one.pause_reason
    assert Activity.objects.filter(action="subscription.pause").count() == 1
    told(now + timedelta(days=2))
    assert work(now + timedelta(days=2)) == 0


def test_who_says_that_it_is_gone_is_paused_at_once(receiver: Receiver) -> None:
    receiver.answers_with(410)
    one = subscribe(url=receiver.url)
    work(told())
    one.refresh_from_db()
    assert (one.state, log_of(one)[0].state) == ("paused", "failed")
    services.resume(subscription=one, actor=TESTER)
    receiver.answers_with(200)
    work(told())
    assert [delivery.state for delivery in log_of(one)] == ["failed", "delivered"]


def test_what_waits_for_one_that_fails_does_not_come_all_at_once(receiver: Receiver) -> None:
    receiver.answers_with(500)
    subscribe(url=receiver.url)
    now = clock.now()
    for _ in range(20):
        told(now)
    assert work(now) == delivering.AT_ONCE
    assert work(now) == 0


def test_a_test_is_tried_once_and_pauses_nothing(receiver: Receiver) -> None:
    receiver.answers_with(500)
    one = subscribe(url=receiver.url)
    services.pause(subscription=one, actor=TESTER)
    services.send_test(subscription=one, actor=TESTER)
    work(clock.now())
    [delivery] = log_of(one)
    assert (delivery.notice.kind, delivery.state, delivery.tries) == ("test", "failed", 1)
    one.refresh_from_db()
    assert one.failures == 0


def test_one_that_is_deleted_takes_what_waits_with_it(receiver: Receiver) -> None:
    one = subscribe(url=receiver.url)
    now = told()
    delivering.spread(now)
    claimed = delivering.claim(now)
    services.delete(subscription=one, actor=TESTER)
    assert [len(claimed), work(now + timedelta(minutes=5))] == [1, 0]
    assert not Subscription.objects.exists()


def test_one_that_is_deleted_while_it_is_sent_is_no_failure(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = subscribe(url=receiver.url)
    send_all = delivering._send_all

    def deleted_meanwhile(*given: Any) -> Any:
        services.delete(subscription=one, actor=TESTER)
        return send_all(*given)

    monkeypatch.setattr(delivering, "_send_all", deleted_meanwhile)
    assert work(told()) == 1
    assert len(receiver.got) == 1


def test_secrets_in_what_is_told_are_masked(receiver: Receiver) -> None:
    subscribe(url=receiver.url)
    text = "exporter failed: Authorization: Bearer abcdefghijklmnopqrst"
    tell(
        News(kind=Kind.ROLLOUT_PAUSED, title="It is paused", text=text, data={"api_key": "k3y"}),
        now=clock.now(),
    )  # fmt: skip
    work(clock.now())
    body = receiver.got[0].body.decode()
    assert "abcdefghijklmnopqrst" not in body
    assert "k3y" not in body


def test_old_notices_and_their_log_are_deleted(receiver: Receiver) -> None:
    one = subscribe(url=receiver.url)
    now = told()
    work(now)
    assert prune_notices(now + timedelta(days=29)) == 0
    assert prune_notices(now + timedelta(days=31)) == 1
    assert log_of(one) == []


def test_telling_costs_one_statement(receiver: Receiver) -> None:
    subscribe(url=receiver.url)
    with CaptureQueriesContext(connection) as queries:
        told()
    assert len(queries) == 1
