"""The REST API of fleets, and below each its tokens and deployments. A fleet is addressed by id or slug."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from fleets.api_connection import (
    ConnectionChangeSerializer,
    ConnectionSerializer,
    change_connection,
    shown_connection,
)
from fleets.api_deployments import (
    DeploymentSerializer,
    DeploymentViewSet,
    IssuedDeploymentSerializer,
    NewDeploymentSerializer,
    make_deployment,
)
from fleets.api_rollouts import RolloutViewSet
from fleets.api_shapes import VersionRefSerializer, version_by_id
from fleets.api_tokens import (
    IssuedTokenSerializer,
    NewTokenSerializer,
    TokenSerializer,
    TokenViewSet,
    expires_from,
    issued_answer,
    shown_once,
)
from fleets.models import ArrivalMode, Fleet, Membership
from fleets.services import archive_fleet, create_fleet_with_token, update_fleet
from fleets.tokens import Expiry, issue_token
from fleets.views.numbers import FleetNumbers, VersionName, names_of, numbers_of
from fleets.views.subject import fleet_named
from telflo.base.access import Action, may, what_is_missing
from telflo.base.api.etags import check_if_match, etag_of
from telflo.base.api.filters import YesNoFilter
from telflo.base.api.serializers import BodySerializer, OneOf, ReasonSerializer, UsernameField
from telflo.base.api.views import ApiViewSet
from telflo.base.errors import Refused


class RunsSerializer(serializers.Serializer[Any]):
    """A version and how many collectors run it; version is null for what is not ours."""

    version = VersionRefSerializer(allow_null=True)
    collectors = serializers.IntegerField()


class CountsSerializer(serializers.Serializer[Any]):
    """A fleet's collectors, counted."""

    collectors = serializers.IntegerField()
    by_status = serializers.DictField(child=serializers.IntegerField())
    by_health = serializers.DictField(child=serializers.IntegerField())
    by_version = RunsSerializer(many=True)


class FleetSettingsSerializer(serializers.ModelSerializer[Fleet]):
    """A fleet without its counts: what its ETag is made of."""

    version = VersionRefSerializer(read_only=True, allow_null=True)
    stable_version = VersionRefSerializer(read_only=True, allow_null=True)
    created_by = UsernameField()

    class Meta:
        model = Fleet
        fields = [
            "id",
            "name",
            "slug",
            "description",
            "version",
            "stable_version",
            "arrival_mode",
            "expiry_ends_access",
            "created_by",
            "created_at",
            "updated_at",
            "archived_at",
        ]
        read_only_fields = fields


class FleetSerializer(FleetSettingsSerializer):
    """A fleet. `version` is null while it only observes; newcomers get `stable_version`."""

    counts = CountsSerializer(read_only=True)

    class Meta(FleetSettingsSerializer.Meta):
        fields = [*FleetSettingsSerializer.Meta.fields, "counts"]
        read_only_fields = fields


class NewFleetAnswerSerializer(FleetSerializer):
    """A new fleet. The secret of its first token is in this answer alone; null: there is none."""

    first_token = IssuedTokenSerializer(read_only=True, allow_null=True)

    class Meta(FleetSerializer.Meta):
        fields = [*FleetSerializer.Meta.fields, "first_token"]
        read_only_fields = fields


class NewFleetSerializer(BodySerializer):
    """What a fleet shall be."""

    name = serializers.CharField(max_length=100)
    version = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="published; null: observe only"
    )
    description = serializers.CharField(
        max_length=500, required=False, default="", allow_blank=True
    )
    arrival_mode = OneOf(choices=ArrivalMode.choices, default=ArrivalMode.MANAGED.value)
    expiry_ends_access = serializers.BooleanField(default=False)
    expires = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="of its first enrolment token, as for tokens; null: no token."
        " Left out: 1y for Admins, no token for others, who may not issue any",
    )


class FleetChangeSerializer(BodySerializer):
    """What may change of a fleet. Another version is a rollout: POST /rollouts/."""

    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    arrival_mode = OneOf(choices=ArrivalMode.choices, required=False)
    expiry_ends_access = serializers.BooleanField(required=False)


class FleetFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Filters of /fleets/."""

    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains")
    archived = YesNoFilter(field_name="archived_at", lookup_expr="isnull", exclude=True)


class FleetViewSet(ApiViewSet[Fleet]):
    """Fleets."""

    serializer_class = FleetSerializer
    filterset_class = FleetFilter
    ordering = ("name",)
    ordering_fields = ("name", "created_at", "updated_at")
    lookup_value_converter = "slug"
    secret_fields = ("secret", "command", "foreground_command", "script_url")
    query_parameters = {"tokens": ("limit", "cursor"), "deployments": ("limit", "cursor")}
    required_actions = {
        "list": Action.VIEW,
        "retrieve": Action.VIEW,
        "create": Action.EDIT,
        "partial_update": Action.EDIT,
        "archive": Action.EDIT,
        "connection_settings": Action.VIEW,
        "change_connection_settings": Action.ENROL,
        "tokens": Action.VIEW,
        "create_token": Action.ENROL,
        "deployments": Action.VIEW,
        "create_deployment": Action.ENROL,
    }

    def get_queryset(self) -> QuerySet[Fleet]:
        """All of them, without the texts of their versions."""
        rows = Fleet.objects.select_related(
            "version__configuration", "stable_version__configuration", "created_by"
        )
        return rows.defer("version__yaml", "stable_version__yaml")

    def get_object(self) -> Fleet:
        """The fleet of the address: an id or a slug."""
        return get_object_or_404(self.get_queryset(), fleet_named(str(self.kwargs["pk"])))

    def list(self, request: Request) -> Response:
        """Fleets that are not archived, unless ?archived= says so."""
        rows = self.filter_queryset(self.get_queryset())
        if "archived" not in request.query_params:
            rows = rows.filter(archived_at=None)
        return self.get_paginated_response(_shown(self.paginate_queryset(rows) or []))

    @extend_schema(request=NewFleetSerializer, responses={201: NewFleetAnswerSerializer})
    def create(self, request: Request) -> Response:
        """A fleet of a published version, or one that only observes, and its first enrolment token [Admin]."""
        wanted = self.validated(NewFleetSerializer)
        wanted["expires"] = self._first_expiry(wanted)
        wanted["version"] = version_by_id(wanted["version"])
        wanted["arrival_mode"] = ArrivalMode(wanted["arrival_mode"])
        fleet, issued = create_fleet_with_token(actor=self.actor, **wanted)
        answer = self._answer(fleet.pk, status=201)
        answer.data["first_token"] = issued and shown_once(issued)
        return answer

    def retrieve(self, request: Request, pk: str) -> Response:
        """One fleet with its counts."""
        return self._answer(self.get_object().pk)

    @extend_schema(request=FleetChangeSerializer, responses=FleetSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change its name or its settings. The slug stays."""
        changes = self.validated(FleetChangeSerializer)
        if "arrival_mode" in changes:
            changes["arrival_mode"] = ArrivalMode(changes["arrival_mode"])
        with transaction.atomic():
            list(Fleet.objects.select_for_update(no_key=True).filter(pk=self.get_object().pk))
            fleet = self.get_object()  # as it is now that nobody else changes it
            check_if_match(request, FleetSettingsSerializer(fleet).data)
            update_fleet(fleet=fleet, actor=self.actor, **changes)
        return self._answer(fleet.pk)

    @extend_schema(request=ReasonSerializer, responses=FleetSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        """Take an empty fleet out of use: its tokens let nobody new in. 409 while it has collectors."""
        fleet = archive_fleet(
            fleet=self.get_object(), actor=self.actor, **self.validated(ReasonSerializer)
        )
        return self._answer(fleet.pk)

    @extend_schema(responses=ConnectionSerializer)
    @action(detail=True, methods=["get"], url_path="connection-settings")
    def connection_settings(self, request: Request, pk: str) -> Response:
        """What it offers its collectors as connection settings, without secrets."""
        return shown_connection(self.get_object())

    @extend_schema(request=ConnectionChangeSerializer, responses=ConnectionSerializer)
    @connection_settings.mapping.patch
    def change_connection_settings(self, request: Request, pk: str) -> Response:
        """Change them. Connected collectors that accept them are offered the new ones at once."""
        wanted = self.validated(ConnectionChangeSerializer)
        return change_connection(request, self.get_object(), wanted, self.actor)

    @extend_schema(responses=TokenSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"])
    def tokens(self, request: Request, pk: str) -> Response:
        """Its tokens of all kinds, newest first."""
        rows = self.get_object().tokens.select_related("fleet", "created_by")
        return self.page(rows, TokenSerializer, ordering=("-id",))

    @extend_schema(request=NewTokenSerializer, responses={201: IssuedTokenSerializer})
    @tokens.mapping.post
    def create_token(self, request: Request, pk: str) -> Response:
        """A new enrolment token. The answer holds the secret, this once."""
        wanted = self.validated(NewTokenSerializer)
        issued = issue_token(
            fleet=self.get_object(),
            name=wanted["name"],
            expires=expires_from(wanted["expires"]),
            actor=self.actor,
        )
        return issued_answer(issued)

    @extend_schema(responses=DeploymentSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"])
    def deployments(self, request: Request, pk: str) -> Response:
        """Its quick-deploy commands, newest first, without their codes."""
        rows = self.get_object().deployments.select_related("fleet", "created_by")
        return self.page(rows.defer("secret_environment"), DeploymentSerializer, ordering=("-id",))

    @extend_schema(request=NewDeploymentSerializer, responses={201: IssuedDeploymentSerializer})
    @deployments.mapping.post
    def create_deployment(self, request: Request, pk: str) -> Response:
        """A new quick-deploy command. The answer holds it, this once."""
        wanted = self.validated(NewDeploymentSerializer)
        return make_deployment(request, self.get_object(), wanted, self.actor)

    def _first_expiry(self, wanted: Mapping[str, Any]) -> Expiry | datetime | None:
        """Of a new fleet's first token. Raises Refused for who asks for one and may not issue it."""
        may_enrol = may(self.request.user, Action.ENROL)
        text = wanted.get("expires", Expiry.YEAR.value if may_enrol else None)
        if text is None:
            return None
        if not may_enrol:
            missing = what_is_missing(self.request.user, Action.ENROL)
            raise Refused(
                f"This makes a token. {missing} Leave out expires.", field="expires", code="role"
            )
        return expires_from(text)

    def _answer(self, pk: UUID, status: int = 200) -> Response:
        """A fleet with an ETag that counts do not change."""
        fleet = self.get_queryset().get(pk=pk)
        etag = etag_of(FleetSettingsSerializer(fleet).data)
        return Response(_shown([fleet])[0], status=status, headers={"ETag": etag})


def _shown(fleets: Sequence[Fleet]) -> list[dict[str, Any]]:
    """Fleets with their counts, in three queries."""
    numbers = numbers_of(Membership.objects.filter(fleet__in=[fleet.pk for fleet in fleets]))
    names = names_of(numbers.values())
    return [
        {**shown, "counts": _counts(numbers.get(fleet.pk, FleetNumbers()), names)}
        for shown, fleet in zip(
            FleetSettingsSerializer(fleets, many=True).data, fleets, strict=True
        )
    ]


def _counts(numbers: FleetNumbers, names: Mapping[UUID, VersionName]) -> dict[str, Any]:
    by_version = [
        {"version": _ref(names.get(key) if key else None), "collectors": n}
        for key, n in numbers.by_version.most_common()
    ]
    return {
        "collectors": numbers.collectors,
        "by_status": dict(numbers.by_status),
        "by_health": dict(numbers.by_health),
        "by_version": by_version,
    }


def _ref(name: VersionName | None) -> dict[str, Any] | None:
    if name is None:
        return None
    return {"id": str(name.id), "configuration": name.configuration, "number": name.number}


router = SimpleRouter(use_regex_path=False)
router.register("fleets", FleetViewSet, basename="api-fleets")
router.register("tokens", TokenViewSet, basename="api-tokens")
router.register("deployments", DeploymentViewSet, basename="api-deployments")
router.register("rollouts", RolloutViewSet, basename="api-rollouts")
