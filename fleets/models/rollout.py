"""Moving members of a fleet to a version: rollouts, their stages and targets, and every offer's history."""

from typing import Final

from django.conf import settings
from django.db import models

from agents.models import Agent
from configs.models import ConfigVersion
from fleets.models.fleet import Fleet, RenderedConfig
from telflo.base.ids import new_id


class RolloutState(models.TextChoices):
    """See fleets/rollouts/plan.py, the only place that knows the transitions."""

    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    BAKING = "baking", "Baking"
    PAUSED = "paused", "Paused"
    ROLLING_BACK = "rolling_back", "Rolling back"
    ROLLED_BACK = "rolled_back", "Rolled back"
    SUCCEEDED = "succeeded", "Succeeded"
    SUPERSEDED = "superseded", "Superseded"
    CANCELLED = "cancelled", "Cancelled"


class Rollout(models.Model):
    """One move of a fleet to a version; an assignment has a single stage. At most one is active a fleet."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField(help_text="counts up over the installation")
    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="rollouts")
    version = models.ForeignKey(ConfigVersion, on_delete=models.PROTECT, related_name="rollouts")
    from_version = models.ForeignKey(
        ConfigVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(
        max_length=14, choices=RolloutState.choices, default=RolloutState.PENDING
    )
    state_since = models.DateTimeField()
    state_reason = models.CharField(max_length=500, blank=True)
    is_held = models.BooleanField(default=False, help_text="a person paused it")
    automatic_rollback = models.BooleanField(default=False)
    is_forced = models.BooleanField(
        default=False, help_text="tried again where the version failed before the rollout"
    )
    apply_timeout_s = models.PositiveIntegerField()
    soak_s = models.PositiveIntegerField(
        default=0, help_text="how long a collector has to stay well after it applied the version"
    )
    max_in_flight = models.PositiveIntegerField(
        default=0, help_text="between offer and judgement at a time; 0: any number"
    )
    waits_for_offline = models.BooleanField(default=False)
    zone_key = models.CharField(max_length=128, blank=True)
    zone_limit = models.PositiveIntegerField(
        default=0, help_text="at a time with the same value of zone_key; 0: any number"
    )
    window_days = models.CharField(max_length=60, blank=True, help_text="empty: always open")
    window_hours = models.CharField(max_length=11, blank=True)
    window_zone = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="rollout_number"),
            models.UniqueConstraint(
                fields=["fleet"],
                condition=models.Q(
                    state__in=["pending", "running", "baking", "paused", "rolling_back"]
                ),
                name="one_active_rollout_per_fleet",
            ),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return f"#{self.number}"


class StageState(models.TextChoices):
    """Where a stage is."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    BAKING = "baking", "Baking"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"
    STOPPED = "stopped", "Stopped"


class Stage(models.Model):
    """A share of the targets that moves together."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="stages")
    index = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    percent = models.PositiveSmallIntegerField(
        null=True, default=100, help_text="of all targets, from the first stage on"
    )
    count = models.PositiveIntegerField(null=True, help_text="so many more targets")
    selector = models.CharField(max_length=500, blank=True, help_text="all that it selects")
    failure_budget_percent = models.PositiveSmallIntegerField(
        default=0, help_text="of the stage's targets: more failures than that spend it"
    )
    failure_budget_count = models.PositiveIntegerField(
        null=True, help_text="instead of a percentage"
    )
    bake_s = models.PositiveIntegerField(
        default=0, help_text="watched for so long once all are judged"
    )
    bake_until = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=StageState.choices, default=StageState.WAITING)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(fields=["rollout", "index"], name="stage_index"),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return self.name

    @property
    def state_now(self) -> str:
        """Where it is, as far as its rollout goes on: one of SHOWN_STAGE_STATES. What is stored is the plan's alone."""
        is_open = self.state in (StageState.WAITING, StageState.RUNNING, StageState.BAKING)
        state = self.rollout.state
        if is_open and state in (RolloutState.SUPERSEDED, RolloutState.CANCELLED):
            return state
        has_begun = is_open and self.state != StageState.WAITING
        return state if has_begun and state == RolloutState.PAUSED else self.state


