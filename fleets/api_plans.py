"""How a rollout goes, as the API takes and shows it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from rest_framework import serializers

from fleets.rollouts.counts import Budget
from fleets.rollouts.selector import BadSelector, Selector, parse_selector
from fleets.rollouts.shares import BadShares, Share
from fleets.rollouts.strategy import (
    LONGEST_BAKE,
    LONGEST_SOAK,
    MOST_COUNTED,
    PRESETS,
    SHORTEST_APPLY,
    StagePlan,
    Strategy,
)
from fleets.rollouts.windows import BadWindow, parse_window
from telflo.base.api.serializers import BodySerializer, OneOf


def _seconds(time: timedelta) -> int:
    return int(time.total_seconds())


class BudgetSerializer(BodySerializer):
    """How many targets of a stage may fail: one of the two. Neither: none."""

    percent = serializers.IntegerField(min_value=0, max_value=100, required=False)
    count = serializers.IntegerField(min_value=0, max_value=MOST_COUNTED, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for both: which of them holds would be a guess."""
        if {"percent", "count"} <= attrs.keys():
            raise serializers.ValidationError("Say percent or count, one of them.")
        return attrs


class StagePlanSerializer(BodySerializer):
    """One stage: count (so many more), percent (of all, from the first stage on) or selector, exactly one of them."""

    name = serializers.CharField(max_length=60, required=False, default="")
    count = serializers.IntegerField(min_value=1, max_value=MOST_COUNTED, required=False)
    percent = serializers.IntegerField(min_value=1, max_value=100, required=False)
    selector = serializers.CharField(
        max_length=500,
        required=False,
        help_text="`deployment.environment=staging, region in (eu, us), !canary`",
    )
    bake_seconds = serializers.IntegerField(
        min_value=0, max_value=_seconds(LONGEST_BAKE), required=False, default=0
    )
    failure_budget = BudgetSerializer(required=False)

    def validate_selector(self, text: str) -> Selector:
        """The selector, read. Raises ValidationError."""
        try:
            return parse_selector(text)
        except BadSelector as problem:
            raise serializers.ValidationError(str(problem)) from None


class ZoneSerializer(BodySerializer):
    """Never more than `limit` at a time that share the value of the attribute `key`."""

    key = serializers.CharField(max_length=128)
    limit = serializers.IntegerField(min_value=1, max_value=MOST_COUNTED)


class WindowSerializer(BodySerializer):
    """When something new may start; a rollback always may."""

    days = serializers.CharField(max_length=60, help_text="`mon-fri` or `sat,sun`")
    hours = serializers.CharField(max_length=11, help_text="`09:00-17:00`")
    zone = serializers.CharField(max_length=64, required=False, default="UTC")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """With the window that was asked for as `window`."""
        try:
            return {"window": parse_window(**attrs)}
        except BadWindow as problem:
            raise serializers.ValidationError(str(problem)) from None


class PlanSerializer(BodySerializer):
    """A preset, or stages; the rest changes what the preset says."""

    preset = OneOf(choices=list(PRESETS), required=False)
    stages = StagePlanSerializer(many=True, required=False)
    automatic_rollback = serializers.BooleanField(required=False)
    soak_seconds = serializers.IntegerField(
        min_value=0, max_value=_seconds(LONGEST_SOAK), required=False
    )
    apply_timeout_seconds = serializers.IntegerField(
        min_value=_seconds(SHORTEST_APPLY), max_value=_seconds(LONGEST_SOAK), required=False
    )
    max_in_flight = serializers.IntegerField(min_value=0, max_value=MOST_COUNTED, required=False)
    waits_for_offline = serializers.BooleanField(required=False)
    zone = ZoneSerializer(required=False)
    window = WindowSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """With the strategy that was asked for as `strategy`."""
        if ("preset" in attrs) == ("stages" in attrs):
            raise serializers.ValidationError("Say a preset or stages, one of them.")
        strategy = _strategy(attrs)
        try:
            strategy.check()
        except BadShares as problem:
            words: Any = [str(problem)]
            at_stage = {"stages": {str(problem.stage - 1): words}}
            raise serializers.ValidationError(at_stage if problem.stage else words) from None
        return {"strategy": strategy}


class NewRolloutSerializer(BodySerializer):
    """Which fleet is to run which version, and how; without a plan all at once, and nothing is taken back by itself."""

    fleet = serializers.CharField(help_text="slug or id")
    version = serializers.UUIDField(help_text="published")
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
    plan = PlanSerializer(required=False)
    force = serializers.BooleanField(
        default=False,
        help_text="try it again where it failed before, by way of each collector's previous version; of a version that"
        " the fleet has: there alone",
    )
    dry_run = serializers.BooleanField(default=False, help_text="only check it")
    accept_warnings = serializers.BooleanField(
        default=False, help_text="start although the check warns"
    )
    accept = serializers.ListField(
        child=serializers.CharField(max_length=60),
        max_length=50,
        required=False,
        default=list,
        help_text="codes of the warnings that are accepted",
    )


def _strategy(said: Mapping[str, Any]) -> Strategy:
    """The strategy of a checked body."""
    base = PRESETS[said["preset"]]() if "preset" in said else Strategy(_stages(said["stages"]))
    changes = {name: said[name] for name in _AS_SAID if name in said}
    if "soak_seconds" in said:
        changes["soak"] = timedelta(seconds=said["soak_seconds"])
    if "apply_timeout_seconds" in said:
        changes["apply_timeout"] = timedelta(seconds=said["apply_timeout_seconds"])
    if "zone" in said:
        changes |= {"zone_key": said["zone"]["key"], "zone_limit": said["zone"]["limit"]}
    if "window" in said:
        changes["window"] = said["window"]["window"]
    return replace(base, **changes)


_AS_SAID: Final = ("automatic_rollback", "max_in_flight", "waits_for_offline")


def _stages(said: list[Mapping[str, Any]]) -> tuple[StagePlan, ...]:
    return tuple(_stage(number, one) for number, one in enumerate(said, start=1))


def _stage(number: int, said: Mapping[str, Any]) -> StagePlan:
    share = Share(said.get("count"), said.get("percent"), said.get("selector"))
    budget = said.get("failure_budget", {})
    return StagePlan(
        name=said["name"] or f"Stage {number}",
        share=share,
        bake=timedelta(seconds=said["bake_seconds"]),
        budget=Budget(budget.get("percent", 0), budget.get("count")),
    )
