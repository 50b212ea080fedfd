"""Agents in the Django admin: to look at. Changes are made in the pages, where services do them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from agents.models import Agent, AgentEvent, EffectiveConfig
from agents.store.values import files_from_text
from agents.views.configuration import shown_file
from telflo.base.readonly_admin import ReadOnlyAdmin
from telflo.base.redaction import redact_mapping


@admin.register(Agent)
class AgentAdmin(ReadOnlyAdmin[Agent]):
    """Collectors."""

    list_display = ("display_name", "instance_uid", "word", "collector_name", "collector_version")
    list_filter = ("status__status", "status__health", "collector_version", "os_type")
    search_fields = ("display_name", "host_name", "instance_uid")
    list_select_related = ("status",)
    fields = (
        "instance_uid",
        "display_name",
        "name",
        "word",
        "shown_identifying",
        "shown_non_identifying",
        "shown_labels",
        "collector_name",
        "collector_version",
        "host_name",
        "os_type",
        "first_seen_at",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        """Without the health tree."""
        return super().get_queryset(request).defer("status__health_report")

    @admin.display(description="status")
    def word(self, agent: Agent) -> str:
        """The status in words."""
        return agent.status.get_status_display()

    @admin.display(description="identifying attributes")
    def shown_identifying(self, agent: Agent) -> str:
        """Secrets masked."""
        return _lines(agent.identifying)

    @admin.display(description="other attributes")
    def shown_non_identifying(self, agent: Agent) -> str:
        """Secrets masked."""
        return _lines(agent.non_identifying)

    @admin.display(description="labels")
    def shown_labels(self, agent: Agent) -> str:
        """Secrets masked."""
        return _lines(agent.labels)


@admin.register(EffectiveConfig)
class EffectiveConfigAdmin(ReadOnlyAdmin[EffectiveConfig]):
    """Effective configurations, secrets masked."""

    list_display = ("sha256", "size", "created_at")
    ordering = ("-created_at",)
    search_fields = ("sha256",)
    fields = readonly_fields = ("sha256", "size", "created_at", "shown_files")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EffectiveConfig]:
        """The list does not decrypt the bodies."""
        return super().get_queryset(request).defer("files")

    @admin.display(description="files")
    def shown_files(self, config: EffectiveConfig) -> str:
        """The texts, one after the other."""
        files = map(shown_file, files_from_text(config.files))
        return "\n\n".join(f"# {file.name or '(no name)'}\n{file.text}" for file in files)


@admin.register(AgentEvent)
class AgentEventAdmin(ReadOnlyAdmin[AgentEvent]):
    """What happened to collectors."""

    list_display = ("at", "kind", "agent")
    list_filter = ("kind",)
    list_select_related = ("agent",)
    fields = readonly_fields = ("id", "agent", "at", "kind", "data")


def _lines(values: dict[str, Any]) -> str:
    return "\n".join(f"{key} = {value}" for key, value in sorted(redact_mapping(values).items()))
