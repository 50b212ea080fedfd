"""The audit trail: who did what, on what, when, why, with the values before and after."""

from django.db import models

from telflo.base.deeds import Deed, deed_of
from telflo.base.ids import new_id
from telflo.base.models.people import User


class ActorKind(models.TextChoices):
    """What kind of actor made a change."""

    PERSON = "person"
    API_TOKEN = "api_token"
    WORKER = "worker"
    TOKEN = "token"


class Activity(models.Model):
    """One change. Rows are only added (telflo/base/activity.py) and pruned. before/after are redacted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=12, choices=ActorKind.choices)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_label = models.CharField(max_length=200)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(max_length=200)
    fleet_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        verbose_name_plural = "activity"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id", "-id"], name="activity_object"),
            models.Index(fields=["fleet_id", "-id"], name="activity_fleet"),
            models.Index(fields=["at"], name="activity_at"),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.actor_label}: {self.action} {self.object_label}"

    @property
    def by(self) -> str:
        """Who did it, for pages: the label of a worker names a part of the code."""
        return "Telflo" if self.actor_kind == ActorKind.WORKER else self.actor_label

    @property
    def deed(self) -> Deed:
        """What was done, in words."""
        return deed_of(self.action)