SHOWN_STAGE_STATES: Final = [
    *StageState.choices,
    (RolloutState.PAUSED.value, RolloutState.PAUSED.label),
    (RolloutState.SUPERSEDED.value, RolloutState.SUPERSEDED.label),
    (RolloutState.CANCELLED.value, RolloutState.CANCELLED.label),
]
"""A stage's own states, and those in which its rollout holds it."""


class TargetState(models.TextChoices):
    """One agent's way through a rollout."""

    WAITING = "waiting", "Waiting"
    OFFERED = "offered", "Offered"
    APPLYING = "applying", "Applying"
    SOAKING = "soaking", "Soaking"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    PENDING_OFFLINE = "pending_offline", "Pending, offline"
    EXCLUDED = "excluded", "Excluded"
    REVERTING = "reverting", "Reverting"
    REVERTED = "reverted", "Reverted"
    REVERT_FAILED = "revert_failed", "Revert failed"


class Target(models.Model):
    """One agent in one rollout. previous: what it should run before (its own, not the fleet's): there it goes back."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="targets")
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="targets")
    agent = models.ForeignKey(
        Agent,
        null=True,
        on_delete=models.SET_NULL,
        related_name="targets",
        help_text="empty once the agent is forgotten",
    )
    agent_label = models.CharField(max_length=200, blank=True, help_text="kept when it is")
    previous = models.ForeignKey(
        RenderedConfig, null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(
        max_length=16, choices=TargetState.choices, default=TargetState.WAITING
    )
    state_since = models.DateTimeField()
    reason = models.TextField(blank=True)
    failure = models.TextField(blank=True, help_text="kept when it goes back; empty: none")
    failed_at = models.DateTimeField(null=True)
    retried_at = models.DateTimeField(
        null=True, help_text="when a person had it tried there again, the last time"
    )
    zone = models.CharField(max_length=255, blank=True, help_text="its value of the zone key")
    soak_until = models.DateTimeField(null=True)
    has_soaked_anew = models.BooleanField(
        default=False,
        db_default=False,
        help_text="it was ill while its stage baked; the next time it has failed",
    )
    is_unverified = models.BooleanField(
        default=False, help_text="it cannot report health, so nobody knows how it is"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rollout", "agent"], name="target_once"),
        ]
        indexes = [
            models.Index(fields=["rollout", "stage", "state"], name="target_by_state"),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.agent_id}: {self.state}"


class AttemptState(models.TextChoices):
    """What an offer drew. OFFERED and APPLYING are in flight."""

    OFFERED = "offered", "Offered"
    APPLYING = "applying", "Applying"
    APPLIED = "applied", "Applied"
    FAILED = "failed", "Failed"
    LOST = "lost", "Never received"
    TIMED_OUT = "timed_out", "No answer"


class Attempt(models.Model):
    """One offer of one hash to one agent, written before it is sent; history, never overwritten by the next."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="attempts")
    rendered = models.ForeignKey(RenderedConfig, on_delete=models.PROTECT, related_name="attempts")
    hash = models.CharField(max_length=64)
    epoch = models.BigIntegerField(help_text="session that it was sent on")
    rollout = models.ForeignKey(
        Rollout, null=True, on_delete=models.SET_NULL, related_name="attempts"
    )
    state = models.CharField(
        max_length=10, choices=AttemptState.choices, default=AttemptState.OFFERED
    )
    error = models.TextField(blank=True)
    offered_at = models.DateTimeField()
    deadline = models.DateTimeField(help_text="when silence counts as failure")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["agent", "-id"], name="attempt_by_agent"),
            models.Index(fields=["agent", "hash"], name="attempt_by_hash"),
            models.Index(fields=["state", "deadline"], name="attempt_in_flight"),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.hash[:12]}: {self.state}"


class Quarantine(models.Model):
    """(agent, hash) that failed: never offered again until a person retries it (decision 1)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="quarantined")
    hash = models.CharField(max_length=64)
    attempt = models.ForeignKey(Attempt, null=True, on_delete=models.SET_NULL, related_name="+")
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent", "hash"], name="quarantined_once"),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.agent_id}: {self.hash[:12]}"
