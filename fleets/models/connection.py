"""How a fleet's collectors keep in touch: what is offered as connection settings, and what each was offered."""

from django.db import models

from agents.models import Agent
from fleets.models.fleet import Fleet
from fleets.models.token import Token
from telflo.base.encryption import EncryptedTextField


class ConnectionSettings(models.Model):
    """What a fleet offers its collectors beside their configuration; no row: nothing.

    destinations: JSON of {signal: {endpoint, headers, ca_pem}}, since headers hold secrets.
    marks: signal -> an id that changes with its destination; hashes of offers are made of these.
    """

    fleet = models.OneToOneField(
        Fleet, primary_key=True, on_delete=models.CASCADE, related_name="connection"
    )
    heartbeat_s = models.PositiveIntegerField(null=True, help_text="empty: the collectors' own")
    own_credentials = models.BooleanField(
        default=False, help_text="move collectors off the shared enrolment token"
    )
    destinations = EncryptedTextField(default="{}")
    marks = models.JSONField(default=dict)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "connection settings"

    def __str__(self) -> str:
        """For people and logs."""
        return f"connection settings of {self.fleet_id}"

    @property
    def sets_anything(self) -> bool:
        """Whether there is anything in them that collectors can have."""
        return bool(self.heartbeat_s or self.own_credentials or self.marks)


class AgentConnection(models.Model):
    """The connection settings that an agent was offered last, written before they are sent."""

    agent = models.OneToOneField(
        Agent, primary_key=True, on_delete=models.CASCADE, related_name="connection"
    )
    offered_hash = models.CharField(max_length=64, blank=True)
    offered_epoch = models.BigIntegerField(default=0, help_text="session that they were sent on")
    offered_at = models.DateTimeField(null=True)
    heartbeat_s = models.PositiveIntegerField(default=0, help_text="0: no interval was offered yet")
    counted_from = models.BigIntegerField(
        null=True, help_text="number of its last message before the offer; empty: not known"
    )
    counted_at = models.DateTimeField(null=True, help_text="when they were offered")
    has_telemetry = models.BooleanField(
        default=False, help_text="own telemetry was offered once, so it can be switched off"
    )
    marks = models.JSONField(
        null=True, help_text="of the own telemetry that was offered; empty: not known"
    )
    credential = models.ForeignKey(
        Token, null=True, on_delete=models.SET_NULL, related_name="+", help_text="that was offered"
    )
    place = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="digest of the server's address and CA that were offered; empty: not known",
    )
    unused_offers = models.PositiveSmallIntegerField(
        default=0, help_text="credentials offered since it last came by one that was offered"
    )

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.agent_id}: {self.offered_hash[:12]}"
