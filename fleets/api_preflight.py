"""The pre-flight check of a rollout, as the API shows it."""

from typing import Any

from rest_framework import serializers

from configs.change_words import shown_changes
from configs.collector.difference import Deed
from fleets.rollouts.preflight import Fate, Preflight, Severity


class StageReachSerializer(serializers.Serializer[Any]):
    """One stage as it would be divided now."""

    name = serializers.CharField()
    targets = serializers.IntegerField(help_text="all in it")
    reached = serializers.IntegerField(help_text="of those, who get the version")
    total = serializers.IntegerField(help_text="reached, with the stages before")


class PreflightCollectorSerializer(serializers.Serializer[Any]):
    """A collector that a finding is about. detail: such as the components that it lacks."""

    instance_uid = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)


class PreflightFindingSerializer(serializers.Serializer[Any]):
    """count: how many collectors it is about; the first hundred of them are named. lines: what the validator says."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=[one.value for one in Severity])
    title = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    lines = serializers.ListField(child=serializers.CharField())
    count = serializers.IntegerField()
    collectors = PreflightCollectorSerializer(many=True)


class PreflightChangeSerializer(serializers.Serializer[Any]):
    """One semantic difference; secrets masked. was, now: null where there is nothing."""

    path = serializers.CharField(help_text="`exporters::otlp_grpc::endpoint`")
    deed = serializers.ChoiceField(choices=[one.value for one in Deed])
    was = serializers.CharField(allow_null=True)
    now = serializers.CharField(allow_null=True)


class PreflightSerializer(serializers.Serializer[Any]):
    """What a rollout would do, in numbers of collectors, and what speaks against it; the answer to dry_run."""

    reached = serializers.IntegerField(help_text="get it, now or on their return")
    managed = serializers.IntegerField()
    offline = serializers.IntegerField(help_text="of those reached, who get it on their return")
    running = serializers.IntegerField(help_text="run it already")
    unable = serializers.IntegerField(help_text="do not accept configurations from a server")
    observed = serializers.IntegerField()
    quarantined = serializers.IntegerField(help_text="it failed there before: skipped")
    may_start = serializers.BooleanField(help_text="no finding is an error")
    needs_acceptance = serializers.BooleanField(help_text="a finding is a warning")
    stages = StageReachSerializer(many=True)
    findings = PreflightFindingSerializer(many=True)
    changes = PreflightChangeSerializer(
        many=True, help_text="from the fleet's stable version; the first 200"
    )


def shown_preflight(found: Preflight) -> dict[str, Any]:
    """The answer to a dry run."""
    fates = {fate: found.fates.get(fate, 0) for fate in Fate}
    observed = fates[Fate.OBSERVED]
    numbers = {
        "reached": found.reached,
        "managed": sum(fates.values()) - observed,
        "offline": fates[Fate.OFFLINE],
        "running": fates[Fate.RUNNING],
        "unable": fates[Fate.UNABLE],
        "observed": observed,
        "quarantined": fates[Fate.QUARANTINED],
        "may_start": not found.of(Severity.ERROR),
        "needs_acceptance": bool(found.of(Severity.WARNING)),
        "stages": found.stages,
        "findings": found.findings,
        "changes": shown_changes(found.changes),
    }
    return PreflightSerializer(numbers).data
