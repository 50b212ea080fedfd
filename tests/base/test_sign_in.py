"""Wrong passwords: few for one name from one address, more from one address for many names, then a pause."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.db.models import F
from django.test import Client

from telflo.base import sign_in
from telflo.base.deeds import SIGN_INS
from telflo.base.models import Activity
from tests.factories import make_fleet, make_person

pytestmark = pytest.mark.django_db
PASSWORD = "a password of some length"


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT, settings.ADDRESS_FAILURE_LIMIT = 3, 6


def tried(name: str, password: str = "wrong", address: str = "192.0.2.1") -> Any:
    given = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/accounts/login/", given)


def test_a_name_is_paused_at_the_address_that_guessed_and_nowhere_else() -> None:
    make_person(username="ada", password=PASSWORD)
    make_person(username="bob", password=PASSWORD)
    said = [tried("ada") for _ in range(3)]
    assert [answer.status_code for answer in said] == [422, 422, 429]
    assert "2 tries" in said[0].content.decode()
    assert "1 try" in said[1].content.decode()
    assert "Sign-in with this name from here is paused for 5 minutes" in said[2].content.decode()
    assert tried("ada", PASSWORD).status_code == 429
    assert tried("ada", PASSWORD, address="192.0.2.2").status_code == 302
    assert tried("bob", PASSWORD).status_code == 302


def test_one_address_that_tries_many_names_is_paused_for_all_names() -> None:
    make_person(username="ada", password=PASSWORD)
    said = [tried(f"name-{n}") for n in range(6)]
    assert [answer.status_code for answer in said] == [422] * 5 + [429]
    assert "1 try" in said[4].content.decode(), "the nearer of the two limits is told"
    refused = tried("ada", PASSWORD)
    assert refused.status_code == 429
    assert "Sign-in from your address is paused" in refused.content.decode()
    assert tried("ada", PASSWORD, address="192.0.2.2").status_code == 302


def test_an_empty_form_is_no_try() -> None:
    said = [tried("", "") for _ in range(4)]
    assert [answer.status_code for answer in said] == [422] * 4


def test_signing_in_forgives_ones_own_wrong_tries_and_not_those_for_other_names() -> None:
    make_person(username="ada", password=PASSWORD)
    for n in range(4):
        tried(f"name-{n}")
    tried("ada")
    assert tried("ada", PASSWORD).status_code == 302
    assert [tried(f"more-{n}").status_code for n in range(2)] == [422, 429]


def test_a_pause_ends_after_its_time_though_tries_go_on() -> None:
    make_person(username="ada", password=PASSWORD)
    for _ in range(5):
        tried("ada")
    for attempt in AccessAttempt.objects.all():
        attempt.attempt_time -= timedelta(minutes=4)
        attempt.save()
    tried("ada")
    for attempt in AccessAttempt.objects.all():
        attempt.attempt_time -= timedelta(minutes=2)
        attempt.save()
    assert tried("ada", PASSWORD).status_code == 302


def told() -> list[tuple[str, str, str]]:
    """What the activity log has of signing in, oldest first."""
    found = Activity.objects.filter(action__in=SIGN_INS).order_by("id")
    return list(found.values_list("action", "actor_label", "object_label"))


def test_who_signs_in_is_in_the_activity_log_with_the_address() -> None:
    person = make_person(username="ada", password=PASSWORD)
    tried("ada", PASSWORD)
    entry = Activity.objects.get()
    assert told() == [("person.sign_in", "ada", "ada")]
    assert (entry.object_id, entry.actor) == (str(person.uid), person)
    assert entry.after == {"address": "192.0.2.1"}


def test_refused_sign_ins_are_told_once_a_pause_for_a_name_and_an_address() -> None:
    make_person(username="ada", password=PASSWORD)
    for _ in range(5):
        tried("ada")
    tried("ada", address="192.0.2.2")
    here, there = "Somebody at 192.0.2.1", "Somebody at 192.0.2.2"
    assert told() == [
        ("person.sign_in_refused", here, "ada"),
        ("person.sign_in_paused", here, "ada"),
        ("person.sign_in_refused", there, "ada"),
    ]
    Activity.objects.update(at=F("at") - timedelta(minutes=6))
    tried("ada", address="192.0.2.2")
    assert len(told()) == 4


def test_a_name_that_nobody_has_is_not_kept() -> None:
    tried("my-secret-password")
    tried("my-other-password")
    entry = Activity.objects.get()
    assert entry.object_id == ""
    assert "password" not in str(Activity.objects.values())


def test_a_flood_does_not_fill_the_activity_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "MOST_REFUSED_AN_HOUR", 3)
    for n in range(5):
        tried("ada", address=f"192.0.2.{n}")
    assert len(told()) == 3


def test_the_pages_show_sign_ins_and_the_overview_does_not() -> None:
    make_fleet()
    make_person(username="ada", password=PASSWORD)
    client = Client(REMOTE_ADDR="192.0.2.1")
    client.post("/accounts/login/", {"username": "ada", "password": PASSWORD})
    tried("ada")
    html = client.get("/activity/").content.decode()
    assert "Signed in<" in html
    assert "Somebody at 192.0.2.1" in html
    assert "sign in as" not in client.get("/").content.decode()
