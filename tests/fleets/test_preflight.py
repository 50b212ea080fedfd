"""What is said before a rollout starts: pure, from members and what the version needs."""

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from fleets.rollouts.needs import (
    Needs,
    Said,
    called,
    missing_in,
    needs_of,
    offered_by,
    said_by_version,
    taken_by,
)
from fleets.rollouts.placing import Again, TargetFacts
from fleets.rollouts.preflight import MOST_NAMED, Alike, Fate, Severity, Subject, check
from fleets.rollouts.selector import parse_selector
from fleets.rollouts.shares import Share
from fleets.rollouts.strategy import StagePlan, Strategy, all_at_once, canary
from fleets.rollouts.windows import Window
from tests.factories import exporting

KAFKA = ("exporters", "kafka")
DEBUG = ("exporters", "debug")
FACTS = TargetFacts(
    is_managed=True,
    accepts_config=True,
    is_connected=True,
    is_quarantined=False,
    has_applied=False,
)
TEXT = """
receivers: {otlp: {protocols: {grpc: }}, filelog/app: {include: ["${env:LOG_PATH}"]}, nop: }
processors: {batch: }
exporters:
  debug: {verbosity: "${env:LEVEL:-basic}"}
  otlp/unused: {endpoint: "${env:BACKEND}"}
connectors: {count: }
extensions: {health_check: , zpages: }
service:
  extensions: [health_check]
  pipelines:
    logs: {receivers: [otlp, filelog/app], processors: [batch], exporters: [debug, count]}
    metrics: {receivers: [count], exporters: ["${env:WHICH}"]}
"""


def crowd(count: int, *, first: int = 1, **how: Any) -> list[Alike]:
    members = [(f"web-{number:03}", f"{number:032x}") for number in range(first, first + count)]
    return [alike(members, **how)]


def member(number: int, **how: Any) -> Alike:
    [one] = crowd(1, first=number, **how)
    return one


def alike(
    members: list[tuple[str, str]],
    *,
    build: str = "",
    collector: str = "",
    traits: dict[str, str] | None = None,
    **facts: Any,
) -> Alike:
    return Alike(
        replace(FACTS, **facts), len(members), lambda: members, build, collector, traits or {}
    )


def subject(strategy: Strategy | None = None, needs: Needs | None = None, **how: Any) -> Subject:
    return Subject(strategy=strategy or all_at_once(), needs=needs or Needs(), **how)


def error(message: str) -> Said:
    return Said("G07", message, 3, is_error=True)


def warning(message: str) -> Said:
    return Said("L04", message, 3)


class TestNeeds:
    def test_all_that_the_text_defines_is_needed_by_its_names(self) -> None:
        """Collectors refuse a text with a type that they do not know, also where no pipeline uses it."""
        assert needs_of(TEXT).components == {
            ("receivers", "otlp"),
            ("receivers", "filelog"),
            ("receivers", "nop"),
            ("processors", "batch"),
            DEBUG,
            ("exporters", "otlp"),
            ("connectors", "count"),
            ("extensions", "health_check"),
            ("extensions", "zpages"),
        }

    def test_what_the_service_uses_is_told_apart_by_its_present_names(self) -> None:
        assert needs_of(TEXT).used == {
            ("receivers", "otlp"),
            ("receivers", "file_log"),
            ("processors", "batch"),
            DEBUG,
            ("connectors", "count"),
            ("extensions", "health_check"),
        }

    def test_a_name_that_a_reference_stands_for_is_not_known(self) -> None:
        assert needs_of("exporters: {'${env:WHICH}': , debug: }").components == {DEBUG}

    def test_variables_with_a_default_are_not_needed(self) -> None:
        assert needs_of(TEXT).environment == {"LOG_PATH", "BACKEND", "WHICH"}

    def test_text_that_no_collector_reads_is_a_fault(self) -> None:
        [fault] = needs_of("receivers: [").faults
        assert (fault.rule, str(fault).startswith("Line 1: ")) == ("P01", True)

    def test_a_build_takes_old_names_of_what_it_has_and_no_newer_ones(self) -> None:
        """As 0.149.0 does: file_log was called so by then, host_metrics and kubelet_stats were not."""
        build = taken_by(
            {
                "receivers": {"components": {"file_log": {}, "hostmetrics": {}}},
                "exporters": {"components": {"otlp_grpc": {}}},
            }
        )
        text = "receivers: {filelog: , hostmetrics: , NEW: }\nexporters: {otlp: , otlp_grpc/b: }"
        assert missing_in(needs_of(text.replace("NEW", "file_log/b")).components, build) == []
        lacking = missing_in(needs_of(text.replace("NEW", "host_metrics/b")).components, build)
        assert [called(one) for one in lacking] == ["receiver host_metrics"]

    @pytest.mark.parametrize(
        ("service", "rules"),
        [
            ("pipelines: {logs: {receivers: [no], exporters: [debug]}}", ["G07"]),
            ("pipelines: {logs: {receivers: [otlp], exporters: []}}", ["G08"]),
            ("extensions: [no]", ["G06"]),
            ("extensions: ['${env:WHICH}']", []),
            ("telemetry: ", []),
        ],
    )
    def test_the_validators_errors_are_faults_but_that_nothing_is_moved(
        self, service: str, rules: list[str]
    ) -> None:
        """Supervisors start collectors so that they take that."""
        text = f"receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{debug: }}\nservice: {{{service}}}"
        faults = needs_of(text).faults
        assert [one.rule for one in faults] == rules
        assert all(str(one).startswith("Line 3: ") for one in faults)

    def test_its_warnings_are_kept_apart_and_its_hints_are_not_told(self) -> None:
        text = TEXT.replace("{grpc: }", "{grpc: {endpoint: 0.0.0.0:4317}}")
        needs = needs_of(text)
        assert not needs.faults
        assert "L07" in {one.rule for one in needs.warnings}
        assert all(not one.is_error for one in needs.warnings)

    def test_it_says_no_secret(self) -> None:
        secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2
        faults = needs_of(TEXT.replace("receivers: [count]", f"receivers: [{secret}]")).faults
        assert "G07" in {one.rule for one in faults}
        assert secret not in "".join(map(str, faults))

    @pytest.mark.parametrize("tree", [{}, {"receivers": None}, {"receivers": {"components": []}}])
    def test_a_build_that_tells_nothing_offers_nothing(self, tree: dict[str, Any]) -> None:
        assert offered_by(tree) == taken_by(tree) == frozenset()


