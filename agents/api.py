"""The REST API of agents: list, one, change, forget, effective configuration, events."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from agents import store
from agents.api_commands import AgentCommands
from agents.filters import AgentFilters
from agents.models import Agent, AgentEvent, AgentStatus, Health, Status
from agents.services import label_agent, rename_agent
from agents.snapshot import Transport
from agents.views.configuration import effective_of, record_raw_reading, shown_file
from agents.views.versions import AgentVersions, VersionRef, membership_of, versions_of
from agents.wording import REMOTE_CONFIG_STATUS, capability_names
from fleets.models import Fleet, Membership, TokenKind
from fleets.services import forget_agent, move_agent
from telflo.base.access import Action, may
from telflo.base.api.serializers import BodySerializer
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


class AgentChangeSerializer(BodySerializer):
    """What may be changed; what is left out stays."""

    fleet = serializers.CharField(required=False, help_text="slug or id")
    labels = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text="replaces all labels",
    )
    name = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="empty: what the collector says of itself",
    )


class EffectiveFileSerializer(serializers.Serializer[Any]):
    """One file. text is null for a body that is no text."""

    name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")
    text = serializers.CharField(allow_null=True)


class EffectiveConfigSerializer(serializers.Serializer[Any]):
    """What the agent says it runs."""

    sha256 = serializers.CharField()
    reported_at = serializers.DateTimeField(allow_null=True)
    redacted = serializers.BooleanField()
    files = EffectiveFileSerializer(many=True)


class AgentEventSerializer(serializers.ModelSerializer[AgentEvent]):
    """One thing that happened to an agent."""

    data = serializers.DictField()  # type: ignore[assignment]  # the field is called so

    class Meta:
        model = AgentEvent
        fields = ("id", "at", "kind", "data")


_KEY_FILTERS = [
    OpenApiParameter(
        "attr.*",
        OpenApiTypes.STR,
        description="`attr.<key>=<value>`: reports this attribute. Any number of them.",
    ),
    OpenApiParameter(
        "label.*", OpenApiTypes.STR, description="`label.<key>=<value>`: has this label."
    ),
]


class AgentViewSet(AgentCommands):
    """Collectors, by the instance uid that their OpAMP client uses."""

    queryset = Agent.objects.all()
    serializer_class = AgentSerializer
    filterset_class = AgentFilters
    lookup_url_kwarg = "uid"
    lookup_value_converter = "uuid"
    ordering = ("display_name",)
    ordering_fields = ("display_name", "first_seen_at", "status_since")
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    required_actions: ClassVar[dict[str, Action]] = {
        "list": Action.VIEW,
        "retrieve": Action.VIEW,
        "partial_update": Action.OPERATE,
        "destroy": Action.OPERATE,
        "effective_config": Action.VIEW,
        "events": Action.VIEW,
        "restart": Action.OPERATE,
        "messages": Action.VIEW,
        "send_message": Action.OPERATE,
    }
    query_parameters: ClassVar[dict[str, tuple[str, ...]]] = {
        "list": ("attr.*", "label.*"),
        "effective_config": ("raw",),
        "events": ("cursor", "limit"),
        "messages": ("cursor", "limit"),
    }

    def get_queryset(self) -> QuerySet[Agent]:
        """Agents with what an answer says of them."""
        rows = Agent.objects.select_related("status", "membership__fleet", "membership__token")
        return rows.annotate(status_since=F("status__status_since"))

    @extend_schema(parameters=_KEY_FILTERS)
    def list(self, request: Request) -> Response:
        """Collectors. Values of one filter are alternatives; filters all hold."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        # Representations are what the serializer says already; it would only copy two hundred of them.
        return self.get_paginated_response(representations(page))

    def retrieve(self, request: Request, uid: UUID) -> Response:
        """One collector."""
        return self.one(_shown(self.get_object()))

    @extend_schema(request=AgentChangeSerializer, responses=AgentSerializer)
    def partial_update(self, request: Request, uid: UUID) -> Response:
        """Move it to another fleet, replace its labels, name it."""
        changes = self.validated(AgentChangeSerializer)
        fleet = _fleet(changes["fleet"]) if "fleet" in changes else None
        with transaction.atomic():
            store.hold([uid])
            agent = self.get_object()
            self.check_unchanged(_shown(agent))
            if fleet is not None:
                move_agent(agent=agent, fleet=fleet, actor=self.actor)
            if "labels" in changes:
                label_agent(agent=agent, labels=changes["labels"], actor=self.actor)
            if "name" in changes:
                rename_agent(agent=agent, name=changes["name"], actor=self.actor)
            return self.one(_shown(self.get_object()))

    def destroy(self, request: Request, uid: UUID) -> Response:
        """Forget it. On the host it keeps running; when it comes back it is new."""
        forget_agent(agent=self.get_object(), actor=self.actor)
        return Response(status=204)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "raw",
                OpenApiTypes.BOOL,
                description="Unredacted: needs the role Editor and is written into the activity log.",
            )
        ],
        responses=EffectiveConfigSerializer,
    )
    @action(detail=True, url_path="effective-config", filter_backends=[], pagination_class=None)
    def effective_config(self, request: Request, uid: UUID) -> Response:
        """What it says it runs, secrets masked."""
        agent = self.get_object()
        sha256 = agent.status.effective_config_id
        if not sha256:
            raise NotFound("This collector reported no effective configuration.")
        is_raw = request.query_params.get("raw", "").lower() in {"true", "1"}
        if is_raw:
            if not may(request.user, Action.READ_RAW):
                raise PermissionDenied("Unredacted text needs the role Editor.")
            record_raw_reading(agent, self.actor)
        files = [shown_file(file, raw=is_raw) for file in effective_of(agent)]
        answer = {
            "sha256": sha256,
            "reported_at": agent.status.effective_config_at,
            "redacted": not is_raw,
            "files": [
                {
                    "name": file.name,
                    "content_type": file.content_type,
                    "size": file.size,
                    "text": file.text if file.is_text else None,
                }
                for file in files
            ],
        }
        return Response(EffectiveConfigSerializer(answer).data)

    @extend_schema(responses=AgentEventSerializer(many=True))
    @action(detail=True, filter_backends=[])
    def events(self, request: Request, uid: UUID) -> Response:
        """What happened to it, newest first."""
        self.ordering = ("-id",)
        return self.page(AgentEvent.objects.filter(agent=self.get_object()), AgentEventSerializer)


def representations(agents: Sequence[Agent]) -> list[dict[str, Any]]:
    """Agents as the API shows them: one query for the versions of all."""
    versions = versions_of(agents)
    return [_representation(agent, versions[agent.pk]) for agent in agents]


def _shown(agent: Agent) -> dict[str, Any]:
    return dict(AgentSerializer(representations([agent])[0]).data)


def _representation(agent: Agent, versions: AgentVersions) -> dict[str, Any]:
    status = agent.status
    membership = membership_of(agent)
    return {
        "instance_uid": agent.pk,
        "name": agent.display_name,
        "fleet": membership.fleet.slug if membership else None,
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
    tree = _masked(status.health_tree or {})
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


def _fleet(text: str) -> Fleet:
    """The fleet with this slug or id. Raises ValidationError (400)."""
    fleets = Fleet.objects.active()
    try:
        found = fleets.filter(pk=UUID(text)).first()
    except ValueError:
        found = fleets.filter(slug=text).first()
    if found is None:
        raise serializers.ValidationError({"fleet": "No fleet has this slug or id."})
    return found


router = SimpleRouter(use_regex_path=False)
router.register("agents", AgentViewSet, basename="api-agents")
