"""What should run: configurations and their immutable versions."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from telflo.base.encryption import EncryptedTextField
from telflo.base.ids import new_id


class ConfigurationQuerySet(models.QuerySet["Configuration"]):
    """Sets of configurations."""

    def active(self) -> "ConfigurationQuerySet":
        """Those that are not archived."""
        return self.filter(archived_at=None)


class Configuration(models.Model):
    """A named line of versions, e.g. "edge gateway"."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)
    last_lock_version = models.PositiveIntegerField(
        default=0, db_default=0, help_text="the highest of its drafts that are gone"
    )

    objects = ConfigurationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                condition=models.Q(archived_at=None),
                name="configuration_name",
                violation_error_message="A configuration of this name exists. Choose another name.",
            ),
        ]

    def __str__(self) -> str:
        """For people and logs."""
        return self.name


class VersionState(models.TextChoices):
    """Where a version is in its life. Only published versions can be assigned."""

    UNPUBLISHED = "unpublished"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class VersionQuerySet(models.QuerySet["ConfigVersion"]):
    """Sets of versions."""

    def published(self) -> "VersionQuerySet":
        """Those that a fleet may be given."""
        return self.filter(state=VersionState.PUBLISHED)

    def without_text(self) -> "VersionQuerySet":
        """For lists: the encrypted text is not read."""
        return self.defer("yaml")


class ConfigVersion(models.Model):
    """One saved text. Its text, number, hash, author and note never change; only its state moves on."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    configuration = models.ForeignKey(
        Configuration, on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField()
    yaml = EncryptedTextField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField(help_text="bytes of the text in UTF-8")
    note = models.CharField(max_length=500, blank=True)
    collector_version = models.CharField(max_length=32, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    state = models.CharField(
        max_length=12, choices=VersionState.choices, default=VersionState.UNPUBLISHED
    )
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["configuration", "number"], name="version_number_per_configuration"
            ),
        ]

    def __str__(self) -> str:
        """For people and logs, e.g. "edge v4"."""
        return f"{self.configuration.name} v{self.number}"


class Draft(models.Model):
    """The one editing buffer of a configuration: any text, shared by all who edit it. Saved as a version it is gone.

    lock_version rises with each change and goes on from one draft to the next, so that a number never means two texts.
    """

    configuration = models.OneToOneField(
        Configuration, primary_key=True, on_delete=models.CASCADE, related_name="draft"
    )
    yaml = EncryptedTextField()
    collector_version = models.CharField(max_length=32, blank=True)
    lock_version = models.PositiveIntegerField()
    base = models.ForeignKey(
        ConfigVersion,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="the version that it began with",
    )
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    editor = models.CharField(max_length=200, help_text="who edited it last, as people know them")
    edited_at = models.DateTimeField()
    begun_at = models.DateTimeField()

    def __str__(self) -> str:
        """For people and logs, e.g. "edge, draft"."""
        return f"{self.configuration.name}, draft"
