"""The resources that no app owns: /people/, /api-tokens/ and /events/ (the activity log)."""

from typing import Any
from uuid import UUID

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from telflo.base.access import Action, Role
from telflo.base.api.filters import YesNoFilter
from telflo.base.api.serializers import BodySerializer, OneOf
from telflo.base.api.views import ApiViewSet
from telflo.base.api_tokens import issue_api_token, revoke_api_token
from telflo.base.clock import now
from telflo.base.lifetimes import expiry
from telflo.base.models import Activity, ActorKind, ApiToken, TokenScope, User
from telflo.base.people import (
    LONGEST_USERNAME,
    IssuedLink,
    disable_person,
    enable_person,
    invite_person,
    reset_person,
    set_role,
)

ROLES = [(role.value, role.value.capitalize()) for role in Role]


# ── People ──


class PersonSerializer(serializers.ModelSerializer[User]):
    """A person."""

    id = serializers.UUIDField(source="uid", read_only=True)
    name = serializers.CharField(source="display_name", read_only=True)
    email = serializers.CharField(read_only=True, help_text="empty: none was given")
    created_at = serializers.DateTimeField(source="date_joined", read_only=True)
    last_sign_in = serializers.DateTimeField(source="last_login", read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "name",
            "email",
            "role",
            "is_active",
            "created_at",
            "last_sign_in",
        ]
        read_only_fields = fields


class InvitationSerializer(BodySerializer):
    """Whom to invite."""

    username = serializers.CharField(max_length=LONGEST_USERNAME)
    email = serializers.EmailField(required=False, default="", allow_blank=True)
    role = OneOf(choices=ROLES, default=Role.VIEWER.value)


class PersonChangeSerializer(BodySerializer):
    """What an Admin may change of a person."""

    role = OneOf(choices=ROLES, required=False)
    is_active = serializers.BooleanField(required=False)


class IssuedLinkSerializer(serializers.Serializer[IssuedLink]):
    """A one-time link, shown in this answer alone."""

    person = PersonSerializer()
    link = serializers.SerializerMethodField()
    expires_at = serializers.DateTimeField()

    def get_link(self, issued: IssuedLink) -> str:
        """The whole address."""
        request: Request = self.context["request"]
        return request.build_absolute_uri(reverse("account-link", args=[issued.secret]))


class PersonFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Filters of /people/."""

    role = django_filters.ChoiceFilter(choices=ROLES)
    is_active = YesNoFilter()


class PersonViewSet(ApiViewSet[User]):
    """People and their roles."""

    queryset = User.objects.all()
    serializer_class = PersonSerializer
    filterset_class = PersonFilter
    lookup_field = "uid"
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"
    ordering = ("username",)
    ordering_fields = ("username", "date_joined")
    secret_fields = ("link",)
    required_actions = {
        "list": Action.ADMINISTER,
        "retrieve": Action.ADMINISTER,
        "create": Action.ADMINISTER,
        "partial_update": Action.ADMINISTER,
        "reset": Action.ADMINISTER,
    }

    def list(self, request: Request) -> Response:
        """Everybody, disabled people too."""
        return self.page(self.filter_queryset(self.get_queryset()), PersonSerializer)

    def retrieve(self, request: Request, **_id: UUID) -> Response:
        """One person."""
        return self.one(PersonSerializer(self.get_object()).data)

    @extend_schema(request=InvitationSerializer, responses={201: IssuedLinkSerializer})
    def create(self, request: Request) -> Response:
        """Invite somebody. The answer holds the link that sets the password, this once; it lives 7 days."""
        issued = invite_person(actor=self.actor, **self.validated(InvitationSerializer))
        return self._link(issued)

    @extend_schema(request=PersonChangeSerializer, responses=PersonSerializer)
    def partial_update(self, request: Request, **_id: UUID) -> Response:
        """Change the role, disable or enable. The last active Admin stays one."""
        changes = self.validated(PersonChangeSerializer)
        with transaction.atomic():
            person = self.get_object()
            person = User.objects.select_for_update().get(pk=person.pk)
            self.check_unchanged(PersonSerializer(person).data)
            person = self._changed(person, changes)
        return self.one(PersonSerializer(person).data)

    def _changed(self, person: User, changes: dict[str, Any]) -> User:
        if changes.get("role", person.role) != person.role:
            person = set_role(person=person, role=changes["role"], actor=self.actor)
        if changes.get("is_active", person.is_active) != person.is_active:
            step = enable_person if changes["is_active"] else disable_person
            person = step(person=person, actor=self.actor)
        return person

    @extend_schema(request=None, responses={201: IssuedLinkSerializer})
    @action(detail=True, methods=["post"])
    def reset(self, request: Request, **_id: UUID) -> Response:
        """A link by which the person sets another password, shown this once."""
        return self._link(reset_person(person=self.get_object(), actor=self.actor))

    def _link(self, issued: IssuedLink) -> Response:
        context = {"request": self.request}
        return Response(IssuedLinkSerializer(issued, context=context).data, status=201)


# ── API tokens ──


class ApiTokenSerializer(serializers.ModelSerializer[ApiToken]):
    """An API token, without its secret."""

    class Meta:
        model = ApiToken
        fields = [
            "id",
            "name",
            "prefix",
            "scope",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        ]
        read_only_fields = fields


class NewApiTokenSerializer(BodySerializer):
    """What an API token shall be."""

    name = serializers.CharField(max_length=100)
    scope = OneOf(choices=TokenScope.choices, default=TokenScope.READ.value)
    expires = serializers.CharField(default="180d", help_text="never, 180d, 1y or an RFC 3339 time")


class IssuedApiTokenSerializer(ApiTokenSerializer):
    """A new API token with its secret, shown in this answer alone."""

    secret = serializers.CharField(read_only=True)

    class Meta(ApiTokenSerializer.Meta):
        fields = [*ApiTokenSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class ApiTokenViewSet(ApiViewSet[ApiToken]):
    """One's own API tokens."""

    queryset = ApiToken.objects.all()
    serializer_class = ApiTokenSerializer
    lookup_value_converter = "uuid"
    ordering_fields = ("created_at", "name")
    required_actions = {
        "list": Action.VIEW,
        "retrieve": Action.VIEW,
        "create": Action.VIEW,
        "revoke": Action.VIEW,
    }

    def get_queryset(self) -> QuerySet[ApiToken]:
        """Those of the person who calls."""
        user = self.request.user
        return (
            ApiToken.objects.filter(user=user)
            if isinstance(user, User)
            else ApiToken.objects.none()
        )

    def list(self, request: Request) -> Response:
        """One's own tokens, revoked ones too."""
        return self.page(self.filter_queryset(self.get_queryset()), ApiTokenSerializer)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One token."""
        return self.one(ApiTokenSerializer(self.get_object()).data)

    @extend_schema(request=NewApiTokenSerializer, responses={201: IssuedApiTokenSerializer})
    def create(self, request: Request) -> Response:
        """A new token for oneself. The answer holds the secret, this once."""
        wanted = self.validated(NewApiTokenSerializer)
        expires_at = expiry(wanted.pop("expires"), now())
        assert isinstance(request.user, User)
        issued = issue_api_token(
            user=request.user, expires_at=expires_at, actor=self.actor, **wanted
        )
        shown = {**ApiTokenSerializer(issued.token).data, "secret": issued.secret}
        return Response(shown, status=201)

    @extend_schema(request=None, responses=ApiTokenSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: UUID) -> Response:
        """End it at once."""
        token = revoke_api_token(token=self.get_object(), actor=self.actor)
        return self.one(ApiTokenSerializer(token).data)


# ── Activity ──


class ActivitySerializer(serializers.ModelSerializer[Activity]):
    """One change: who, what, on what, when, why, before and after (secrets masked)."""

    actor = serializers.SerializerMethodField()
    object = serializers.SerializerMethodField()
    before = serializers.DictField(read_only=True, allow_null=True)
    after = serializers.DictField(read_only=True, allow_null=True)

    class Meta:
        model = Activity
        fields = ["id", "at", "actor", "action", "object", "fleet_id", "reason", "before", "after"]
        read_only_fields = fields

    def get_actor(self, activity: Activity) -> dict[str, str]:
        """Kind and name of who did it."""
        return {"kind": activity.actor_kind, "name": activity.actor_label}

    def get_object(self, activity: Activity) -> dict[str, str]:
        """Kind, id and name of what it was done to."""
        return {
            "type": activity.object_type,
            "id": activity.object_id,
            "name": activity.object_label,
        }


class ActivityFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Filters of /events/."""

    actor = django_filters.CharFilter(field_name="actor__username")
    actor_kind = django_filters.ChoiceFilter(choices=ActorKind.choices)
    action = django_filters.CharFilter()
    object_type = django_filters.CharFilter()
    object_id = django_filters.CharFilter()
    fleet = django_filters.UUIDFilter(field_name="fleet_id")
    since = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    until = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")


class ActivityViewSet(ApiViewSet[Activity]):
    """The activity log."""

    queryset = Activity.objects.all()
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilter
    lookup_value_converter = "uuid"
    ordering_fields = ("id",)
    required_actions = {"list": Action.VIEW, "retrieve": Action.VIEW}

    def list(self, request: Request) -> Response:
        """Changes, newest first."""
        return self.page(self.filter_queryset(self.get_queryset()), ActivitySerializer)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One change."""
        return self.one(ActivitySerializer(self.get_object()).data)


router = SimpleRouter(use_regex_path=False)
router.register("people", PersonViewSet, basename="api-people")
router.register("api-tokens", ApiTokenViewSet, basename="api-api-tokens")
router.register("events", ActivityViewSet, basename="api-events")
