"""The REST API of rollouts: start one, look at it, and what is done to it. Of its targets: fleets/api_targets.py."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import django_filters
from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from fleets.api_causes import FailuresSerializer
from fleets.api_plans import NewRolloutSerializer
from fleets.api_preflight import PreflightSerializer, shown_preflight
from fleets.api_rollout_shapes import (
    ExcludedSerializer,
    ExclusionSerializer,
    RetrialSerializer,
    RetriedSerializer,
    RolloutDetailSerializer,
    RolloutKnobsSerializer,
    RolloutSerializer,
    StageSerializer,
    shown_holds,
)
from fleets.api_shapes import version_by_id
from fleets.api_targets import TargetCalls
from fleets.models import Fleet, Rollout, RolloutState, Target
from fleets.rollouts.causes import causes_of
from fleets.rollouts.choosing import failed_with, waiting_with
from fleets.rollouts.plan import Action as Step
from fleets.rollouts.services import (
    act_on_rollout,
    leave_out,
    preflight_of,
    start_checked_rollout,
)
from fleets.services import retry_targets
from fleets.views.subject import fleet_named
from telflo.base.access import Action
from telflo.base.api.serializers import ReasonSerializer
from telflo.base.errors import DomainError


class RolloutFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Filters of /rollouts/."""

    fleet = django_filters.CharFilter(method="by_fleet", help_text="slug or id")
    number = django_filters.NumberFilter()
    state = django_filters.MultipleChoiceFilter(choices=RolloutState.choices)

    def by_fleet(self, found: QuerySet[Rollout], _name: str, named: str) -> QuerySet[Rollout]:
        """Those of this fleet."""
        return found.filter(fleet__in=Fleet.objects.filter(fleet_named(named)))


class RolloutViewSet(TargetCalls):
    """Rollouts."""

    serializer_class = RolloutSerializer
    filterset_class = RolloutFilter
    ordering = ("-number",)
    ordering_fields = ("number", "created_at")
    lookup_value_converter = "uuid"
    query_parameters = {"targets": ("limit", "cursor", "state", "stage", "cause")}
    required_actions = {
        "list": Action.VIEW,
        "retrieve": Action.VIEW,
        "create": Action.OPERATE,
        "targets": Action.VIEW,
        "failures": Action.VIEW,
        "exclude": Action.OPERATE,
        "retry": Action.OPERATE,
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

    @extend_schema(request=RetrialSerializer, responses=RetriedSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: UUID) -> Response:
        """Offer the version once more to collectors on which it failed, each by way of the version before; 409 when
        nobody can be retried.
        """
        rollout, wanted = self.get_object(), self.validated(RetrialSerializer)
        which = {name: wanted[name] for name in ("cause", "key", "value")}
        outcome = retry_targets(
            rollout=rollout,
            uids=wanted["instance_uids"] or failed_with(rollout, **which),
            actor=self.actor,
            reason=wanted["reason"],
        )
        refused = outcome.refused
        told = {
            "retried": outcome.done,
            "refused": len(refused),
            "reasons": refused[:_MOST_REASONS],
        }
        return self.one({**self._detail(rollout.pk), **told})

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
        return {
            **shown,
            "counts": by_rollout.get(rollout.pk, {}),
            "stages": stages,
            "zone_holds": shown_holds(rollout),
        }


_MOST_REASONS: Final = 100


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
