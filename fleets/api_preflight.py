"""The pre-flight check of a rollout, as the API shows it."""

from typing import Any

from rest_framework import serializers

from fleets.rollouts.preflight import Fate, Preflight, Severity


class StageReachSerializer(serializers.Serializer[Any]):
    """One stage as it would be divided now."""

    name = serializers.CharField()
    targets = serializers.IntegerField(help_text="all in it")
    reached = serializers.IntegerField(help_text="of those, who get the version")
    total = serializers.IntegerField(help_text="reached, with the stages before")


class NamedSerializer(serializers.Serializer[Any]):
    """A collector that a finding is about. detail: such as the components that it lacks."""

    instance_uid = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)


class FindingSerializer(serializers.Serializer[Any]):
    """count: how many collectors it is about; the first hundred of them are named."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=[one.value for one in Severity])
    title = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()
    collectors = NamedSerializer(many=True)


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
    findings = FindingSerializer(many=True)


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
    }
    return PreflightSerializer(numbers).data
