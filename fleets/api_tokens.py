"""The REST API of tokens. A secret is in the answer that makes it, and nowhere else."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from fleets.models import Token
from fleets.token_state import TokenState, token_state
from fleets.tokens import (
    LONGEST_OVERLAP,
    Expiry,
    IssuedToken,
    retire_token,
    revoke_token,
    rotate_token,
)
from telflo.base import clock
from telflo.base.access import Action
from telflo.base.api.serializers import BodySerializer, ReasonSerializer, UsernameField
from telflo.base.api.views import ApiViewSet
from telflo.base.lifetimes import expiry


class TokenSerializer(serializers.ModelSerializer[Token]):
    """A token, without its secret."""

    fleet = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    state = serializers.SerializerMethodField()
    replaces = serializers.UUIDField(source="parent_id", read_only=True, allow_null=True)
    deployment = serializers.UUIDField(source="deployment_id", read_only=True, allow_null=True)
    agent = serializers.UUIDField(
        source="agent_uid",
        read_only=True,
        allow_null=True,
        help_text="the only agent that may use it",
    )
    created_by = UsernameField()

    class Meta:
        model = Token
        fields = [
            "id",
            "kind",
            "fleet",
            "name",
            "prefix",
            "state",
            "replaces",
            "deployment",
            "agent",
            "created_by",
            "created_at",
            "enrol_until",
            "retired_at",
            "revoke_at",
            "revoked_at",
            "revoked_reason",
            "last_used_at",
        ]
        read_only_fields = fields

    def get_state(self, token: Token) -> TokenState:
        """active, expires_soon, expired, retired or revoked."""
        return token_state(token, clock.now())


class IssuedTokenSerializer(TokenSerializer):
    """A new token with its secret, shown in this answer alone."""

    secret = serializers.CharField(read_only=True)

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class NewTokenSerializer(BodySerializer):
    """What a token shall be."""

    name = serializers.CharField(max_length=100)
    expires = serializers.CharField(
        default=Expiry.YEAR.value, help_text="never, 180d, 1y, 2y or an RFC 3339 time"
    )


class RotationSerializer(BodySerializer):
    """How long the old token goes on enrolling, and whether it is revoked then."""

    overlap_seconds = serializers.IntegerField(
        min_value=0, max_value=int(LONGEST_OVERLAP.total_seconds()), default=86_400
    )
    revoke_old = serializers.BooleanField(default=False)


class TokenViewSet(ApiViewSet[Token]):
    """Tokens by their ids."""

    serializer_class = TokenSerializer
    lookup_value_converter = "uuid"
    required_actions = {
        "retrieve": Action.VIEW,
        "rotate": Action.ENROL,
        "retire": Action.ENROL,
        "revoke": Action.ENROL,
    }

    def get_queryset(self) -> QuerySet[Token]:
        """All tokens."""
        return Token.objects.select_related("fleet", "created_by")

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One token."""
        return self.one(TokenSerializer(self.get_object()).data)

    @extend_schema(request=RotationSerializer, responses={201: IssuedTokenSerializer})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: UUID) -> Response:
        """A successor. The answer holds its secret, this once; the old one enrols until the overlap is over."""
        wanted = self.validated(RotationSerializer)
        issued = rotate_token(
            token=self.get_object(),
            overlap=timedelta(seconds=wanted["overlap_seconds"]),
            revoke_old=wanted["revoke_old"],
            actor=self.actor,
        )
        return issued_answer(issued)

    @extend_schema(request=ReasonSerializer, responses=TokenSerializer)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: UUID) -> Response:
        """No new enrolments; collectors that it let in stay."""
        reason = self.validated(ReasonSerializer)
        token = retire_token(token=self.get_object(), actor=self.actor, **reason)
        return self.one(TokenSerializer(token).data)

    @extend_schema(request=ReasonSerializer, responses=TokenSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: UUID) -> Response:
        """Refuse it from now on and close its connections; those collectors keep running."""
        reason = self.validated(ReasonSerializer)
        token = revoke_token(token=self.get_object(), actor=self.actor, **reason)
        return self.one(TokenSerializer(token).data)


def expires_from(text: str) -> Expiry | datetime:
    """An expiry as the API writes it. Raises DomainError (field "expires")."""
    text = text.strip()
    if text in set(Expiry):
        return Expiry(text)
    return expiry(text, clock.now()) or Expiry.NEVER


def shown_once(issued: IssuedToken) -> dict[str, Any]:
    """A new token with its secret."""
    return {**TokenSerializer(issued.token).data, "secret": issued.secret}


def issued_answer(issued: IssuedToken) -> Response:
    """The answer to who made it."""
    return Response(shown_once(issued), status=201)
