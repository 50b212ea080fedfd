"""What a collector runs against what it should run, for programs."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from agents.views.configuration import effective_of
from agents.views.drift import drift_of
from agents.views.versions import membership_of
from fleets.adopting import adopt_as_new, adopt_effective
from telflo.base.api.serializers import ReasonSerializer
from telflo.base.api.views import ApiViewSet


class DifferenceSerializer(serializers.Serializer[Any]):
    """One part that is not what was intended; values are JSON or words, secrets masked."""

    part = serializers.CharField()
    place = serializers.CharField()
    should_be = serializers.CharField()
    runs = serializers.CharField()


class DriftSerializer(serializers.Serializer[Any]):
    """drifted: intended parts that differ. additions: what files on the host add without changing those."""

    drifted = DifferenceSerializer(many=True)
    additions = DifferenceSerializer(many=True)
    missing_pipelines = serializers.ListField(child=serializers.CharField(), source="missing")
    runs_nothing = serializers.BooleanField()


class AdoptedSerializer(serializers.Serializer[Any]):
    """The new version, unpublished, and the variables that stand where the collector hides a secret. id and number are
    null when it is the configuration's draft.
    """

    id = serializers.UUIDField(source="version.id", allow_null=True, default=None)
    configuration = serializers.UUIDField(source="configuration.id")
    number = serializers.IntegerField(source="version.number", allow_null=True, default=None)
    variables = serializers.ListField(child=serializers.CharField())


class AdoptSerializer(ReasonSerializer):
    """name: make a new configuration of it, with this name · as_draft: make it the draft of its configuration."""

    name = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)
    as_draft = serializers.BooleanField(required=False, default=False)


class AgentDrift(ApiViewSet[Agent]):
    """The calls of an agent's resource about drift."""

    @extend_schema(responses=DriftSerializer)
    @action(detail=True, filter_backends=[], pagination_class=None)
    def drift(self, request: Request, uid: UUID) -> Response:
        """What it runs against what it should run. 404 where one of the two is not known, or cannot be compared."""
        agent = self.get_object()
        found = drift_of(membership_of(agent), effective_of(agent))
        if found is None:
            raise NotFound("What this collector runs cannot be compared with a version.")
        return Response(DriftSerializer(found).data)

    @extend_schema(request=AdoptSerializer, responses={201: AdoptedSerializer})
    @action(detail=True, methods=["post"], filter_backends=[], pagination_class=None)
    def adopt(self, request: Request, uid: UUID) -> Response:
        """Make what it runs a new version of its configuration, unpublished; its draft; or version 1 of a new one.
        409 where there is nothing to adopt.
        """
        body = self.validated(AdoptSerializer)
        agent, name = self.get_object(), body.pop("name")
        if name and body["as_draft"]:
            raise ValidationError({"as_draft": "A new configuration begins with a version."})
        if name:
            adopted = adopt_as_new(agent=agent, name=name, actor=self.actor, reason=body["reason"])
        else:
            adopted = adopt_effective(agent=agent, actor=self.actor, **body)
        return Response(AdoptedSerializer(adopted).data, status=status.HTTP_201_CREATED)
