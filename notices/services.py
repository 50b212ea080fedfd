"""Subscriptions: made, changed, paused, tested and deleted by people. Access is checked by the caller."""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from notices import signing
from notices.delivering import give_up_waiting
from notices.kinds import ROLLOUT_KINDS, Kind
from notices.limits import Limit
from notices.models import Channel, FleetAlarm, Subscription
from notices.outbox import News, tell
from notices.sending.mail import OFF
from notices.targets import BadUrl, check_url
from telflo.base.activity import Actor, record
from telflo.base.clock import now
from telflo.base.errors import Conflict, DomainError
from telflo.base.hints import touch_on_commit

MOST_RECIPIENTS: Final = 20
LONGEST_HOLD_S: Final = 86_400
OVERLAP: Final = timedelta(days=1)
"""So long the secret before signs too."""

_STANDING: Final = ("paused_at", "pause_reason", "failures", "failing_since")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a subscription shall be. fleets: their ids, none for all; limits: "5", "10%" or ""; url "" keeps what is."""

    name: str
    kinds: Collection[str] = ()
    fleets: Collection[UUID] = ()
    unhealthy_from: str = ""
    gone_from: str = ""
    hold_s: int = 120
    url: str = field(default="", repr=False)
    recipients: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Issued:
    """A subscription with its new secret, to be shown once; "" where nothing is signed."""

    subscription: Subscription
    secret: str = field(repr=False, default="")


@transaction.atomic
def subscribe(*, channel: Channel, wish: Wish, actor: Actor) -> Issued:
    """Somebody is told from now on. Raises DomainError for what cannot be."""
    at = now()
    one = Subscription(channel=channel, created_at=at, created_by=actor.user)
    _take(one, wish)
    if channel == Channel.WEBHOOK:
        one.secret = _new_secret()
    one.updated_at = at
    one.save(force_insert=True)
    record(actor=actor, action="subscription.create", obj=one, after=_told(one))
    _touch()
    return Issued(one, one.secret)


@transaction.atomic
def change(*, subscription: Subscription, wish: Wish, actor: Actor) -> Subscription:
    """Another wish. Raises DomainError."""
    one = _locked(subscription)
    before = _told(one)
    target = one.url
    _take(one, wish)
    after = _told(one)
    if one.url != target and before["target"] == after["target"]:
        after["target"] += " (changed)"
    if before != after:
        one.updated_at = now()
        one.save()
        changed = [name for name in after if before[name] != after[name]]
        record(
            actor=actor,
            action="subscription.update",
            obj=one,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
        _touch()
    return one


@transaction.atomic
def delete(*, subscription: Subscription, actor: Actor) -> None:
    """Nothing more is told, what waits neither; its log goes too."""
    one = _locked(subscription)
    record(actor=actor, action="subscription.delete", obj=one, before=_told(one))
    _touch()
    one.delete()


@transaction.atomic
def pause(*, subscription: Subscription, actor: Actor, reason: str = "") -> Subscription:
    """Nothing is sent until it is resumed; what happens meanwhile is not told later."""
    one = _locked(subscription)
    if one.paused_at is None:
        one.paused_at, one.pause_reason = now(), reason or f"{actor.label} paused it."
        one.failures, one.failing_since = 0, None
        one.save(update_fields=_STANDING)
        give_up_waiting(one)
        record(actor=actor, action="subscription.pause", obj=one, reason=reason)
        _touch()
    return one


@transaction.atomic
def resume(*, subscription: Subscription, actor: Actor) -> Subscription:
    """Tell again, from now on."""
    one = _locked(subscription)
    if one.paused_at is not None:
        one.paused_at, one.pause_reason, one.failures, one.failing_since = None, "", 0, None
        one.save(update_fields=_STANDING)
        FleetAlarm.objects.filter(subscription=one).delete()
        record(actor=actor, action="subscription.resume", obj=one)
        _touch()
    return one


@transaction.atomic
def renew_secret(*, subscription: Subscription, actor: Actor) -> Issued:
    """Another secret; the one before signs too for OVERLAP. Raises Conflict where nothing is signed."""
    one = _locked(subscription)
    if one.channel != Channel.WEBHOOK:
        raise Conflict(f"{one} is not signed, so it has no secret.", code="not_signed")
    one.previous_secret, one.previous_until = one.secret, now() + OVERLAP
    one.secret = _new_secret()
    one.save(update_fields=["secret", "previous_secret", "previous_until"])
    record(actor=actor, action="subscription.renew_secret", obj=one)
    _touch()
    return Issued(one, one.secret)


@transaction.atomic
def send_test(*, subscription: Subscription, actor: Actor) -> None:
    """Tell it something at once, paused or not; the log shows how it goes. It is tried once."""
    news = News(
        kind=Kind.TEST,
        title="This is a test from Telflo",
        text=f"{actor.label} asked for it, to see whether “{subscription}” arrives.",
        path=f"/settings/notifications/{subscription.pk}/",
    )
    tell(news, now=now(), only_for=subscription)
    record(actor=actor, action="subscription.test", obj=subscription)
    _touch()


def _take(one: Subscription, wish: Wish) -> None:
    """Put a wish into a subscription. Raises DomainError that names the field."""
    one.name = " ".join(wish.name.split())
    if not 0 < len(one.name) <= 100:
        raise DomainError("Give it a name of 1 to 100 characters.", field="name")
    unknown = [kind for kind in wish.kinds if kind not in ROLLOUT_KINDS]
    if unknown:
        known = ", ".join(ROLLOUT_KINDS)
        raise DomainError(f"{unknown[0]!r} is no event. Known are: {known}.", field="kinds")
    one.kinds = [kind.value for kind in ROLLOUT_KINDS if kind in set(wish.kinds)]
    one.fleet_ids = sorted({str(key) for key in wish.fleets})
    one.unhealthy_from = _limit(wish.unhealthy_from, "unhealthy_from")
    one.gone_from = _limit(wish.gone_from, "gone_from")
    if not 0 <= wish.hold_s <= LONGEST_HOLD_S:
        raise DomainError("Wait at most a day before it is told.", field="hold_s")
    one.hold_s = wish.hold_s
    if not (one.kinds or one.unhealthy_from or one.gone_from):
        raise DomainError("Choose at least one event, or give a limit.", field="kinds")
    if one.channel != Channel.EMAIL:
        one.url = _url(wish.url or one.url)
    elif not one.recipients or list(wish.recipients) != one.recipients:
        one.recipients = _recipients(wish.recipients)


def _limit(text: str, name: str) -> str:
    if not text.strip():
        return ""
    try:
        return str(Limit.parse(text))
    except ValueError as error:
        raise DomainError(str(error), field=name) from None


def _url(text: str) -> str:
    try:
        return check_url(text, settings.WEBHOOK_ALLOW)
    except BadUrl as error:
        raise DomainError(str(error), field="url", code="bad_url") from None


def _recipients(given: Iterable[str]) -> list[str]:
    if not settings.EMAIL_IS_ON:
        raise DomainError(OFF, field="recipients", code="email_off")
    found = list(dict.fromkeys(address.strip() for address in given if address.strip()))
    if not 0 < len(found) <= MOST_RECIPIENTS:
        raise DomainError(f"Give 1 to {MOST_RECIPIENTS} addresses.", field="recipients")
    for address in found:
        try:
            validate_email(address)
        except ValidationError:
            raise DomainError(f"{address} is no e-mail address.", field="recipients") from None
    return found


def _new_secret() -> str:
    return signing.secret_of(secrets.token_bytes(32))


def _locked(subscription: Subscription) -> Subscription:
    return Subscription.objects.select_for_update().get(pk=subscription.pk)


_LOGGED: Final = ("name", "kinds", "fleet_ids", "unhealthy_from", "gone_from", "hold_s", "target")


def _told(one: Subscription) -> dict[str, Any]:
    """What the activity log may hold of it."""
    return {"channel": one.channel, **{name: getattr(one, name) for name in _LOGGED}}


def _touch() -> None:
    touch_on_commit({"notices", "system"})


def wish_of(one: Subscription, changes: dict[str, Any]) -> Wish:
    """What a subscription is now, with some of it changed."""
    present: dict[str, Any] = {
        each.name: getattr(one, each.name)
        for each in fields(Wish)
        if each.name not in {"fleets", "url"}
    }
    return Wish(**{**present, "fleets": [UUID(key) for key in one.fleet_ids], **changes})