class TestFates:
    @pytest.mark.parametrize(
        ("facts", "fate"),
        [
            ({}, Fate.NOW),
            ({"is_connected": False}, Fate.OFFLINE),
            ({"has_applied": True}, Fate.RUNNING),
            ({"accepts_config": False, "is_quarantined": True}, Fate.UNABLE),
            ({"is_managed": False, "is_quarantined": True}, Fate.OBSERVED),
            ({"is_quarantined": True, "has_applied": True}, Fate.QUARANTINED),
        ],
    )
    def test_each_member_has_one(self, facts: dict[str, Any], fate: Fate) -> None:
        found = check([member(1, **facts)], subject(), "seed")
        assert found.fates == {fate: 1}

    def test_quarantined_ones_are_named_and_skipped(self) -> None:
        found = check([*crowd(3), member(9, is_quarantined=True)], subject(), "seed")
        [finding] = found.findings
        assert (finding.code, finding.severity) == ("quarantined", Severity.WARNING)
        assert [one.name for one in finding.collectors] == ["web-009"]
        assert found.reached == 3

    def test_where_it_failed_on_all_there_is_nothing_to_start(self) -> None:
        failed, unable = member(9, is_quarantined=True), member(8, accepts_config=False)
        [finding] = check([failed, unable], subject(), "seed").findings
        assert (finding.code, finding.severity) == ("quarantined", Severity.ERROR)
        for other in ({"has_applied": True}, {"is_connected": False}):
            [finding] = check([failed, member(7, **other)], subject(), "seed").findings
            assert finding.severity is Severity.WARNING

    def test_who_is_tried_again_is_reached_and_who_cannot_be_says_why(self) -> None:
        again = member(8, is_quarantined=True, again=Again.VIA_PREVIOUS)
        cannot = member(9, is_quarantined=True, again=Again.NEVER_RAN_ANOTHER)
        found = check([again, cannot], subject(), "seed")
        skipped, tried = found.findings
        assert (skipped.code, skipped.severity) == ("quarantined", Severity.WARNING)
        assert "never ran another version well" in skipped.collectors[0].detail
        assert (tried.code, tried.severity, tried.count) == ("tried_again", Severity.NOTE, 1)
        assert found.reached == 1


