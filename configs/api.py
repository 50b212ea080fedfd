"""The REST API of configurations and versions. Text is redacted unless ?raw=1 is asked for and allowed."""

from typing import Any
from uuid import UUID

import django_filters
from django.db import transaction
from django.db.models import Max, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from configs.api_drafts import DraftCalls
from configs.api_shapes import (
    ConfigurationChangeSerializer,
    ConfigurationSerializer,
    CopySerializer,
    DiffSerializer,
    DraftSerializer,
    NewConfigurationSerializer,
    NewVersionSerializer,
    PublishSerializer,
    RestoreSerializer,
    VersionSerializer,
    VersionTextSerializer,
)
from configs.api_validate import ValidateViewSet
from configs.catalog.shelf import nearest
from configs.change_words import shown_changes
from configs.comparing import meaning_of
from configs.drafts import restore_version
from configs.models import Configuration, ConfigVersion
from configs.services import (
    archive_configuration,
    archive_version,
    copy_version,
    create_configuration,
    diff_versions,
    publish_checked,
    read_raw_text,
    save_version,
    update_configuration,
)
from configs.views.component_use import reported
from telflo.base.access import Action, may
from telflo.base.api.filters import YesNoFilter
from telflo.base.api.serializers import ReasonSerializer
from telflo.base.api.views import ApiViewSet


class ConfigurationFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Filters of /configurations/."""

    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains")
    archived = YesNoFilter(field_name="archived_at", lookup_expr="isnull", exclude=True)


class ConfigurationViewSet(DraftCalls):
    """Configurations and, below each, its versions."""

    serializer_class = ConfigurationSerializer
    filterset_class = ConfigurationFilter
    ordering = ("name",)
    ordering_fields = ("name", "created_at", "updated_at")
    lookup_value_converter = "uuid"
    query_parameters = {
        "versions": ("limit", "cursor"),
        "version": ("raw",),
        "draft": ("raw",),
        "discard_draft": ("lock_version",),
    }
    required_actions = {
        "list": Action.VIEW,
        "retrieve": Action.VIEW,
        "create": Action.EDIT,
        "partial_update": Action.EDIT,
        "archive": Action.EDIT,
        "versions": Action.VIEW,
        "create_version": Action.EDIT,
        "version": Action.VIEW,
        "draft": Action.VIEW,
        "put_draft": Action.EDIT,
        "discard_draft": Action.EDIT,
        "save_draft": Action.EDIT,
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
        "copy": Action.EDIT,
        "restore": Action.EDIT,
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

    @extend_schema(request=PublishSerializer, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: UUID) -> Response:
        """Make it assignable to fleets. 409 for errors, and for warnings that are not accepted; both are listed."""
        body = self.validated(PublishSerializer)
        version = publish_checked(
            version=self.get_object(),
            actor=self.actor,
            reason=body["reason"],
            accepted=None if body["accept_warnings"] else body["accept"],
            reported=reported(),
        )
        return self.one(VersionSerializer(version).data)

    @extend_schema(request=CopySerializer, responses={201: VersionSerializer})
    @action(detail=True, methods=["post"])
    def copy(self, request: Request, pk: UUID) -> Response:
        """Version 1 of a new configuration, with the same text."""
        version = copy_version(
            version=self.get_object(), actor=self.actor, **self.validated(CopySerializer)
        )
        return self.one(VersionSerializer(version).data, status=201)

    @extend_schema(request=RestoreSerializer, responses={201: DraftSerializer})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: UUID) -> Response:
        """A draft with its text. 409 when there is a draft, unless that is the one to be replaced."""
        draft = restore_version(
            version=self.get_object(), actor=self.actor, **self.validated(RestoreSerializer)
        )
        return self.one(DraftSerializer(draft).data, status=201)

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
            "changes": _changes(before, after),
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


def _changes(before: ConfigVersion, after: ConfigVersion) -> Any:
    catalogs = nearest(before.collector_version), nearest(after.collector_version)
    meaning = meaning_of(before.yaml, after.yaml, catalogs=catalogs)
    return None if meaning.changes is None else shown_changes(meaning.changes)


def _uuid(request: Request, name: str) -> UUID:
    try:
        return UUID(request.query_params.get(name, ""))
    except ValueError as error:
        raise ValidationError({name: "Give the id of a version."}) from error


router = SimpleRouter(use_regex_path=False)
router.register("configurations", ConfigurationViewSet, basename="api-configurations")
router.register("versions", VersionViewSet, basename="api-versions")
router.register("validate", ValidateViewSet, basename="api-validate")
