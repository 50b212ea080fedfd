"""The REST API of drafts: reading one, putting a text into it, saving it as a version, throwing it away."""

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from configs.api_shapes import (
    DraftSerializer,
    DraftTextSerializer,
    PutDraftSerializer,
    SaveDraftSerializer,
    VersionTextSerializer,
)
from configs.drafts import discard_draft, draft_of, put_draft, read_draft, save_draft
from configs.errors import DraftChanged
from configs.models import Configuration, Draft
from configs.services import lock_active, masked_diff
from telflo.base.access import Action, may
from telflo.base.api.etags import etag_of
from telflo.base.api.views import ApiViewSet

_RAW = OpenApiParameter("raw", bool, description="The text with its secrets (Editors).")


class DraftCalls(ApiViewSet[Configuration]):
    """The calls of a configuration about its draft."""

    @extend_schema(parameters=[_RAW], responses=DraftTextSerializer, filters=False)
    @action(detail=True, methods=["get"], filter_backends=[], pagination_class=None)
    def draft(self, request: Request, pk: UUID) -> Response:
        """The draft. 404 when there is none: put a text with lock_version null to begin one."""
        draft = self._draft()
        text = DraftTextSerializer(draft, context=self._raw(draft))
        # If-Match of a change looks at what answers to changes show, which is all but the text.
        etag = etag_of(DraftSerializer(draft).data)
        return Response(text.data, headers={"ETag": etag})

    @extend_schema(request=PutDraftSerializer, responses=DraftSerializer)
    @draft.mapping.put
    def put_draft(self, request: Request, pk: UUID) -> Response:
        """Put a text into the draft, or begin it. 409 when it changed since lock_version: with who changed it (`draft`)
        and how it differs from what was sent (`patch`), secrets masked.
        """
        body = self.validated(PutDraftSerializer)
        configuration = self.get_object()
        try:
            with transaction.atomic():
                self._check_unchanged(configuration)
                draft = put_draft(configuration=configuration, actor=self.actor, **body)
        except DraftChanged as error:
            error.members = {
                "draft": DraftSerializer(error.draft).data,
                "patch": masked_diff(body["yaml"], error.draft.yaml).as_patch(),
            }
            raise
        return self.one(DraftSerializer(draft).data)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "lock_version", int, required=True, description="Of the draft as it was read."
            )
        ],
        request=None,
        responses={204: None},
    )
    @draft.mapping.delete
    def discard_draft(self, request: Request, pk: UUID) -> Response:
        """Throw the draft away. 409 when it changed since lock_version."""
        given = request.query_params.get("lock_version", "")
        if not given.isdecimal() or len(given) > 9:
            raise ValidationError({"lock_version": "Give the lock_version of the draft."})
        discard_draft(configuration=self.get_object(), lock_version=int(given), actor=self.actor)
        return Response(status=204)

    @extend_schema(request=SaveDraftSerializer, responses={201: VersionTextSerializer})
    @action(detail=True, methods=["post"], url_path="draft/save")
    def save_draft(self, request: Request, pk: UUID) -> Response:
        """Save it as the next version. 422 with line and column when it cannot be parsed; it stays a draft then."""
        version = save_draft(
            configuration=self.get_object(),
            actor=self.actor,
            **self.validated(SaveDraftSerializer),
        )
        return self.one(VersionTextSerializer(version).data, status=201)

    def _draft(self) -> Draft:
        draft = draft_of(self.get_object())
        if draft is None:
            raise NotFound("This configuration has no draft.")
        return draft

    def _check_unchanged(self, configuration: Configuration) -> None:
        """If-Match, against what there is, held: nothing may come between."""
        if "If-Match" in self.request.headers:
            draft = draft_of(lock_active(configuration))
            self.check_unchanged(DraftSerializer(draft).data if draft else None)

    def _raw(self, draft: Draft) -> dict[str, Any]:
        wanted = self.request.query_params.get("raw", "0")
        if wanted not in {"0", "1", "true", "false"}:
            raise ValidationError({"raw": "Write raw=1 or leave it out."})
        if wanted in {"0", "false"}:
            return {}
        if not may(self.request.user, Action.READ_RAW, draft):
            raise PermissionDenied("The raw text needs the role Editor.")
        return {"raw": read_draft(draft=draft, actor=self.actor)}
