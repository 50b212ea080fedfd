"""The REST API of agents: list, one, change, forget, effective configuration, events."""

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

from agents.api_commands import AgentCommands
from agents.api_components import AgentComponents
from agents.api_drift import AgentDrift
from agents.api_shapes import AgentSerializer, representations, shown_agent
from agents.filters import AgentFilters
from agents.models import Agent, AgentEvent
from agents.services import label_agent, rename_agent
from agents.views.configuration import effective_of, record_raw_reading, shown_file
from fleets.models import Fleet
from fleets.rollouts import engine
from fleets.services import forget_agent, move_agent
from telflo.base.access import Action, may
from telflo.base.api.serializers import BodySerializer


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


class AgentViewSet(AgentCommands, AgentDrift, AgentComponents):
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
        "retry": Action.OPERATE,
        "drift": Action.VIEW,
        "components": Action.VIEW,
        "adopt": Action.EDIT,
        "mode": Action.OPERATE,
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
        return self.one(shown_agent(self.get_object()))

    @extend_schema(request=AgentChangeSerializer, responses=AgentSerializer)
    def partial_update(self, request: Request, uid: UUID) -> Response:
        """Move it to another fleet, replace its labels, name it."""
        changes = self.validated(AgentChangeSerializer)
        fleet = _fleet(changes["fleet"]) if "fleet" in changes else None
        with transaction.atomic():
            engine.hold([uid], to=fleet.pk if fleet else None)
            agent = self.get_object()
            self.check_unchanged(shown_agent(agent))
            if fleet is not None:
                move_agent(agent=agent, fleet=fleet, actor=self.actor)
            if "labels" in changes:
                label_agent(agent=agent, labels=changes["labels"], actor=self.actor)
            if "name" in changes:
                rename_agent(agent=agent, name=changes["name"], actor=self.actor)
            return self.one(shown_agent(self.get_object()))

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
