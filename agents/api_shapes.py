"""A collector as the API shows it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from agents.health import health_to_json
from agents.models import Agent, AgentStatus, Health, Status
from agents.snapshot import Transport
from agents.views.versions import AgentVersions, VersionRef, membership_of, versions_of
from agents.wording import REMOTE_CONFIG_STATUS, capability_names
from fleets.models import ArrivalMode, Membership, TokenKind
from opamp.protocol.health import read_tree
from telflo.base.redaction import redact_mapping, redact_text


class VersionNameSerializer(serializers.Serializer[Any]):
    """A configuration version by its name."""

    configuration = serializers.CharField()
    number = serializers.IntegerField()


class HealthSerializer(serializers.Serializer[Any]):
    """The health that the agent reported last; healthy is null while that no longer counts."""

    healthy = serializers.BooleanField(allow_null=True)
    status = serializers.CharField()
    last_error = serializers.CharField()
    reported_at = serializers.DateTimeField(
        allow_null=True, help_text="when the agent said this: an empty report later changes nothing"
    )
    components = serializers.DictField(
        help_text="by name: healthy, status, last_error, started_at, status_at, attributes, components"
    )


class RemoteConfigSerializer(serializers.Serializer[Any]):
    """What the agent acknowledged last."""

    status = serializers.ChoiceField(choices=list(REMOTE_CONFIG_STATUS.values()))
    hash = serializers.CharField()
    error = serializers.CharField()


class CredentialSerializer(serializers.Serializer[Any]):
    """The token that it uses, without its secret."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=TokenKind.choices)
    prefix = serializers.CharField()


class ConnectionReportSerializer(serializers.Serializer[Any]):
    """What the agent acknowledged last of connection settings; UNSET for those that do not report it."""

    status = serializers.ChoiceField(choices=list(REMOTE_CONFIG_STATUS.values()))
    hash = serializers.CharField()
    error = serializers.CharField()
    interval_s = serializers.IntegerField(help_text="seconds between heartbeats or polls")


class CollectorSerializer(serializers.Serializer[Any]):
    """The collector build."""

    name = serializers.CharField()
    version = serializers.CharField()


class AttributesSerializer(serializers.Serializer[Any]):
    """Attributes as the agent reports them; secrets are masked."""

    identifying = serializers.DictField()
    non_identifying = serializers.DictField()


class AgentSerializer(serializers.Serializer[Any]):
    """A collector."""

    instance_uid = serializers.UUIDField()
    name = serializers.CharField()
    fleet = serializers.SlugField(allow_null=True)
    mode = serializers.ChoiceField(
        choices=ArrivalMode.choices, allow_null=True, help_text="null: in no fleet"
    )
    connected = serializers.BooleanField()
    transport = serializers.ChoiceField(choices=[t.value for t in Transport], allow_blank=True)
    status = serializers.ChoiceField(choices=Status.choices)
    status_since = serializers.DateTimeField()
    health = HealthSerializer()
    desired_version = VersionNameSerializer(allow_null=True)
    applied_version = VersionNameSerializer(allow_null=True)
    remote_config = RemoteConfigSerializer()
    credential = CredentialSerializer(allow_null=True)
    connection_settings = ConnectionReportSerializer()
    collector = CollectorSerializer()
    capabilities = serializers.ListField(child=serializers.CharField())
    custom_capabilities = serializers.ListField(child=serializers.CharField())
    attributes = AttributesSerializer()
    labels = serializers.DictField(child=serializers.CharField())
    last_seen = serializers.DateTimeField(allow_null=True)


def representations(agents: Sequence[Agent]) -> list[dict[str, Any]]:
    """Agents as the API shows them: one query for the versions of all."""
    versions = versions_of(agents)
    return [_representation(agent, versions[agent.pk]) for agent in agents]


def shown_agent(agent: Agent) -> dict[str, Any]:
    """One agent as the API shows it."""
    return dict(AgentSerializer(representations([agent])[0]).data)


def _representation(agent: Agent, versions: AgentVersions) -> dict[str, Any]:
    status = agent.status
    membership = membership_of(agent)
    return {
        "instance_uid": agent.pk,
        "name": agent.display_name,
        "fleet": membership.fleet.slug if membership else None,
        "mode": membership.mode if membership else None,
        "connected": status.connected,
        "transport": status.transport,
        "status": status.status,
        "status_since": status.status_since,
        "health": _health(status),
        "desired_version": _version(versions.desired),
        "applied_version": _version(versions.applied),
        "remote_config": {
            "status": REMOTE_CONFIG_STATUS[status.remote_config_status],
            "hash": status.remote_config_hash,
            "error": redact_text(status.remote_config_error),
        },
        "credential": _credential(membership),
        "connection_settings": {
            "status": REMOTE_CONFIG_STATUS[status.connection_status],
            "hash": status.connection_hash,
            "error": redact_text(status.connection_error),
            "interval_s": status.interval_s,
        },
        "collector": {"name": agent.collector_name, "version": agent.collector_version},
        "capabilities": capability_names(agent.capabilities),
        "custom_capabilities": agent.custom_capabilities,
        "attributes": {
            "identifying": redact_mapping(agent.identifying),
            "non_identifying": redact_mapping(agent.non_identifying),
        },
        "labels": redact_mapping(agent.labels),
        "last_seen": status.last_seen_at,
    }


def _credential(membership: Membership | None) -> dict[str, Any] | None:
    token = membership.token if membership else None
    return {"id": token.pk, "kind": token.kind, "prefix": token.prefix} if token else None


def _health(status: AgentStatus) -> dict[str, Any]:
    report = status.health_report
    tree = {} if report is None else _masked(health_to_json(read_tree(report)))
    is_known = status.health_now != Health.UNKNOWN
    return {
        "healthy": status.health == Health.HEALTHY if is_known else None,
        "status": tree.get("status", ""),
        "last_error": redact_text(status.last_error),
        "reported_at": status.health_at,
        "components": tree.get("components", {}),
    }


def _masked(node: Mapping[str, Any]) -> dict[str, Any]:
    """A health tree with the secrets in its errors masked, and its times as the API writes all others."""
    shown = dict(node)
    for name in ("started_at", "status_at"):
        if shown.get(name):
            shown[name] = shown[name].replace("+00:00", "Z")
    if shown.get("last_error"):
        shown["last_error"] = redact_text(shown["last_error"])
    if shown.get("attributes"):
        shown["attributes"] = redact_mapping(shown["attributes"])
    children = shown.get("components") or {}
    return {**shown, "components": {name: _masked(child) for name, child in children.items()}}


def _version(ref: VersionRef | None) -> dict[str, Any] | None:
    return {"configuration": ref.configuration, "number": ref.number} if ref else None
