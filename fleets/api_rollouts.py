"""The REST API of rollouts: start one, look at it, and what is done to it. Of its targets: fleets/api_targets.py."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from fleets.api_causes import FailuresSerializer
from fleets.api_plans import NewRolloutSerializer
from fleets.api_preflight import PreflightSerializer, shown_preflight
from fleets.api_shapes import VersionRefSerializer, version_by_id
from fleets.api_targets import TargetCalls
from fleets.models import (
    SHOWN_STAGE_STATES,
    Fleet,
    Rollout,
    RolloutState,
    Stage,
    Target,
)
from fleets.rollouts.causes import causes_of
from fleets.rollouts.plan import Action as Step
from fleets.rollouts.services import (
    act_on_rollout,
    leave_out,
    preflight_of,
    start_checked_rollout,
    waiting_with,
)
from fleets.views.subject import fleet_named
from telflo.base.access import Action
from telflo.base.api.serializers import ReasonSerializer, UsernameField
from telflo.base.errors import DomainError


class StageSerializer(serializers.ModelSerializer[Stage]):
    """A stage with its targets by state."""

    state = serializers.ChoiceField(
        choices=SHOWN_STAGE_STATES,
        source="state_now",
        help_text="paused, superseded and cancelled with its rollout",
    )
    bake_seconds = serializers.IntegerField(source="bake_s", read_only=True)
    counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)

    class Meta:
        model = Stage
        fields = [
            "index",
            "name",
            "count",
            "percent",
            "selector",
            "bake_seconds",
            "bake_until",
            "failure_budget_percent",
            "failure_budget_count",
            "state",
            "started_at",
            "finished_at",
            "counts",
        ]
        read_only_fields = fields


class RolloutSerializer(serializers.ModelSerializer[Rollout]):
    """A rollout. `counts` are its targets by state."""

    fleet = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    version = VersionRefSerializer(read_only=True)
    from_version = VersionRefSerializer(read_only=True, allow_null=True)
    created_by = UsernameField()
    counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)

    class Meta:
        model = Rollout
        fields = [
            "id",
            "number",
            "fleet",
            "version",
            "from_version",
            "state",
            "state_since",
            "state_reason",
            "automatic_rollback",
            "reason",
            "created_by",
            "created_at",
            "finished_at",
            "counts",
        ]
        read_only_fields = fields


class RolloutKnobsSerializer(RolloutSerializer):
    """A rollout with what holds for all of its stages."""

    soak_seconds = serializers.IntegerField(source="soak_s", read_only=True)
    apply_timeout_seconds = serializers.IntegerField(source="apply_timeout_s", read_only=True)
    force = serializers.BooleanField(source="is_forced", read_only=True)

    class Meta(RolloutSerializer.Meta):
        fields = [
            *RolloutSerializer.Meta.fields,
            "soak_seconds",
            "apply_timeout_seconds",
            "force",
            "max_in_flight",
            "waits_for_offline",
            "zone_key",
            "zone_limit",
            "window_days",
            "window_hours",
            "window_zone",
        ]
        read_only_fields = fields


class RolloutDetailSerializer(RolloutKnobsSerializer):
    """The same with its stages."""

    stages = StageSerializer(many=True, read_only=True)

    class Meta(RolloutKnobsSerializer.Meta):
        fields = [*RolloutKnobsSerializer.Meta.fields, "stages"]
        read_only_fields = fields


class ExcludedSerializer(RolloutDetailSerializer):
    """The same, and how many collectors were left out just now."""

    left_out = serializers.IntegerField(read_only=True)

    class Meta(RolloutDetailSerializer.Meta):
        fields = [*RolloutDetailSerializer.Meta.fields, "left_out"]
        read_only_fields = fields


class ExclusionSerializer(ReasonSerializer):
    """Which collectors: by uid, or all that wait and have the attribute or label `key` with this value."""

    instance_uids = serializers.ListField(
        child=serializers.UUIDField(), max_length=10_000, required=False, default=list
    )
    key = serializers.CharField(max_length=128, required=False, default="")
    value = serializers.CharField(max_length=255, required=False, default="", allow_blank=True)


class RolloutFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Filters of /rollouts/."""

    fleet = django_filters.CharFilter(field_name="fleet__slug")
    number = django_filters.NumberFilter()
    state = django_filters.MultipleChoiceFilter(choices=RolloutState.choices)


