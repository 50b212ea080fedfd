"""The REST API of configurations and versions. Text is redacted unless ?raw=1 is asked for and allowed."""

from typing import Any
from uuid import UUID

import django_filters
from django.db import transaction
from django.db.models import Max, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from configs.models import Configuration, ConfigVersion
from configs.services import (
    archive_configuration,
    archive_version,
    create_configuration,
    diff_versions,
    publish_version,
    read_raw_text,
    save_version,
    update_configuration,
)
from telflo.base.access import Action, may
from telflo.base.api.filters import YesNoFilter
from telflo.base.api.serializers import BodySerializer, ReasonSerializer, UsernameField
from telflo.base.api.views import ApiViewSet
from telflo.base.redaction import redact_text


class ConfigurationSerializer(serializers.ModelSerializer[Configuration]):
    """A configuration."""

    latest_version = serializers.IntegerField(read_only=True, allow_null=True)
    created_by = UsernameField()

    class Meta:
        model = Configuration
        fields = [
            "id",
            "name",
            "description",
            "latest_version",
            "created_by",
            "created_at",
            "updated_at",
            "archived_at",
        ]
        read_only_fields = fields


class NewConfigurationSerializer(BodySerializer):
    """What a configuration shall be."""

    name = serializers.CharField(max_length=100)
    description = serializers.CharField(
        max_length=500, required=False, default="", allow_blank=True
    )


class ConfigurationChangeSerializer(BodySerializer):
    """What may change of a configuration."""

    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)


class ConfigurationNameSerializer(serializers.ModelSerializer[Configuration]):
    """A configuration, named inside another resource."""

    class Meta:
        model = Configuration
        fields = ["id", "name"]
        read_only_fields = fields


class VersionSerializer(serializers.ModelSerializer[ConfigVersion]):
    """A version, without its text."""

    configuration = ConfigurationNameSerializer(read_only=True)
    author = UsernameField()
    published_by = UsernameField()

    class Meta:
        model = ConfigVersion
        fields = [
            "id",
            "configuration",
            "number",
            "state",
            "sha256",
            "size",
            "note",
            "collector_version",
            "author",
            "created_at",
            "published_by",
            "published_at",
        ]
        read_only_fields = fields


class VersionTextSerializer(VersionSerializer):
    """A version with its text, secrets masked unless the raw text was asked for."""

    yaml = serializers.SerializerMethodField()
    is_redacted = serializers.SerializerMethodField()

    class Meta(VersionSerializer.Meta):
        fields = [*VersionSerializer.Meta.fields, "yaml", "is_redacted"]
        read_only_fields = fields

    def get_yaml(self, version: ConfigVersion) -> str:
        """The text."""
        raw: str | None = self.context.get("raw")
        return redact_text(version.yaml) if raw is None else raw

    def get_is_redacted(self, version: ConfigVersion) -> bool:
        """Whether secrets in the text are masked."""
        return self.context.get("raw") is None


class NewVersionSerializer(BodySerializer):
    """A text to save. What is in it is judged by the parser, so that a fault has its line and column."""

    yaml = serializers.CharField(trim_whitespace=False, allow_blank=True)
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=500)
    collector_version = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=32
    )


class DiffLineSerializer(serializers.Serializer[Any]):
    """One line of a diff."""

    kind = serializers.ChoiceField(choices=["context", "add", "delete"])
    old = serializers.IntegerField(allow_null=True)
    new = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()


class DiffHunkSerializer(serializers.Serializer[Any]):
    """Changes that stand close together."""

    header = serializers.CharField()
    lines = DiffLineSerializer(many=True)


class DiffSerializer(serializers.Serializer[Any]):
    """What changed from `before` to `after`, secrets masked. `patch` is the same as text."""

    before = VersionSerializer()
    after = VersionSerializer()
    added = serializers.IntegerField()
    deleted = serializers.IntegerField()
    is_coarse = serializers.BooleanField()
    hunks = DiffHunkSerializer(many=True)
    patch = serializers.CharField()


class ConfigurationFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Filters of /configurations/."""

    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains")
    archived = YesNoFilter(field_name="archived_at", lookup_expr="isnull", exclude=True)


class ConfigurationViewSet(ApiViewSet[Configuration]):
    """Configurations and, below each, its versions."""

    serializer_class = ConfigurationSerializer
    filterset_class = ConfigurationFilter
    ordering = ("name",)
    ordering_fields = ("name", "created_at", "updated_at")
    lookup_value_converter = "uuid"
    query_parameters = {"versions": ("limit", "cursor"), "version": ("raw",)}
    required_actions = {
        "list": Action.VIEW,
        "retrieve": Action.VIEW,
        "create": Action.EDIT,
        "partial_update": Action.EDIT,
        "archive": Action.EDIT,
        "versions": Action.VIEW,
        "create_version": Action.EDIT,
        "version": Action.VIEW,
    }

    def get_queryset(self) -> QuerySet[Configuration]:
        """All of them, with the number of the latest version."""
        rows = Configuration.objects.select_related("created_by")
        return rows.annotate(latest_version=Max("versions__number"))

    def list(self, request: Request) -> Response:
        """Configurations that are not archived, unless ?archived= says so."""
        rows = self.filter_queryset(self.get_queryset())
        if "archived" not in request.query_params:
            rows = rows.filter(archived_at=None)
        return self.page(rows, ConfigurationSerializer)

    @extend_schema(request=NewConfigurationSerializer, responses={201: ConfigurationSerializer})
    def create(self, request: Request) -> Response:
        """A configuration without versions."""
        made = create_configuration(actor=self.actor, **self.validated(NewConfigurationSerializer))
        return self.one(self._shown(made.pk), status=201)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One configuration."""
        return self.one(ConfigurationSerializer(self.get_object()).data)

    @extend_schema(request=ConfigurationChangeSerializer, responses=ConfigurationSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Another name or description."""
        changes = self.validated(ConfigurationChangeSerializer)
        with transaction.atomic():
            configuration = self.get_object()
            Configuration.objects.select_for_update().get(pk=configuration.pk)
            self.check_unchanged(self._shown(configuration.pk))
            update_configuration(configuration=configuration, actor=self.actor, **changes)
        return self.one(self._shown(configuration.pk))

    @extend_schema(request=ReasonSerializer, responses=ConfigurationSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: UUID) -> Response:
        """Put it away. Fleets keep what they run; its name is free again."""
        configuration = self.get_object()
        archive_configuration(
            configuration=configuration, actor=self.actor, **self.validated(ReasonSerializer)
        )
        return self.one(self._shown(configuration.pk))

    @extend_schema(responses=VersionSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"])
    def versions(self, request: Request, pk: UUID) -> Response:
        """The versions, newest first, without their texts."""
        rows = _versions().filter(configuration=self.get_object())
        return self.page(rows, VersionSerializer, ordering=("-number",))

    @extend_schema(request=NewVersionSerializer, responses={201: VersionTextSerializer})
    @versions.mapping.post
    def create_version(self, request: Request, pk: UUID) -> Response:
        """Save a text as the next version. 422 with line and column when it cannot be parsed; nothing is saved then."""
        version = save_version(
            configuration=self.get_object(),
            actor=self.actor,
            **self.validated(NewVersionSerializer),
        )
        return self.one(VersionTextSerializer(version).data, status=201)

    @extend_schema(
        parameters=[
            OpenApiParameter("raw", bool, description="The text with its secrets (Editors)."),
            OpenApiParameter("number", int, OpenApiParameter.PATH),
        ],
        responses=VersionTextSerializer,
    )
    @action(detail=True, methods=["get"], url_path="versions/<int:number>")
    def version(self, request: Request, pk: UUID, number: int) -> Response:
        """A version by its number."""
        rows = ConfigVersion.objects.select_related("configuration", "author", "published_by")
        return _text_answer(self, get_object_or_404(rows, configuration_id=pk, number=number))

    def _shown(self, pk: UUID) -> Any:
        return ConfigurationSerializer(self.get_queryset().get(pk=pk)).data


class VersionViewSet(ApiViewSet[ConfigVersion]):
    """Versions by their ids."""

    serializer_class = VersionTextSerializer
    lookup_value_converter = "uuid"
    query_parameters = {"retrieve": ("raw",), "diff": ("against",)}
    required_actions = {
        "retrieve": Action.VIEW,
        "publish": Action.EDIT,
        "archive": Action.EDIT,
        "diff": Action.VIEW,
    }

    def get_queryset(self) -> QuerySet[ConfigVersion]:
        """All versions."""
        return ConfigVersion.objects.select_related("configuration", "author", "published_by")

    @extend_schema(
        parameters=[
            OpenApiParameter("raw", bool, description="The text with its secrets (Editors).")
        ]
    )
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """A version with its text."""
        return _text_answer(self, self.get_object())

    @extend_schema(request=ReasonSerializer, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: UUID) -> Response:
        """Make it assignable to fleets."""
        version = publish_version(
            version=self.get_object(), actor=self.actor, **self.validated(ReasonSerializer)
        )
        return self.one(VersionSerializer(version).data)

    @extend_schema(request=ReasonSerializer, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: UUID) -> Response:
        """Take it off the list of what can be assigned."""
        version = archive_version(
            version=self.get_object(), actor=self.actor, **self.validated(ReasonSerializer)
        )
        return self.one(VersionSerializer(version).data)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "against", UUID, required=True, description="The version to compare from."
            )
        ],
        responses=DiffSerializer,
    )
    @action(detail=True, methods=["get"])
    def diff(self, request: Request, pk: UUID) -> Response:
        """What changed from the version ?against= to this one."""
        after = self.get_object()
        before = get_object_or_404(self.get_queryset(), pk=_uuid(request, "against"))
        found = diff_versions(before, after)
        shown = {
            "before": before,
            "after": after,
            "added": found.added,
            "deleted": found.deleted,
            "is_coarse": found.is_coarse,
            "hunks": found.hunks,
            "patch": found.as_patch(),
        }
        return Response(DiffSerializer(shown).data)


def _versions() -> QuerySet[ConfigVersion]:
    """For lists: without texts."""
    rows = ConfigVersion.objects.without_text()
    return rows.select_related("configuration", "author", "published_by")


def _text_answer(view: ApiViewSet[Any], version: ConfigVersion) -> Response:
    """The version with its text; the raw one for ?raw=1, where it is allowed, and with an entry in the log."""
    wanted = view.request.query_params.get("raw", "0")
    if wanted not in {"0", "1", "true", "false"}:
        raise ValidationError({"raw": "Write raw=1 or leave it out."})
    if wanted in {"0", "false"}:
        return view.one(VersionTextSerializer(version).data)
    if not may(view.request.user, Action.READ_RAW, version):
        raise PermissionDenied("The raw text needs the role Editor.")
    raw = read_raw_text(version=version, actor=view.actor)
    return view.one(VersionTextSerializer(version, context={"raw": raw}).data)


def _uuid(request: Request, name: str) -> UUID:
    try:
        return UUID(request.query_params.get(name, ""))
    except ValueError as error:
        raise ValidationError({name: "Give the id of a version."}) from error


router = SimpleRouter(use_regex_path=False)
router.register("configurations", ConfigurationViewSet, basename="api-configurations")
router.register("versions", VersionViewSet, basename="api-versions")
