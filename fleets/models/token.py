"""What lets collectors in: tokens of three kinds, quick-deploy codes, and the attempts that were refused."""

from datetime import datetime

from django.conf import settings
from django.db import models

from fleets.models.fleet import Fleet
from telflo.base.encryption import EncryptedTextField
from telflo.base.ids import new_id


class TokenKind(models.TextChoices):
    """Decision 7: one table, three kinds."""

    ENROLMENT = "enrolment", "Enrolment token"
    HOST = "host", "Host token"
    AGENT = "agent", "Agent credential"


class Platform(models.TextChoices):
    """Platforms that quick deploy serves."""

    LINUX_AMD64 = "linux_amd64", "Linux amd64"
    LINUX_ARM64 = "linux_arm64", "Linux arm64"


class Deployment(models.Model):
    """A quick-deploy command: a short-lived code of few uses; claiming it mints a host token (decision 10)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="deployments")
    code_hash = models.CharField(max_length=64, unique=True)
    code_prefix = models.CharField(max_length=12)
    platform = models.CharField(max_length=16, choices=Platform.choices)
    supervisor_version = models.CharField(max_length=32)
    collector_version = models.CharField(max_length=32)
    options = models.JSONField(default=dict, help_text="DeploymentOptions of fleets/quickdeploy")
    secret_environment = EncryptedTextField(
        default="", help_text="NAME=value lines for the collector, given as secrets"
    )
    max_uses = models.PositiveIntegerField(default=1)
    uses = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        """For people and logs: never the code."""
        return f"{self.code_prefix}… for {self.fleet_id}"

    def is_open(self, now: datetime) -> bool:
        """Whether the code still answers a script and, while uses are left, a claim."""
        return self.revoked_at is None and now < self.expires_at


class Token(models.Model):
    """A credential of collectors. Only its hash is kept; the secret is shown once (decision 12).

    enrol_until ends enrolment only (decision 8). retired_at: no new enrolments, known agents stay.
    revoked_at: refused from then on, live connections closed (decision 9).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=TokenKind.choices, default=TokenKind.ENROLMENT)
    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, db_index=True)
    secret_hash = models.CharField(max_length=64, unique=True)
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="children",
        help_text="the token that this one replaces, or by which its agent enrolled",
    )
    deployment = models.ForeignKey(
        Deployment, null=True, blank=True, on_delete=models.SET_NULL, related_name="tokens"
    )
    agent_uid = models.UUIDField(
        null=True, blank=True, db_index=True, help_text="the only agent that may use it"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    enrol_until = models.DateTimeField(null=True, blank=True, help_text="empty: never expires")
    retired_at = models.DateTimeField(null=True, blank=True)
    revoke_at = models.DateTimeField(
        null=True, blank=True, help_text="revoked by itself then: the end of a rotation's overlap"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=500, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        """For people and logs: never the secret."""
        return f"{self.name} ({self.prefix}…)"

    def may_enrol(self, now: datetime) -> bool:
        """Whether an unknown agent may come in with it at `now`."""
        return (
            self.revoked_at is None
            and (self.retired_at is None or now < self.retired_at)
            and (self.enrol_until is None or now < self.enrol_until)
        )


class Handover(models.Model):
    """The secret of a token that replaces another, kept until the overlap is over.

    Until then collectors that use the other one and accept connection settings are offered it.
    """

    token = models.OneToOneField(
        Token, primary_key=True, on_delete=models.CASCADE, related_name="handover"
    )
    secret = EncryptedTextField()
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        """For people and logs: never the secret."""
        return f"handover of {self.token_id}"


class RefusalReason(models.TextChoices):
    """Why a connection or an enrolment was refused; the quick-deploy page explains each."""

    MISSING = "missing", "No token was sent"
    UNKNOWN = "unknown", "The token is not known here"
    REVOKED = "revoked", "The token is revoked"
    EXPIRED = "expired", "The token no longer enrols: it expired"
    RETIRED = "retired", "The token no longer enrols: it is retired"
    TAKEN = "taken", "The token of a host let in another collector already"
    OTHER_AGENT = "other_agent", "The credential belongs to another collector"
    RATE = "rate", "Too many new collectors a minute by this token"
    PROTOCOL = "protocol", "The request is not OpAMP"
    CODE = "code", "The quick-deploy code is unknown, used up, expired or revoked"


class RefusedAttempt(models.Model):
    """Refused attempts, counted per token prefix, address and reason, so that a flood is one row (decision 13)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    fleet = models.ForeignKey(
        Fleet, null=True, on_delete=models.CASCADE, related_name="refused_attempts"
    )
    token_prefix = models.CharField(max_length=16, blank=True)
    address = models.CharField(max_length=64)
    reason = models.CharField(max_length=12, choices=RefusalReason.choices)
    transport = models.CharField(max_length=8, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["token_prefix", "address", "reason"], name="refused_once"
            ),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return f"{self.address}: {self.reason} x {self.count}"
