"""What a subscription may be; each change is in the activity log, and no secret is."""

from typing import Any

import pytest

from notices import services
from notices.models import Channel, Subscription
from telflo.base.errors import Conflict, DomainError
from telflo.base.models import Activity
from tests.factories import TESTER
from tests.notices.makers import subscribe

pytestmark = pytest.mark.django_db

URL = "https://hooks.example.com/T0/s3cretpath?key=s3cretquery"


@pytest.mark.parametrize(
    ("field", "wish"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "x" * 101}),
        ("kinds", {"kinds": []}),
        ("kinds", {"kinds": ["rollout.exploded"]}),
        ("kinds", {"kinds": ["collectors.gone"]}),
        ("unhealthy_from", {"unhealthy_from": "some"}),
        ("gone_from", {"gone_from": "101%"}),
        ("hold_s", {"hold_s": -1}),
        ("url", {"url": ""}),
        ("url", {"url": "https://127.0.0.1/"}),
        ("url", {"url": "http://example.com/"}),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(field: str, wish: dict[str, Any]) -> None:
    with pytest.raises(DomainError) as refused:
        subscribe(**{"url": URL, **wish})
    assert refused.value.field == field
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("recipients", [[], ["nobody"], [f"a{n}@example.com" for n in range(21)]])
def test_e_mail_needs_addresses(recipients: list[str], settings: Any) -> None:
    settings.EMAIL_IS_ON = True
    with pytest.raises(DomainError) as refused:
        subscribe(channel=Channel.EMAIL, recipients=recipients)
    assert refused.value.field == "recipients"


def test_e_mail_needs_a_server() -> None:
    with pytest.raises(DomainError, match="TELFLO_EMAIL_URL"):
        subscribe(channel=Channel.EMAIL, recipients=["a@example.com"])


def test_every_change_is_logged_and_no_secret_is() -> None:
    one = subscribe(channel=Channel.SLACK, url=URL)
    two = subscribe(url="https://ops.example.com/in?key=s3cretquery", unhealthy_from="5")
    services.change(
        subscription=one, wish=services.wish_of(one, {"url": URL + "2", "name": "x"}), actor=TESTER
    )
    services.renew_secret(subscription=two, actor=TESTER)
    services.send_test(subscription=two, actor=TESTER)
    services.pause(subscription=two, actor=TESTER)
    services.resume(subscription=two, actor=TESTER)
    services.delete(subscription=two, actor=TESTER)
    log = list(Activity.objects.order_by("id"))
    assert [entry.action.partition(".")[2] for entry in log] == [
        *("create", "create", "update", "renew_secret", "test", "pause", "resume", "delete"),
    ]
    assert log[2].after == {"name": "x", "target": "https://hooks.example.com/… (changed)"}
    written = "".join(f"{entry.before} {entry.after} {entry.object_label}" for entry in log)
    two_secret = two.secret.removeprefix("whsec_")
    assert two_secret
    for secret in ("s3cretpath", two_secret, "s3cretquery"):
        assert secret not in written


def test_a_change_that_changes_nothing_is_not_logged() -> None:
    one = subscribe(url=URL)
    before = Activity.objects.count()
    services.change(subscription=one, wish=services.wish_of(one, {}), actor=TESTER)
    assert Activity.objects.count() == before
    one.refresh_from_db()
    assert one.url == URL


def test_secrets_and_addresses_are_encrypted_in_the_database() -> None:
    from django.db import connection  # noqa: PLC0415

    one = subscribe(url=URL)
    with connection.cursor() as cursor:
        cursor.execute("SELECT url, secret FROM notices_subscription")
        stored = b"".join(bytes(part) for part in cursor.fetchone())
    assert b"s3cret" not in stored
    assert one.secret.encode() not in stored


def test_what_is_not_signed_has_no_secret() -> None:
    one = subscribe(channel=Channel.SLACK, url=URL)
    assert one.secret == ""
    with pytest.raises(Conflict):
        services.renew_secret(subscription=one, actor=TESTER)
