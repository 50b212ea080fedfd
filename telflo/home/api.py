"""The numbers of the first page for programs."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents.models import Health, Status
from fleets.models import Fleet, Rollout
from fleets.rollouts.plan import ACTIVE
from telflo.base.access import Action
from telflo.base.api.filters import refuse_unknown_parameters
from telflo.home.counts import read_numbers


class VersionInUseSerializer(serializers.Serializer[Any]):
    """A version and how many collectors run it."""

    id = serializers.UUIDField()
    configuration = serializers.CharField()
    number = serializers.IntegerField()
    collectors = serializers.IntegerField()


class OverviewSerializer(serializers.Serializer[Any]):
    """All fleets in numbers."""

    collectors = serializers.IntegerField()
    connected = serializers.IntegerField()
    statuses = serializers.DictField(
        child=serializers.IntegerField(), help_text="collectors by status, all nine"
    )
    health = serializers.DictField(
        child=serializers.IntegerField(), help_text="healthy, unhealthy, unknown"
    )
    versions = VersionInUseSerializer(many=True)
    fleets = serializers.IntegerField()
    rollouts_active = serializers.IntegerField()


class OverviewView(APIView):
    """The numbers of the first page."""

    required_actions: ClassVar[dict[str, Action]] = {"get": Action.VIEW}

    @extend_schema(responses=OverviewSerializer)
    def get(self, request: Request) -> Response:
        """Collectors by status and health, versions in use, fleets and active rollouts."""
        refuse_unknown_parameters(request, set())
        numbers = read_numbers()
        answer = {
            "collectors": numbers.collectors,
            "connected": numbers.connected,
            "statuses": {word: numbers.by_status.get(word, 0) for word in Status.values},
            "health": {word: numbers.by_health.get(word, 0) for word in Health.values},
            "versions": numbers.versions,
            "fleets": Fleet.objects.active().count(),
            "rollouts_active": Rollout.objects.filter(state__in=ACTIVE).count(),
        }
        return Response(OverviewSerializer(answer).data, headers={"Cache-Control": "no-store"})
