"""The calls of a rollout's resource about its targets: a look at them, and what is done to one of them."""

import re
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from fleets.models import Rollout, Target, TargetState
from fleets.rollouts.causes import uids_of_cause
from fleets.rollouts.services import leave_out
from fleets.services import retry_agent
from telflo.base.api.serializers import ReasonSerializer
from telflo.base.api.views import ApiViewSet
from telflo.base.redaction import redact_text


class TargetSerializer(serializers.ModelSerializer[Target]):
    """One collector in a rollout. Its name is kept when it is forgotten; why it failed is kept when it goes back."""

    instance_uid = serializers.UUIDField(source="agent_id", read_only=True, allow_null=True)
    name = serializers.SerializerMethodField()
    stage = serializers.IntegerField(source="stage.index", read_only=True)
    reason = serializers.SerializerMethodField()
    failure = serializers.SerializerMethodField()

    class Meta:
        model = Target
        fields = [
            *("instance_uid", "name", "stage", "state", "state_since", "reason"),
            *("failure", "failed_at", "retried_at", "is_unverified"),
        ]
        read_only_fields = fields

    def get_name(self, target: Target) -> str:
        """The collector's name."""
        return target.agent.display_name if target.agent else target.agent_label

    def get_reason(self, target: Target) -> str:
        """Why it is in its state, secrets masked."""
        return redact_text(target.reason)

    def get_failure(self, target: Target) -> str:
        """Why the version failed there, secrets masked; empty where it did not."""
        return redact_text(target.failure)


class TargetCalls(ApiViewSet[Rollout]):
    """The calls of a rollout's resource about its targets."""

    @extend_schema(
        parameters=[
            OpenApiParameter("state", str, enum=TargetState.values),
            OpenApiParameter("stage", int, description="the `index` of its stage, from 0"),
            OpenApiParameter("cause", str, description="the `id` of a cause in `failures/`"),
        ],
        responses=TargetSerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"])
    def targets(self, request: Request, pk: UUID) -> Response:
        """Its collectors and how each fares: all, or those in a state, of a stage, that failed for a cause."""
        rollout, wanted = self.get_object(), request.query_params
        rows = rollout.targets.select_related("agent", "stage")
        if "state" in wanted:
            if wanted["state"] not in TargetState.values:
                raise ValidationError({"state": f"Choose one of {', '.join(TargetState.values)}."})
            rows = rows.filter(state=wanted["state"])
        if "stage" in wanted:
            rows = rows.filter(stage__index=_index(wanted["stage"]))
        if "cause" in wanted:
            rows = rows.filter(agent__in=uids_of_cause(rollout, wanted["cause"]))
        return self.page(rows, TargetSerializer, ordering=("id",))

    @extend_schema(request=ReasonSerializer, responses=TargetSerializer)
    @action(detail=True, methods=["post"], url_path="targets/<uuid:uid>/retry")
    def target_retry(self, request: Request, pk: UUID, uid: UUID) -> Response:
        """Offer the version there once more, by way of the version before. 409 where it did not fail, or another
        version is wanted there by now.
        """
        target, reason = self._target(uid), self.validated(ReasonSerializer)["reason"]
        assert target.agent is not None
        retry_agent(agent=target.agent, of=target.rollout, actor=self.actor, reason=reason)
        return self._shown(uid)

    @extend_schema(request=ReasonSerializer, responses=TargetSerializer)
    @action(detail=True, methods=["post"], url_path="targets/<uuid:uid>/exclude")
    def target_exclude(self, request: Request, pk: UUID, uid: UUID) -> Response:
        """Leave it out: it is not offered the version, or, where that failed, stops counting. 409 where it was offered
        the version already, or the rollout is over.
        """
        target = self._target(uid)
        reason = self.validated(ReasonSerializer)["reason"]
        leave_out(
            rollout=target.rollout,
            uids=[uid],
            actor=self.actor,
            reason=reason,
            label=target.agent_label,
        )
        return self._shown(uid)

    def _target(self, uid: UUID) -> Target:
        targets = self.get_object().targets.select_related("agent", "stage", "rollout")
        return get_object_or_404(targets, agent_id=uid)

    def _shown(self, uid: UUID) -> Response:
        return self.one(dict(TargetSerializer(self._target(uid)).data))


def _index(text: str) -> int:
    """Of a stage. Raises ValidationError."""
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise ValidationError({"stage": "Give the index of a stage: 0 is the first."})
    return int(text)