class RolloutViewSet(TargetCalls):
    """Rollouts."""

    serializer_class = RolloutSerializer
    filterset_class = RolloutFilter
    ordering = ("-number",)
    ordering_fields = ("number", "created_at")
    lookup_value_converter = "uuid"
    query_parameters = {"targets": ("limit", "cursor", "state")}
    required_actions = {
        "list": Action.VIEW,
        "retrieve": Action.VIEW,
        "create": Action.OPERATE,
        "targets": Action.VIEW,
        "failures": Action.VIEW,
        "exclude": Action.OPERATE,
        "target_retry": Action.OPERATE,
        "target_exclude": Action.OPERATE,
        "pause": Action.OPERATE,
        "resume": Action.OPERATE,
        "cancel": Action.OPERATE,
        "rollback": Action.OPERATE,
        "skip_bake": Action.OPERATE,
    }

    def get_queryset(self) -> QuerySet[Rollout]:
        """All of them, without the texts of their versions."""
        rows = Rollout.objects.select_related(
            "fleet", "version__configuration", "from_version__configuration", "created_by"
        )
        return rows.defer("version__yaml", "from_version__yaml")

    def list(self, request: Request) -> Response:
        """Rollouts, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        counts = _counts(Target.objects.filter(rollout__in=[one.pk for one in page]), "rollout_id")
        shown = RolloutSerializer(page, many=True).data
        return self.get_paginated_response(
            [
                {**row, "counts": counts.get(rollout.pk, {})}
                for row, rollout in zip(shown, page, strict=True)
            ]
        )

    @extend_schema(
        request=NewRolloutSerializer,
        responses={201: RolloutDetailSerializer, 200: PreflightSerializer},
    )
    def create(self, request: Request) -> Response:
        """Start one, unless its check finds errors (409, `preflight-errors`) or warnings that are not accepted (409,
        `preflight-warnings`). What runs in the fleet is superseded. With dry_run the check is answered.
        """
        wanted = self.validated(NewRolloutSerializer)
        fleet = _fleet(wanted["fleet"])
        version = version_by_id(wanted["version"])
        assert version is not None
        strategy = wanted.get("plan", {}).get("strategy")
        if wanted["dry_run"]:
            found = preflight_of(
                fleet=fleet, version=version, strategy=strategy, force=wanted["force"]
            )
            return Response(shown_preflight(found))
        rollout = start_checked_rollout(
            fleet=fleet,
            version=version,
            actor=self.actor,
            reason=wanted["reason"],
            strategy=strategy,
            force=wanted["force"],
            accepted=None if wanted["accept_warnings"] else wanted["accept"],
        )
        return self.one(self._detail(rollout.pk), status=201)

    @extend_schema(responses=RolloutDetailSerializer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One rollout with its stages."""
        return self.one(self._detail(self.get_object().pk))

    @extend_schema(responses=FailuresSerializer, filters=False)
    @action(detail=True, methods=["get"], filter_backends=[], pagination_class=None)
    def failures(self, request: Request, pk: UUID) -> Response:
        """Why its targets failed: errors that differ in numbers, ids, addresses and paths alone are one cause."""
        causes = causes_of(self.get_object())
        return Response(FailuresSerializer({"causes": causes}).data)

    @extend_schema(request=ReasonSerializer, responses=RolloutDetailSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: UUID) -> Response:
        """Let nobody else go until it is resumed; those under way go on."""
        return self._act(Step.PAUSE)

    @extend_schema(request=ReasonSerializer, responses=RolloutDetailSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: UUID) -> Response:
        """Go on after a pause."""
        return self._act(Step.RESUME)

    @extend_schema(request=ReasonSerializer, responses=RolloutDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: UUID) -> Response:
        """End it; those that moved stay on the version."""
        return self._act(Step.CANCEL)

    @extend_schema(request=ReasonSerializer, responses=RolloutDetailSerializer)
    @action(detail=True, methods=["post"])
    def rollback(self, request: Request, pk: UUID) -> Response:
        """Take it back: each collector returns to what it had, offline ones when they are there again."""
        return self._act(Step.ROLL_BACK)

    @extend_schema(request=ReasonSerializer, responses=RolloutDetailSerializer)
    @action(detail=True, methods=["post"], url_path="skip-bake")
    def skip_bake(self, request: Request, pk: UUID) -> Response:
        """Go on with the next stage now."""
        return self._act(Step.SKIP_BAKE)

    @extend_schema(request=ExclusionSerializer, responses=ExcludedSerializer)
    @action(detail=True, methods=["post"])
    def exclude(self, request: Request, pk: UUID) -> Response:
        """Leave collectors out that were not offered the version yet; those on which it failed stop counting. Of those
        that are named and were offered it nothing is said; 409 when nobody is left.
        """
        rollout, wanted = self.get_object(), self.validated(ExclusionSerializer)
        uids, key, value = wanted["instance_uids"], wanted["key"], wanted["value"]
        if key:
            uids = [*uids, *waiting_with(rollout, key, value)]
        label = f"{key}={value}" if key else ""
        reason = wanted["reason"]
        count = leave_out(rollout=rollout, uids=uids, actor=self.actor, reason=reason, label=label)
        return self.one({**self._detail(rollout.pk), "left_out": count})

    def _act(self, step: Step) -> Response:
        rollout = self.get_object()
        reason = self.validated(ReasonSerializer)["reason"]
        act_on_rollout(rollout=rollout, action=step, actor=self.actor, reason=reason)
        return self.one(self._detail(rollout.pk))

    def _detail(self, pk: UUID) -> dict[str, Any]:
        rollout = self.get_queryset().get(pk=pk)
        by_rollout = _counts(rollout.targets.all(), "rollout_id")
        by_stage = _counts(rollout.targets.all(), "stage_id")
        stages = [
            {**StageSerializer(stage).data, "counts": by_stage.get(stage.pk, {})}
            for stage in rollout.stages.all()
        ]
        shown = RolloutKnobsSerializer(rollout).data
        return {**shown, "counts": by_rollout.get(rollout.pk, {}), "stages": stages}


def _fleet(name: str) -> Fleet:
    fleet = Fleet.objects.filter(fleet_named(name)).first()
    if fleet is None:
        raise DomainError("There is no fleet of this slug or id.", field="fleet", code="unknown")
    return fleet


def _counts(targets: QuerySet[Target], by: str) -> dict[UUID, dict[str, int]]:
    """Targets by state, for each value of a column, in one query."""
    found: dict[UUID, dict[str, int]] = {}
    rows: Sequence[tuple[UUID, str, int]] = list(
        targets.order_by().values_list(by, "state").annotate(n=Count("*"))
    )
    for key, state, n in rows:
        found.setdefault(key, {})[state] = n
    return found
