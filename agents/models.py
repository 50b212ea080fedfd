"""What is out there, and how it is: agents, their hot status row, bodies they report, their timeline."""

from collections.abc import Collection
from typing import Final, Self

from django.db import models
from django.db.models.functions import Coalesce

from agents.said import said, selected_value
from agents.snapshot import ConfigStatus
from agents.status import CUT_OFF, health_now
from telflo.base.compression import CompressedField
from telflo.base.encryption import EncryptedTextField
from telflo.base.ids import new_id


class ComponentSet(models.Model):
    """AvailableComponents of a collector build, stored once per hash (C4)."""

    hash = models.CharField(primary_key=True, max_length=128)
    tree = models.JSONField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        """For people and logs."""
        return self.hash[:12]


class EffectiveConfig(models.Model):
    """One distinct body that agents report to run, stored once.

    files: JSON list of {name, content_type, text | base64}.
    """

    sha256 = models.CharField(primary_key=True, max_length=64)
    files = EncryptedTextField()
    size = models.PositiveIntegerField(help_text="bytes of all bodies together")
    essence = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="a hash that collectors share: configs/collector/additions.py; empty: not looked at",
    )
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["essence"], name="effective_by_essence")]

    def __str__(self) -> str:
        """For people and logs."""
        return self.sha256[:12]


