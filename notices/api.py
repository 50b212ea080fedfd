"""The REST API of notifications: /webhooks/ and /email-notices/."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from notices import services
from notices.api_shapes import (
    ChangeSerializer,
    DeliverySerializer,
    EmailChangeSerializer,
    EmailNoticeSerializer,
    IssuedWebhookSerializer,
    NewEmailNoticeSerializer,
    NewWebhookSerializer,
    NoticeSerializer,
    WebhookChangeSerializer,
    WebhookSerializer,
    with_fleets,
)
from notices.models import Channel, Delivery, Subscription
from notices.services import Issued, Wish, wish_of
from telflo.base.access import Action
from telflo.base.api.serializers import ReasonSerializer
from telflo.base.api.views import ApiViewSet
from telflo.base.errors import DomainError

_ACTIONS = (
    *("list", "create", "retrieve", "partial_update", "destroy"),
    *("deliveries", "test", "pause", "resume", "renew_secret"),
)


class NoticeViewSet(ApiViewSet[Subscription]):
    """What webhooks and e-mail share."""

    channels: ClassVar[tuple[Channel, ...]]
    shape: ClassVar[type[NoticeSerializer]]
    change_shape: ClassVar[type[ChangeSerializer]]
    lookup_value_converter = "uuid"
    ordering_fields = ("name", "created_at")
    list_actions = ("list", "deliveries")
    required_actions = dict.fromkeys(_ACTIONS, Action.ADMINISTER)

    def get_queryset(self) -> QuerySet[Subscription]:
        """Those of this resource."""
        found = Subscription.objects.filter(channel__in=self.channels)
        return found.select_related("created_by")

    def list(self, request: Request) -> Response:
        """All, paused ones too."""
        return self.page(self.filter_queryset(self.get_queryset()), self.shape)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One."""
        return self._shown(self.get_object())

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Nothing more is sent; the log of its deliveries goes too."""
        services.delete(subscription=self.get_object(), actor=self.actor)
        return Response(status=204)

    @extend_schema(responses=DeliverySerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], filter_backends=[])
    def deliveries(self, request: Request, pk: UUID) -> Response:
        """Its log, newest first."""
        rows = Delivery.objects.filter(subscription=self.get_object()).select_related("notice")
        return self.page(rows, DeliverySerializer, ordering=("-id",))

    @extend_schema(request=None, responses={202: None})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: UUID) -> Response:
        """Send a notice of the event `test` at once; its delivery tells how it went. It is tried once."""
        services.send_test(subscription=self.get_object(), actor=self.actor)
        return Response(status=202)

    def _pause(self) -> Response:
        reason = self.validated(ReasonSerializer)
        one = services.pause(subscription=self.get_object(), actor=self.actor, **reason)
        return self._shown(one)

    def _resume(self) -> Response:
        return self._shown(services.resume(subscription=self.get_object(), actor=self.actor))

    def _change(self) -> Response:
        changes = with_fleets(self.validated(self.change_shape))
        with transaction.atomic():
            one = Subscription.objects.select_for_update().get(pk=self.get_object().pk)
            self.check_unchanged(self.shape(one).data)
            wish = wish_of(one, changes)
            with _named_as_here():
                one = services.change(subscription=one, wish=wish, actor=self.actor)
        return self._shown(one)

    def _subscribe(self, channel: Channel, wanted: dict[str, Any]) -> Issued:
        wish = Wish(**with_fleets(wanted))
        with _named_as_here():
            return services.subscribe(channel=channel, wish=wish, actor=self.actor)

    def _shown(self, one: Subscription) -> Response:
        return self.one(self.shape(one).data)


class WebhookViewSet(NoticeViewSet):
    """Webhooks, signed or for Slack."""

    channels = (Channel.WEBHOOK, Channel.SLACK)
    serializer_class = WebhookSerializer
    shape = WebhookSerializer
    change_shape = WebhookChangeSerializer

    @extend_schema(request=NewWebhookSerializer, responses={201: IssuedWebhookSerializer})
    def create(self, request: Request) -> Response:
        """A new webhook. The answer holds its secret, this once."""
        wanted = self.validated(NewWebhookSerializer)
        is_slack = wanted.pop("format") == "slack"
        return _issued(self._subscribe(Channel.SLACK if is_slack else Channel.WEBHOOK, wanted), 201)

    @extend_schema(request=WebhookChangeSerializer, responses=WebhookSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change what is given."""
        return self._change()

    @extend_schema(request=ReasonSerializer, responses=WebhookSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: UUID) -> Response:
        """Send nothing until it is resumed."""
        return self._pause()

    @extend_schema(request=None, responses=WebhookSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: UUID) -> Response:
        """Send again, from now on."""
        return self._resume()

    @extend_schema(request=None, responses=IssuedWebhookSerializer)
    @action(detail=True, methods=["post"], url_path="renew-secret", url_name="renew-secret")
    def renew_secret(self, request: Request, pk: UUID) -> Response:
        """Another secret, in this answer alone; the one before signs too for a day."""
        return _issued(services.renew_secret(subscription=self.get_object(), actor=self.actor), 200)


class EmailNoticeViewSet(NoticeViewSet):
    """Notices by e-mail."""

    channels = (Channel.EMAIL,)
    serializer_class = EmailNoticeSerializer
    shape = EmailNoticeSerializer
    change_shape = EmailChangeSerializer

    @extend_schema(request=NewEmailNoticeSerializer, responses={201: EmailNoticeSerializer})
    def create(self, request: Request) -> Response:
        """New notices by e-mail."""
        wanted = self.validated(NewEmailNoticeSerializer)
        issued = self._subscribe(Channel.EMAIL, wanted)
        return self.one(EmailNoticeSerializer(issued.subscription).data, status=201)

    @extend_schema(request=EmailChangeSerializer, responses=EmailNoticeSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change what is given."""
        return self._change()

    @extend_schema(request=ReasonSerializer, responses=EmailNoticeSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: UUID) -> Response:
        """Send nothing until it is resumed."""
        return self._pause()

    @extend_schema(request=None, responses=EmailNoticeSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: UUID) -> Response:
        """Send again, from now on."""
        return self._resume()


@contextmanager
def _named_as_here() -> Iterator[None]:
    """A fault of the kinds is one of `events`, as they are called here."""
    try:
        yield
    except DomainError as error:
        error.field = "events" if error.field == "kinds" else error.field
        raise


def _issued(issued: Issued, status: int) -> Response:
    shown = WebhookSerializer(issued.subscription).data
    return Response({**shown, "secret": issued.secret or None}, status=status)


router = SimpleRouter(use_regex_path=False)
router.register("webhooks", WebhookViewSet, basename="api-webhooks")
router.register("email-notices", EmailNoticeViewSet, basename="api-email-notices")
