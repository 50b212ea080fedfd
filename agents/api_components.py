"""The components that a collector's build has, beside those that its configuration uses, for programs."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from agents.views.components import components_of
from agents.views.versions import membership_of
from telflo.base.api.views import ApiViewSet


class BuildComponentSerializer(serializers.Serializer[Any]):
    """One component: `name` as the collector says it; `state`: used, unused, or missing from the build, empty for
    kinds that no configuration names. `catalog`: the version and type that it has in the catalog, each empty for none.
    """

    name = serializers.CharField()
    module = serializers.CharField()
    state = serializers.CharField()
    catalog_version = serializers.CharField(source="version")
    catalog_type = serializers.CharField(source="type")


class BuildKindSerializer(serializers.Serializer[Any]):
    """The components of a kind."""

    kind = serializers.CharField()
    components = BuildComponentSerializer(many=True)


class BuildSerializer(serializers.Serializer[Any]):
    """used, unused, missing: how many of each. used_is_known is false where what runs is not known: nothing is used."""

    used_is_known = serializers.BooleanField()
    used = serializers.IntegerField()
    unused = serializers.IntegerField()
    missing = serializers.IntegerField()
    kinds = BuildKindSerializer(many=True, source="groups")


class AgentComponents(ApiViewSet[Agent]):
    """The call of an agent's resource about its build."""

    @extend_schema(responses=BuildSerializer)
    @action(detail=True, filter_backends=[], pagination_class=None)
    def components(self, request: Request, uid: UUID) -> Response:
        """What its build has, and what of it its configuration uses. 404 where it does not say what it has."""
        agent = self.get_object()
        if agent.components is None:
            raise NotFound("This collector did not say which components it has.")
        return Response(BuildSerializer(components_of(agent, membership_of(agent))).data)
