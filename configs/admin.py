"""The Django admin of configurations and versions: read-only, secrets masked."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from configs.models import Configuration, ConfigVersion
from telflo.base.readonly_admin import ReadOnlyAdmin
from telflo.base.redaction import redact_text


@admin.register(Configuration)
class ConfigurationAdmin(ReadOnlyAdmin[Configuration]):
    """Configurations."""

    list_display = ["name", "description", "created_by", "created_at", "archived_at"]
    list_select_related = ["created_by"]
    search_fields = ["name", "description"]


@admin.register(ConfigVersion)
class ConfigVersionAdmin(ReadOnlyAdmin[ConfigVersion]):
    """Versions; the text of one is shown redacted."""

    list_display = ["configuration", "number", "state", "note", "author", "created_at", "sha256"]
    list_filter = ["state"]
    list_select_related = ["configuration", "author"]
    search_fields = ["configuration__name", "note", "sha256"]
    fields = [
        "configuration",
        "number",
        "state",
        "note",
        "collector_version",
        "author",
        "created_at",
        "published_by",
        "published_at",
        "sha256",
        "size",
        "text",
    ]
    readonly_fields = ["text"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConfigVersion]:
        """Lists read no texts; a single row loads its own when it is shown."""
        return super().get_queryset(request).defer("yaml")

    @admin.display(description="YAML")
    def text(self, version: ConfigVersion) -> SafeString:
        """The text with its secrets masked."""
        return format_html("<pre>{}</pre>", redact_text(version.yaml))