class Verdict(models.Model):
    """What runs against what should run, compared once for each distinct pair."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    essence = models.CharField(max_length=64, help_text="of the effective configuration")
    intended = models.CharField(max_length=64, help_text="the hash of what should run")
    runs = models.CharField(max_length=8, help_text="configs/collector/drift.py")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["essence", "intended"], name="verdict_once")]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.essence[:12]} against {self.intended[:12]}: {self.runs}"


class AgentQuerySet(models.QuerySet["Agent"]):
    """Sets of agents."""

    def search(self, text: str) -> Self:
        """Those whose name, host or uid contains the text, in any case."""
        return self.filter(
            models.Q(display_name__icontains=text)
            | models.Q(host_name__icontains=text)
            | models.Q(instance_uid__icontains=text)
        )

    def with_label(self, key: str, value: str) -> Self:
        """Those to which a person gave this label."""
        return self.alias(_label=said(key, "labels")).filter(_label=value)

    def with_attribute(self, key: str, value: str) -> Self:
        """Those that report this attribute: identifying before non-identifying."""
        reported = Coalesce(said(key, "identifying"), said(key, "non_identifying"))
        return self.alias(_attribute=reported).filter(_attribute=value)

    def selected_by(self, key: str, value: str) -> Self:
        """A selector: labels, then identifying, then non-identifying attributes (decision 18)."""
        return self.alias(_selected=selected_value(key)).filter(_selected=value)

    def with_health(self, words: Collection[str]) -> Self:
        """Those whose health counts as one of these words: agents/status.py, health_now, on rows."""
        is_cut_off = models.Q(status__status__in=CUT_OFF)
        found = models.Q(status__health__in=words) & ~is_cut_off
        return self.filter(found | is_cut_off if Health.UNKNOWN in words else found)


class Agent(models.Model):
    """A collector under an OpAMP client: who it is. Changes rarely; how it is stands in AgentStatus."""

    instance_uid = models.UUIDField(primary_key=True, editable=False)
    name = models.CharField(max_length=200, blank=True, help_text="given by a person")
    display_name = models.CharField(
        max_length=200, db_index=True, help_text="derived: agents/naming.py"
    )
    identifying = models.JSONField(default=dict)
    non_identifying = models.JSONField(default=dict)
    labels = models.JSONField(default=dict, help_text="people's, on the server")
    collector_name = models.CharField(max_length=100, blank=True)
    collector_version = models.CharField(max_length=64, blank=True, db_index=True)
    host_name = models.CharField(max_length=255, blank=True)
    os_type = models.CharField(max_length=64, blank=True)
    capabilities = models.BigIntegerField(default=0)
    custom_capabilities = models.JSONField(default=list)
    components = models.ForeignKey(
        ComponentSet, null=True, on_delete=models.SET_NULL, related_name="agents"
    )
    first_seen_at = models.DateTimeField()

    objects = AgentQuerySet.as_manager()

    class Meta:
        indexes = [
            # Holds all that the filter bar and the overview ask of builds and systems.
            models.Index(
                fields=["collector_version", "collector_name", "os_type"], name="agent_by_build"
            ),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return self.display_name or str(self.instance_uid)


class Status(models.TextChoices):
    """The one word for an agent, derived in agents/status.py (decision 16)."""

    IN_SYNC = "in_sync", "In sync"
    PENDING = "pending", "Pending"
    APPLYING = "applying", "Applying"
    FAILED = "failed", "Failed"
    ROLLED_BACK = "rolled_back", "Rolled back"
    DRIFTED = "drifted", "Drifted"
    UNMANAGED = "unmanaged", "Unmanaged"
    STALE = "stale", "Stale"
    DISCONNECTED = "disconnected", "Disconnected"


class Health(models.TextChoices):
    """The other axis: what the agent last said of itself."""

    HEALTHY = "healthy", "Healthy"
    UNHEALTHY = "unhealthy", "Unhealthy"
    UNKNOWN = "unknown", "Unknown"


TO_COMPARE: Final = models.Q(
    compare_due=True,
    remote_config_status=ConfigStatus.APPLIED.value,
    remote_config_hash=models.F("desired_hash"),
    effective_config__isnull=False,
)
"""Which collectors are to be compared: those that say they applied what is desired. Of the others it is known."""


class AgentStatus(models.Model):
    """The hot row, one per agent. Written by agents/store.py alone; a flush of an older session matches no row (I3)."""

    agent = models.OneToOneField(
        Agent, primary_key=True, on_delete=models.CASCADE, related_name="status"
    )
    # connection
    session_epoch = models.BigIntegerField(default=0)
    sequence_num = models.BigIntegerField(
        null=True, help_text="None: a full state is outstanding (I2)"
    )
    doubtful_num = models.BigIntegerField(
        null=True,
        help_text="plain HTTP: the number of the last message, while sequence_num is None",
    )
    connected = models.BooleanField(default=False)
    transport = models.CharField(max_length=4, blank=True)
    remote_address = models.CharField(max_length=64, blank=True)
    interval_s = models.PositiveIntegerField(default=30, help_text="heartbeat or poll interval")
    interval_since = models.DateTimeField(null=True, help_text="when it was told this interval")
    connected_at = models.DateTimeField(null=True)
    disconnected_at = models.DateTimeField(null=True)
    # Without an index: heartbeats change this alone, and would have to write all of them.
    last_seen_at = models.DateTimeField(null=True)
    full_state_at = models.DateTimeField(null=True, help_text="when it last told everything")
    trails = models.JSONField(null=True, help_text="plain HTTP: agents/trails.py, to find clones")
    restarted_at = models.DateTimeField(null=True, help_text="when we had it restarted last")
    # health: the last report that said something, and whether it still counts
    health = models.CharField(max_length=10, choices=Health.choices, default=Health.UNKNOWN)
    health_since = models.DateTimeField(null=True)
    health_at = models.DateTimeField(null=True, help_text="when the kept tree was reported")
    health_report = CompressedField(
        null=True, help_text="the tree as it was sent: opamp/protocol/health.py"
    )
    reported_healthy = models.BooleanField(null=True, help_text="of the kept tree's root")
    reported_status = models.TextField(blank=True, default="", db_default="")
    last_error = models.TextField(blank=True)
    # remote configuration: the last acknowledgement
    remote_config_status = models.PositiveSmallIntegerField(default=0)
    remote_config_hash = models.CharField(max_length=128, blank=True)
    remote_config_error = models.TextField(blank=True)
    remote_config_at = models.DateTimeField(null=True)
    # connection settings: the last acknowledgement (C1)
    connection_status = models.PositiveSmallIntegerField(default=0, db_default=0)
    connection_hash = models.CharField(max_length=128, blank=True, default="", db_default="")
    connection_error = models.TextField(blank=True, default="", db_default="")
    connection_at = models.DateTimeField(null=True)
    # what it says it runs, and with what
    effective_config = models.ForeignKey(
        EffectiveConfig, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    effective_config_at = models.DateTimeField(null=True)
    components_hash = models.CharField(max_length=128, blank=True)
    runs = models.CharField(
        max_length=8,
        blank=True,
        default="",
        db_default="",
        help_text="what became of the desired configuration (configs/collector/drift.py); empty: not known",
    )
    compare_due = models.BooleanField(
        default=True, db_default=True, help_text="what runs or should run changed since `runs`"
    )
    # intent, handed down by fleets through agents.store.set_intent
    is_managed = models.BooleanField(default=False)
    desired_hash = models.CharField(max_length=64, blank=True)
    attempt_failed = models.BooleanField(
        default=False, help_text="the desired hash failed here and is quarantined"
    )
    # derived by agents/status.py
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.UNMANAGED)
    status_since = models.DateTimeField()
    config_status = models.CharField(
        max_length=12,
        choices=Status.choices,
        default=Status.UNMANAGED,
        help_text="the same without connectivity, so that a failure stays visible while offline",
    )

    class Meta:
        verbose_name_plural = "agent statuses"
        indexes = [
            models.Index(fields=["status", "agent"], name="status_by_word"),
            models.Index(fields=["health", "agent"], name="status_by_health"),
            models.Index(fields=["desired_hash"], name="status_by_desired"),
            # Holds all that is counted, so that counting does not read the wide rows.
            models.Index(
                fields=["agent", "status", "health", "remote_config_status", "remote_config_hash"],
                name="status_counted",
            ),
            models.Index(fields=["agent"], condition=TO_COMPARE, name="status_to_compare"),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.agent_id}: {self.status}"

    @property
    def health_now(self) -> str:
        """The health that counts; `health` is what it said last, however long ago."""
        return health_now(self.health, self.status)


class AgentEvent(models.Model):
    """One thing that happened to an agent; rows are only added and pruned. data is redacted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=32)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["agent", "-id"], name="event_by_agent"),
            models.Index(fields=["at"], name="event_by_time"),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.at:%F %T} {self.kind}"


