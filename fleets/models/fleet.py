"""Fleets, and which agent belongs to one and should run what."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from agents.models import Agent
from configs.models import ConfigVersion
from telflo.base.encryption import EncryptedTextField
from telflo.base.ids import new_id


class ArrivalMode(models.TextChoices):
    """What an agent of a fleet is: offered configurations, or only looked at (decision 15)."""

    MANAGED = "managed", "Managed"
    OBSERVED = "observed", "Observed"


class FleetQuerySet(models.QuerySet["Fleet"]):
    """Sets of fleets."""

    def active(self) -> "FleetQuerySet":
        """Those that are not archived."""
        return self.filter(archived_at=None)


class Fleet(models.Model):
    """Collectors that should run one version. Without a version it only observes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.CharField(max_length=500, blank=True)
    version = models.ForeignKey(
        ConfigVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="assigned_fleets",
        help_text="assigned last; a rollout moves the members to it",
    )
    stable_version = models.ForeignKey(
        ConfigVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="stable_fleets",
        help_text="of the last rollout that succeeded: what newcomers get meanwhile",
    )
    arrival_mode = models.CharField(
        max_length=10,
        choices=ArrivalMode.choices,
        default=ArrivalMode.MANAGED,
        help_text="what a collector that arrives with a configuration of its own becomes",
    )
    expiry_ends_access = models.BooleanField(
        default=False, help_text="apply a token's expiry to enrolled collectors too (decision 8)"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = FleetQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                condition=models.Q(archived_at=None),
                name="fleet_name",
                violation_error_message="A fleet of this name exists. Choose another name.",
            ),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return self.name

    def has_settled_on(self, version: ConfigVersion) -> bool:
        """Whether this was assigned last and its rollout succeeded: only those on whom it failed lack it."""
        return self.version_id == self.stable_version_id == version.pk


class RenderedConfig(models.Model):
    """What is offered: a version's text as an AgentConfigMap and its canonical hash (decision 3)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(ConfigVersion, on_delete=models.PROTECT, related_name="rendered")
    hash = models.CharField(max_length=64, db_index=True)
    body = EncryptedTextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "hash"], name="rendered_once"),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return self.hash[:12]


class Membership(models.Model):
    """The truth of which fleet an agent belongs to and what it should run (decision 14)."""

    agent = models.OneToOneField(
        Agent, primary_key=True, on_delete=models.CASCADE, related_name="membership"
    )
    fleet = models.ForeignKey(Fleet, on_delete=models.PROTECT, related_name="memberships")
    token = models.ForeignKey(
        "fleets.Token",
        null=True,
        on_delete=models.SET_NULL,
        related_name="memberships",
        help_text="the token it came by last",
    )
    moved_from = models.ForeignKey(
        "fleets.Token",
        null=True,
        on_delete=models.SET_NULL,
        related_name="moved",
        help_text="the token it came by before it was offered others: its file may hold it still",
    )
    mode = models.CharField(max_length=10, choices=ArrivalMode.choices, default=ArrivalMode.MANAGED)
    desired = models.ForeignKey(
        RenderedConfig, null=True, on_delete=models.PROTECT, related_name="desired_by"
    )
    previous = models.ForeignKey(
        RenderedConfig,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="what it last ran well before the desired one: retries and rollbacks go there",
    )
    retry = models.ForeignKey(
        RenderedConfig,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="offered again once the desired one, its previous, is applied (decision 2)",
    )
    enrolled_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["fleet", "agent"], name="membership_by_fleet")]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.agent_id} in {self.fleet_id}"