class TestStages:
    def test_each_stage_says_how_many_it_reaches_and_the_skipped_are_in_the_last(self) -> None:
        found = check(
            [*crowd(98), member(99, has_applied=True), member(100, accepts_config=False)],
            subject(canary()),
            "seed",
        )
        assert [stage.targets for stage in found.stages] == [1, 9, 39, 51]
        assert sum(stage.reached for stage in found.stages) == found.stages[-1].total == 98

    def test_a_selector_that_matches_nobody_is_said(self) -> None:
        staging = StagePlan("Staging", Share(selector=parse_selector("env=staging")))
        plan = replace(canary(), stages=(staging, *canary().stages))
        [finding] = check(crowd(5, traits={"env": "prod"}), subject(plan), "seed").findings
        assert finding.code == "empty_selector"
        assert "env=staging" in finding.detail
        assert not check(crowd(5, traits={"env": "staging"}), subject(plan), "seed").findings

    def test_a_stage_of_which_all_are_offline_is_said_where_others_would_go_before_them(
        self,
    ) -> None:
        staging = StagePlan("Staging", Share(selector=parse_selector("env=staging")))
        plan = replace(canary(), stages=(staging, *canary().stages))
        away = crowd(2, first=50, traits={"env": "staging"}, is_connected=False)
        there = crowd(5, traits={"env": "prod"})
        [finding] = check([*there, *away], subject(plan), "seed").findings
        assert (finding.code, finding.severity) == ("offline_stage", Severity.WARNING)
        assert "Staging" in finding.detail
        waits = replace(plan, waits_for_offline=True)
        one = crowd(1, first=90, traits={"env": "staging"})
        assert not check([*there, *away], subject(waits), "seed").findings
        assert not check([*there, *away, *one], subject(plan), "seed").findings
        assert not check(away, subject(plan), "seed").findings

    def test_zones_are_counted_and_who_has_none_is_named(self) -> None:
        plan = replace(all_at_once(), zone_key="az", zone_limit=1)
        members = [*crowd(4, traits={"az": "a"}), member(8, traits={"az": "b"}), member(9)]
        zoneless, zones = check(members, subject(plan), "seed").findings
        assert (zones.code, zones.title) == ("zones", "2 values of az")
        assert (zoneless.code, zoneless.count) == ("no_zone", 1)

    def test_a_closed_window_is_a_note(self) -> None:
        window = Window(frozenset({0}), time(9), time(17))
        plan = replace(all_at_once(), window=window)
        [finding] = check(crowd(1), subject(plan, is_open=False), "seed").findings
        assert (finding.code, finding.severity) == ("window_closed", Severity.NOTE)
        assert not check(crowd(1), subject(plan), "seed").findings


class TestComponents:
    needs = Needs(frozenset({DEBUG, KAFKA}))

    def test_who_lacks_one_is_named_with_it(self) -> None:
        members = [*crowd(3, build="full"), member(7, build="core")]
        builds = {"full": frozenset({DEBUG, KAFKA}), "core": frozenset({DEBUG})}
        [finding] = check(members, subject(needs=self.needs, builds=builds), "seed").findings
        assert (finding.code, finding.severity) == ("missing_components", Severity.WARNING)
        [named] = finding.collectors
        assert (named.name, named.detail) == ("web-007", "exporter kafka")

    def test_those_that_are_not_reached_do_not_count(self) -> None:
        members = [member(1, build="full"), member(2, build="core", is_managed=False)]
        builds = {"full": frozenset({DEBUG, KAFKA}), "core": frozenset({DEBUG})}
        assert not check(members, subject(needs=self.needs, builds=builds), "seed").findings

    def test_who_reports_none_is_unknown_and_the_names_are_bounded(self) -> None:
        [finding] = check(crowd(2_000), subject(needs=self.needs), "seed").findings
        assert (finding.code, finding.count) == ("unknown_components", 2_000)
        assert len(finding.collectors) == MOST_NAMED
        assert not check(crowd(2), subject(), "seed").findings

    def test_what_the_stable_version_uses_too_is_no_question(self) -> None:
        before = Needs(frozenset({DEBUG}))
        [finding] = check(crowd(2), subject(needs=self.needs, before=before), "seed").findings
        assert "exporter kafka is unknown" in finding.detail
        assert not check(crowd(2), subject(needs=before, before=self.needs), "seed").findings


