"""The pages under Settings."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from notices import delivering
from notices.models import Channel, Delivery, Subscription
from notices.outbox import tell
from telflo.base.access import Role
from tests.factories import make_fleet
from tests.notices.makers import NEWS, log_of, subscribe, work
from tests.notices.receiver import Receiver
from tests.pages.reading import queries_of, signed_in

pytestmark = pytest.mark.django_db

BASE = "/settings/notifications/"
URL = "https://hooks.example.com/s3cretpath"


@pytest.fixture
def admin() -> Client:
    return signed_in(Role.ADMIN)


def test_an_empty_list_offers_the_ways(admin: Client) -> None:
    html = admin.get(BASE).content.decode()
    assert "Nobody is told yet" in html
    for channel in ("webhook", "slack", "email"):
        assert f"{BASE}new/{channel}/" in html


def test_a_secret_is_shown_in_the_answer_alone(admin: Client) -> None:
    form = {"name": "ops", "url": URL, "kinds": ["rollout.paused"], "hold_s": "120"}
    answer = admin.post(f"{BASE}new/webhook/", form)
    one = Subscription.objects.get()
    assert answer.status_code == 200
    assert one.secret in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert_follows_its_own_page(answer.content.decode(), one)
    for path in (BASE, f"{BASE}{one.pk}/", f"{BASE}{one.pk}/edit/"):
        assert one.secret not in admin.get(path).content.decode()


def assert_follows_its_own_page(html: str, one: Subscription) -> None:
    """The address of the form answers with the form, which would take the place of the secret."""
    live = re.findall(r'data-live="notices"(?: data-live-url="([^"]*)")?', html)
    assert live == [f"{BASE}{one.pk}/"] * 4


def test_slacks_address_is_shown_nowhere_and_kept_when_it_is_left_empty(admin: Client) -> None:
    fleet = make_fleet(name="edge")
    form = {"name": "chat", "url": URL, "gone_from": "10 %", "hold_s": "0", "fleets": [fleet.pk]}
    answer = admin.post(f"{BASE}new/slack/", form)
    one = Subscription.objects.get()
    assert answer.headers["Location"] == f"{BASE}{one.pk}/"
    for path in (BASE, f"{BASE}{one.pk}/", f"{BASE}{one.pk}/edit/"):
        html = admin.get(path).content.decode()
        assert "s3cretpath" not in html
        assert "https://hooks.example.com/…" in html
    admin.post(f"{BASE}{one.pk}/edit/", {**form, "url": "", "name": "chat 2"})
    one.refresh_from_db()
    assert (one.name, one.url, one.gone_from, one.hold_s) == ("chat 2", URL, "10%", 0)
    assert one.fleet_ids == [str(fleet.pk)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url": "https://10.0.0.1/"}, "10.0.0.1 is an address of the inside"),
        ({"url": "https://user:hunter2@a.example/"}, "Leave out user name"),
        ({"kinds": []}, "Choose at least one event"),
        ({"unhealthy_from": "some"}, "Give a number such as 5"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    admin: Client, wrong: dict[str, Any], words: str
) -> None:
    form = {"name": "ops", "url": URL, "kinds": ["rollout.paused"], "hold_s": "120", **wrong}
    answer = admin.post(f"{BASE}new/webhook/", form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Subscription.objects.exists()


def test_e_mail_that_is_off_says_how_it_is_turned_on(admin: Client) -> None:
    assert "TELFLO_EMAIL_URL" in admin.get(f"{BASE}new/email/").content.decode()
    answer = admin.post(
        f"{BASE}new/email/",
        {"name": "a", "recipients": "a@b.example", "kinds": ["rollout.paused"], "hold_s": "0"},
    )
    assert answer.status_code == 422


def test_an_unknown_channel_is_nowhere(admin: Client) -> None:
    assert admin.get(f"{BASE}new/pigeon/").status_code == 404


def test_a_test_shows_in_the_log_how_it_went(admin: Client, receiver: Receiver) -> None:
    one = subscribe(url=receiver.url)
    receiver.answers_with(403, b"<b>no</b>")
    admin.post(f"{BASE}{one.pk}/test/")
    work(timezone.now())
    html = admin.get(f"{BASE}{one.pk}/").content.decode()
    assert "It answered 403." in html
    assert "&lt;b&gt;no&lt;/b&gt;" in html
    assert "Given up" in html


def test_every_try_is_under_its_delivery_the_last_first(admin: Client, receiver: Receiver) -> None:
    one = subscribe(url=receiver.url)
    tell(NEWS, now=timezone.now())
    receiver.answers_with(503)
    work(timezone.now())
    receiver.answers_with(204)
    work(timezone.now() + timedelta(hours=1))
    [delivery] = log_of(one)
    delivery.add_try(timezone.now(), status_code=None, error="It did not answer.", took_ms=None)
    delivery.tries = 4  # a worker died in one of them
    delivery.save()
    html = admin.get(f"{BASE}{one.pk}/").content.decode()
    order = [f'id="log-{delivery.pk}"', "4 tries, 3 of them kept", "It did not answer.", "cut off"]
    order += [">204<", "arrived", " ms", ">503<", "It answered 503.", " ms"]
    assert re.search(".*".join(map(re.escape, order)), html, re.DOTALL)


def test_a_delivery_of_before_tries_were_kept_tells_their_number(admin: Client) -> None:
    one = subscribe(url=URL)
    tell(NEWS, now=timezone.now())
    delivering.spread(timezone.now())
    Delivery.objects.update(tries=3)
    html = admin.get(f"{BASE}{one.pk}/").content.decode()
    assert "3 tries</span>" in html
    assert "<details id=" not in html


def test_pausing_resuming_renewing_and_deleting(admin: Client) -> None:
    one = subscribe(url=URL)
    admin.post(f"{BASE}{one.pk}/pause/", {"reason": "moving house"})
    assert "moving house" in admin.get(f"{BASE}{one.pk}/").content.decode()
    admin.post(f"{BASE}{one.pk}/resume/")
    one.refresh_from_db()
    assert one.paused_at is None
    answer = admin.post(f"{BASE}{one.pk}/secret/").content.decode()
    before, one = one.secret, Subscription.objects.get()
    assert one.secret != before
    assert one.secret in answer
    assert_follows_its_own_page(answer, one)
    assert before not in answer
    admin.post(f"{BASE}{one.pk}/delete/")
    assert not Subscription.objects.exists()


def test_the_pages_ask_as_much_for_many_as_for_few(admin: Client, receiver: Receiver) -> None:
    fleet = make_fleet()
    one = subscribe(url=receiver.url)
    costs = []
    for _ in range(2):
        for _ in range(3):
            subscribe(channel=Channel.SLACK, url=URL, fleets=[fleet.pk])
            tell(NEWS, now=timezone.now(), only_for=one)
        work(timezone.now())
        costs.append([queries_of(admin, BASE), queries_of(admin, f"{BASE}{one.pk}/")])
    assert costs[0] == costs[1]
    assert len(log_of(one)) == 6
    assert max(costs[0]) <= 10
