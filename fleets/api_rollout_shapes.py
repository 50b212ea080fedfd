"""What the API shows of rollouts, and what its calls about several of a rollout's collectors take and answer."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from fleets.api_shapes import VersionRefSerializer
from fleets.models import SHOWN_STAGE_STATES, Rollout, Stage
from fleets.rollouts.engine import zone_holds
from telflo.base import clock
from telflo.base.api.serializers import ReasonSerializer, UsernameField


def shown_holds(rollout: Rollout) -> list[dict[str, Any]]:
    """Who waits for whom by its zone limit, as ZoneHoldSerializer has it."""
    return [
        {
            "zone": hold.zone,
            "broken": [{"instance_uid": uid, "name": name} for uid, name in hold.broken.items()],
            "waiting": len(hold.waiting),
        }
        for hold in zone_holds(rollout, clock.now())
    ]


class StageSerializer(serializers.ModelSerializer[Stage]):
    """A stage with its targets by state."""

    state = serializers.ChoiceField(
        choices=SHOWN_STAGE_STATES,
        source="state_now",
        help_text="paused, superseded and cancelled with its rollout",
    )
    bake_seconds = serializers.IntegerField(source="bake_s", read_only=True)
    counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)

    class Meta:
        model = Stage
        fields = [
            "index",
            "name",
            "count",
            "percent",
            "selector",
            "bake_seconds",
            "bake_until",
            "failure_budget_percent",
            "failure_budget_count",
            "state",
            "started_at",
            "finished_at",
            "counts",
        ]
        read_only_fields = fields


class RolloutSerializer(serializers.ModelSerializer[Rollout]):
    """A rollout. `counts` are its targets by state."""

    fleet = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    version = VersionRefSerializer(read_only=True)
    from_version = VersionRefSerializer(read_only=True, allow_null=True)
    created_by = UsernameField()
    counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)

    class Meta:
        model = Rollout
        fields = [
            "id",
            "number",
            "fleet",
            "version",
            "from_version",
            "state",
            "state_since",
            "state_reason",
            "automatic_rollback",
            "reason",
            "created_by",
            "created_at",
            "finished_at",
            "counts",
        ]
        read_only_fields = fields


class RolloutKnobsSerializer(RolloutSerializer):
    """A rollout with what holds for all of its stages."""

    soak_seconds = serializers.IntegerField(source="soak_s", read_only=True)
    apply_timeout_seconds = serializers.IntegerField(source="apply_timeout_s", read_only=True)
    force = serializers.BooleanField(source="is_forced", read_only=True)

    class Meta(RolloutSerializer.Meta):
        fields = [
            *RolloutSerializer.Meta.fields,
            "soak_seconds",
            "apply_timeout_seconds",
            "force",
            "max_in_flight",
            "waits_for_offline",
            "zone_key",
            "zone_limit",
            "window_days",
            "window_hours",
            "window_zone",
        ]
        read_only_fields = fields


class BrokenSerializer(serializers.Serializer[Any]):
    """A collector that is not well since the version failed on it."""

    instance_uid = serializers.UUIDField()
    name = serializers.CharField()


class ZoneHoldSerializer(serializers.Serializer[Any]):
    """A zone in which nobody goes on: `waiting` collectors wait until those that are broken are well or left out."""

    zone = serializers.CharField()
    broken = BrokenSerializer(many=True)
    waiting = serializers.IntegerField()


class RolloutDetailSerializer(RolloutKnobsSerializer):
    """The same with its stages."""

    stages = StageSerializer(many=True, read_only=True)
    zone_holds = ZoneHoldSerializer(many=True, read_only=True)

    class Meta(RolloutKnobsSerializer.Meta):
        fields = [*RolloutKnobsSerializer.Meta.fields, "stages", "zone_holds"]
        read_only_fields = fields


class ExcludedSerializer(RolloutDetailSerializer):
    """The same, and how many collectors were left out just now."""

    left_out = serializers.IntegerField(read_only=True)

    class Meta(RolloutDetailSerializer.Meta):
        fields = [*RolloutDetailSerializer.Meta.fields, "left_out"]
        read_only_fields = fields


class ExclusionSerializer(ReasonSerializer):
    """Which collectors: by uid, or all that wait and have the attribute or label `key` with this value."""

    instance_uids = serializers.ListField(
        child=serializers.UUIDField(), max_length=10_000, required=False, default=list
    )
    key = serializers.CharField(max_length=128, required=False, default="")
    value = serializers.CharField(max_length=255, required=False, default="", allow_blank=True)


class RetriedSerializer(RolloutDetailSerializer):
    """The same, and how many collectors are tried once more and how many not; why not of the first hundred."""

    retried = serializers.IntegerField(read_only=True)
    refused = serializers.IntegerField(read_only=True)
    reasons = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(RolloutDetailSerializer.Meta):
        fields = [*RolloutDetailSerializer.Meta.fields, "retried", "refused", "reasons"]
        read_only_fields = fields


class RetrialSerializer(ExclusionSerializer):
    """Which collectors: by uid; or of those on which the version failed the ones of a cause (its `id` in `failures/`),
    those that have the attribute or label `key` with this value, or `all`.
    """

    cause = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)
    all = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nobody is retried unless it is said whom. Raises ValidationError."""
        is_named = bool(attrs["instance_uids"])
        is_narrowed = bool(attrs["cause"] or attrs["key"])
        if [is_named, is_narrowed, attrs["all"]].count(True) != 1:
            raise ValidationError(
                "Say whom: instance_uids, or a cause or key with its value, or all, and one of these alone."
            )
        return attrs
