"""Notifications as the API shows and takes them."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from rest_framework import serializers

from fleets.models import Fleet
from notices.kinds import ROLLOUT_KINDS
from notices.models import Channel, Delivery, Subscription
from notices.services import LONGEST_HOLD_S
from telflo.base.api.serializers import BodySerializer, OneOf, UsernameField
from telflo.base.errors import DomainError

FORMATS = [("standard", "Standard Webhooks: signed JSON"), ("slack", "Slack: text")]
STATES = [("active", "Active"), ("failing", "Failing"), ("paused", "Paused")]
_SHARED = [
    *("id", "name", "events", "fleets", "unhealthy_from", "gone_from", "hold_seconds", "state"),
    *("paused_at", "pause_reason", "failures", "failing_since", "last_delivered_at"),
    *("created_by", "created_at", "updated_at"),
]


class NoticeSerializer(serializers.ModelSerializer[Subscription]):
    """What webhooks and e-mail share."""

    events = serializers.ListField(source="kinds", child=serializers.CharField())
    fleets = serializers.ListField(
        source="fleet_ids", child=serializers.UUIDField(), help_text="ids; empty: all fleets"
    )
    hold_seconds = serializers.IntegerField(source="hold_s")
    state = serializers.ChoiceField(choices=STATES)
    created_by = UsernameField()


class WebhookSerializer(NoticeSerializer):
    """A webhook, without its secret, and without what may be one in its URL."""

    format = serializers.SerializerMethodField()
    url = serializers.CharField(
        source="target", help_text="without its query, and of Slack without its path"
    )

    class Meta:
        model = Subscription
        fields = [*_SHARED, "format", "url"]
        read_only_fields = fields

    def get_format(self, one: Subscription) -> str:
        """Standard or slack."""
        return "slack" if one.channel == Channel.SLACK else "standard"


class EmailNoticeSerializer(NoticeSerializer):
    """Notices by e-mail."""

    recipients = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Subscription
        fields = [*_SHARED, "recipients"]
        read_only_fields = fields


class IssuedWebhookSerializer(WebhookSerializer):
    """A webhook with its new secret, shown in this answer alone; null where nothing is signed."""

    secret = serializers.CharField(read_only=True, allow_null=True)

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class TrySerializer(serializers.Serializer[Any]):
    """How one try went."""

    at = serializers.DateTimeField()
    status_code = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(help_text="empty when it arrived")
    took_ms = serializers.IntegerField(allow_null=True, help_text="null when it was cut off")


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One notice on its way to one receiver."""

    notice = serializers.UUIDField(source="notice_id", help_text="webhook-id is msg_ and its hex")
    event = serializers.CharField(source="notice.kind")
    title = serializers.CharField(source="notice.title")
    at = serializers.DateTimeField(source="notice.at")
    log = TrySerializer(many=True, read_only=True, help_text="its tries, the last 20 at most")

    class Meta:
        model = Delivery
        fields = [
            *("id", "notice", "event", "title", "at", "state", "tries", "tried_at", "next_at"),
            *("status_code", "answer", "error", "log"),
        ]
        read_only_fields = fields


class ChangeSerializer(BodySerializer):
    """What may be changed; what is left out stays."""

    name = serializers.CharField(max_length=100, required=False)
    events = serializers.ListField(
        source="kinds",
        child=OneOf(choices=[kind.value for kind in ROLLOUT_KINDS]),
        required=False,
    )
    fleets = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="slugs or ids; empty: all fleets"
    )
    unhealthy_from = serializers.CharField(
        max_length=8, required=False, allow_blank=True, help_text='"5", "10%", or "" for never'
    )
    gone_from = serializers.CharField(max_length=8, required=False, allow_blank=True)
    hold_seconds = serializers.IntegerField(
        source="hold_s", min_value=0, max_value=LONGEST_HOLD_S, required=False
    )


class WebhookChangeSerializer(ChangeSerializer):
    """The same of a webhook. Its format stays."""

    url = serializers.CharField(max_length=1_000, required=False)


class EmailChangeSerializer(ChangeSerializer):
    """The same of e-mail."""

    recipients = serializers.ListField(child=serializers.CharField(), required=False)


class NewWebhookSerializer(WebhookChangeSerializer):
    """What a webhook shall be."""

    name = serializers.CharField(max_length=100)
    url = serializers.CharField(max_length=1_000)
    format = OneOf(choices=FORMATS, default="standard")


class NewEmailNoticeSerializer(EmailChangeSerializer):
    """What a notice by e-mail shall be."""

    name = serializers.CharField(max_length=100)
    recipients = serializers.ListField(child=serializers.CharField())


def with_fleets(wanted: dict[str, Any]) -> dict[str, Any]:
    """The same with ids of fleets instead of slugs or ids. Raises DomainError for one that is not there."""
    given = wanted.get("fleets")
    if not given:
        return wanted
    ids = {key for text in given if (key := _uuid(text))}
    found = Fleet.objects.active().filter(Q(slug__in=given) | Q(pk__in=ids))
    known = {
        name: key for key, slug in found.values_list("pk", "slug") for name in (slug, str(key))
    }
    missing = [text for text in given if text not in known]
    if missing:
        raise DomainError(f"No fleet has the slug or id {missing[0]}.", field="fleets")
    return {**wanted, "fleets": [known[text] for text in given]}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