class GivenUid(models.Model):
    """An identity that the server gave (M6, A2): to one of several agents that shared `was`, or on request."""

    uid = models.UUIDField(primary_key=True, default=new_id, editable=False)
    was = models.UUIDField(db_index=True)
    is_clone = models.BooleanField(help_text="another agent goes on under the old uid")
    remote_address = models.CharField(max_length=64, blank=True)
    given_at = models.DateTimeField(db_index=True)
    taken_at = models.DateTimeField(null=True, help_text="when an agent came with it")

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.uid}, formerly {self.was}"


class CommandKind(models.TextChoices):
    """What an agent can be told to do."""

    RESTART = "restart", "Restart"
    MESSAGE = "message", "Custom message"


class AgentCommand(models.Model):
    """Something that an agent is to be told once, soon or never. A row, so that any process can deliver it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="commands")
    kind = models.CharField(max_length=10, choices=CommandKind.choices)
    capability = models.CharField(max_length=200, blank=True, help_text="of a custom message")
    type = models.CharField(max_length=200, blank=True, help_text="of a custom message")
    body = EncryptedTextField(default="", help_text="of a custom message, base64")
    requested_by = models.CharField(max_length=200)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="not delivered by then: never")
    sent_at = models.DateTimeField(null=True)
    epoch = models.BigIntegerField(null=True, help_text="the session that it was sent to")
    expired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["agent"],
                condition=models.Q(sent_at=None, expired_at=None),
                name="command_pending",
            ),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.kind} for {self.agent_id}"


class AgentMessage(models.Model):
    """A custom message that an agent sent (K2); the last few of each agent are kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="messages")
    at = models.DateTimeField()
    capability = models.CharField(max_length=200)
    type = models.CharField(max_length=200, blank=True)
    body = EncryptedTextField(help_text="base64, its first bytes if it was long")
    size = models.PositiveIntegerField(help_text="bytes, as they came")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["agent", "-id"], name="message_by_agent")]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.capability} {self.type}"