class TestCollectorVersions:
    """What the validator says of a text for collectors of one version."""

    def test_a_text_that_some_versions_refuse_is_a_warning_and_one_that_all_refuse_an_error(
        self,
    ) -> None:
        old, new = crowd(2, collector="0.149.0"), crowd(1, first=9, collector="0.158.0")
        here = subject(by_version={"0.149.0": [error("no such key.")]})
        [some] = check([*old, *new], here, "seed").findings
        assert (some.code, some.severity, some.count) == ("unknown_fields", Severity.WARNING, 2)
        assert some.lines == ("0.149.0: Line 3: no such key.",)
        assert [(one.name, one.detail) for one in some.collectors] == [
            ("web-001", "0.149.0"),
            ("web-002", "0.149.0"),
        ]
        [all_of_them] = check(old, here, "seed").findings
        assert (all_of_them.code, all_of_them.severity) == ("unknown_fields", Severity.ERROR)
        [ran] = check(old, replace(here, has_run=True), "seed").findings
        assert ran.severity is Severity.WARNING
        assert not check(new, here, "seed").findings

    def test_what_is_not_certain_is_a_warning(self) -> None:
        here = subject(by_version={"0.149.0": [warning("odd key.")]})
        [found] = check(crowd(2, collector="0.149.0"), here, "seed").findings
        assert (found.code, found.severity) == ("doubtful_fields", Severity.WARNING)

    def test_what_holds_for_all_versions_is_told_of_the_text_and_the_rest_of_them(self) -> None:
        text = exporting("logging").replace("logging: ", "logging: {}") + "\nservise: {}\n"
        both = ("0.158.0", "0.100.0")
        assert "L22" not in {one.rule for one in needs_of(text, both).said}
        assert "P02" in {one.rule for one in needs_of(text, both).said}
        found = said_by_version(text, both)
        assert [(one.rule, one.is_error) for one in found["0.158.0"]] == [("L22", True)]
        assert [(one.rule, one.is_error) for one in found["0.100.0"]] == [("L22", False)]
        assert not said_by_version(text, both, before=text), "that runs there"
        assert ("L22", True) in {(one.rule, one.is_error) for one in needs_of(text, both[:1]).said}


class TestTheRest:
    def test_new_variables_are_a_warning_and_those_in_use_a_note(self) -> None:
        needs = Needs(environment=frozenset({"OLD", "NEW"}))
        before = Needs(environment=frozenset({"OLD"}))
        warning, note = check(crowd(1), subject(needs=needs, before=before), "seed").findings
        assert (warning.code, note.code) == ("new_variables", "variables")
        assert warning.detail.startswith("NEW:")
        assert note.detail.startswith("OLD:")

    def test_a_text_that_cannot_be_read_is_an_error_and_comes_first(self) -> None:
        found = check(
            crowd(1),
            subject(needs=Needs(said=(error("no."),)), underway="Rollout #4 to edge v2"),
            "seed",
        )
        assert [one.code for one in found.findings] == ["invalid", "supersedes"]
        assert found.findings[0].lines == ("Line 3: no.",)

    def test_a_warning_that_the_stable_version_has_too_is_a_note(self) -> None:
        before, both = replace(warning("old"), line=40), warning("old")
        needs = Needs(said=(warning("new"), both))
        new, kept = check(
            crowd(1), subject(needs=needs, before=Needs(said=(before,))), "seed"
        ).findings
        assert (new.code, new.severity, new.lines) == (
            "text_warnings",
            Severity.WARNING,
            ("Line 3: new",),
        )
        assert (kept.code, kept.severity, kept.lines) == (
            "text_warnings_kept",
            Severity.NOTE,
            ("Line 3: old",),
        )

    def test_a_text_that_collectors_ran_well_is_not_stopped_by_the_validator(self) -> None:
        needs = Needs(said=(error("no."),))
        [found] = check(crowd(1), subject(needs=needs, has_run=True), "seed").findings
        assert (found.code, found.severity, found.lines) == (
            "invalid_but_ran",
            Severity.WARNING,
            ("Line 3: no.",),
        )

    def test_no_more_is_told_of_a_text_than_people_read(self) -> None:
        needs = Needs(said=tuple(error(f"no {n}") for n in range(30)))
        [found] = check(crowd(1), subject(needs=needs), "seed").findings
        assert (len(found.lines), found.lines[-1]) == (21, "and 10 more")

    @pytest.mark.parametrize(
        ("service", "is_said"),
        [
            ("service: {telemetry: }", True),
            ("service: {pipelines: }", True),
            ("service: {pipelines: {logs: {receivers: [nop], exporters: [nop/2]}}}", True),
            ("service: {pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}", False),
            ("service: {pipelines: '${file:pipelines.yaml}'}", False),
            ("service: '${file:service.yaml}'", False),
        ],
    )
    def test_a_version_that_moves_nothing_is_a_warning(self, service: str, is_said: bool) -> None:
        needs = needs_of(
            f"receivers: {{nop: , otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{nop: , nop/2: }}\n{service}"
        )
        assert not needs.faults
        found = check(crowd(1), subject(needs=Needs(model=needs.model)), "seed")
        told = [(one.code, one.severity) for one in found.findings]
        assert told == ([("moves_nothing", Severity.WARNING)] if is_said else [])

    def test_accepted_warnings_are_not_open(self) -> None:
        found = check(crowd(1), subject(underway="Rollout #4 to edge v2"), "seed")
        assert [one.code for one in found.open_warnings([])] == ["supersedes"]
        assert not found.open_warnings(["supersedes"])
