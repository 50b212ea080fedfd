"""Who is told what, what there is to tell, and how telling it went."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from django.conf import settings
from django.db import models

from notices.kinds import LOOKS, Kind, Look
from notices.limits import Limit, Phase
from notices.targets import shown_url
from telflo.base.encryption import EncryptedTextField
from telflo.base.ids import new_id


class Channel(models.TextChoices):
    """How a subscription is told."""

    WEBHOOK = "webhook", "Webhook"
    SLACK = "slack", "Slack"
    EMAIL = "email", "E-mail"


class Trouble(models.TextChoices):
    """What a limit counts."""

    UNHEALTHY = "unhealthy", "Unhealthy"
    GONE = "gone", "Gone"


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Subscriptions, many at once."""

    def active(self) -> Self:
        """Those that are not paused."""
        return self.filter(paused_at=None)

    def watching(self) -> Self:
        """Those that want to know about collectors in trouble."""
        return self.active().exclude(unhealthy_from="", gone_from="")


class Subscription(models.Model):
    """Somebody who is told. url and secrets are what a receiver trusts, so they are encrypted and not shown."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    name = models.CharField(max_length=100)
    kinds = models.JSONField(default=list, help_text="of rollouts, see notices.kinds")
    fleet_ids = models.JSONField(default=list, help_text="empty: all fleets")
    unhealthy_from = models.CharField(max_length=8, blank=True, help_text='"5", "10%" or empty')
    gone_from = models.CharField(max_length=8, blank=True)
    hold_s = models.PositiveIntegerField(default=120, help_text="so long before it is told")
    url = EncryptedTextField(default="")
    recipients = models.JSONField(default=list)
    secret = EncryptedTextField(default="")
    previous_secret = EncryptedTextField(default="", help_text="signs too, for a day")
    previous_until = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    pause_reason = models.CharField(max_length=300, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="one after the other")
    failing_since = models.DateTimeField(null=True)
    last_delivered_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        """For people and logs."""
        return self.name

    def wants(self, notice: "Notice") -> bool:
        """Whether it is told this."""
        if notice.only_for_id is not None:
            return notice.only_for_id == self.pk
        is_mine = self.covers(notice.fleet_id) and self.created_at <= notice.at
        return is_mine and notice.kind in self.kinds

    def covers(self, fleet_id: UUID | None) -> bool:
        """Whether it is about this fleet too."""
        return not self.fleet_ids or str(fleet_id) in self.fleet_ids

    def limit(self, trouble: Trouble) -> Limit | None:
        """From how many collectors in trouble on it is told; None: never."""
        text = self.unhealthy_from if trouble == Trouble.UNHEALTHY else self.gone_from
        return Limit.parse(text) if text else None

    def secrets(self, now: datetime) -> Sequence[str]:
        """Those that sign now, the newest first."""
        is_kept = self.previous_until is not None and now < self.previous_until
        return [self.secret, self.previous_secret] if is_kept else [self.secret]

    @property
    def target(self) -> str:
        """Where it goes, for people: nothing that a receiver trusts."""
        if self.channel == Channel.EMAIL:
            return ", ".join(self.recipients)
        return shown_url(self.url, is_secret=self.channel == Channel.SLACK)

    @property
    def state(self) -> str:
        """The word for it: active, failing or paused."""
        if self.paused_at is not None:
            return "paused"
        return "failing" if self.failures else "active"


class Notice(models.Model):
    """Something that happened. Written in the transaction of what it tells; spread to subscriptions right after."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=32, choices=[(kind.value, kind.value) for kind in Kind])
    at = models.DateTimeField()
    fleet_id = models.UUIDField(null=True)
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    path = models.CharField(max_length=200, blank=True, help_text="of the page about it")
    data = models.JSONField(default=dict)
    only_for = models.ForeignKey(
        Subscription, null=True, on_delete=models.CASCADE, related_name="+"
    )
    spread_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(spread_at=None), name="notice_not_spread"
            ),
            models.Index(fields=["at"], name="notice_at"),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return self.title

    @property
    def look(self) -> Look:
        """Its word, tone and icon."""
        return LOOKS[Kind(self.kind)]


class DeliveryState(models.TextChoices):
    """Where one telling is."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


MOST_LOGGED: Final = 20
"""Of so many tries a delivery keeps how they went: more than are made, unless workers die."""


class Delivery(models.Model):
    """One notice on its way to one subscription. Who sends it puts next_at ahead first, so a worker may die."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="deliveries"
    )
    state = models.CharField(
        max_length=9, choices=DeliveryState.choices, default=DeliveryState.WAITING
    )
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, help_text="empty once it is over")
    tried_at = models.DateTimeField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    answer = models.CharField(max_length=300, blank=True, help_text="its beginning, redacted")
    error = models.CharField(max_length=300, blank=True)
    log = models.JSONField(
        default=list, db_default=[], help_text="every try, the last of them: MOST_LOGGED"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["notice", "subscription"], name="delivered_once"),
        ]
        indexes = [
            models.Index(
                fields=["next_at"], condition=models.Q(state="waiting"), name="delivery_due"
            ),
            models.Index(fields=["subscription", "-id"], name="delivery_log"),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.notice_id} to {self.subscription_id}: {self.state}"

    def add_try(
        self, at: datetime, *, status_code: int | None, error: str, took_ms: int | None
    ) -> None:
        """Remember how a try went: when it began, what it drew, how long it took (None: cut off)."""
        one = {"at": at.isoformat(), "status_code": status_code, "error": error, "took_ms": took_ms}
        self.log = [*self.log, one][-MOST_LOGGED:]


class FleetAlarm(models.Model):
    """A limit of a subscription that a fleet reached, while it lasts: so it is told once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="alarms")
    fleet_id = models.UUIDField()
    trouble = models.CharField(max_length=9, choices=Trouble.choices)
    phase = models.CharField(max_length=7, choices=[(phase.value, phase.value) for phase in Phase])
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "fleet_id", "trouble"], name="alarm_once"
            ),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.trouble} in {self.fleet_id}: {self.phase}"
