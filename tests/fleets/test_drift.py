"""Who drifted: found when what runs or should run changes, once for each distinct pair, and judged in rollouts."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents import store
from agents.configmap import configmap_sha256
from agents.models import AgentEvent, AgentStatus, Verdict
from agents.models import EffectiveConfig as Stored
from agents.snapshot import AgentSnapshot, ConfigFile, EffectiveConfig
from agents.views.events import lines_of
from configs.collector.drift import Runs
from fleets import drift, reports
from fleets.models import RenderedConfig
from fleets.rollouts.judging import Word, judge
from telflo.base import clock
from tests.factories import at, make_patch, make_version, status_of
from tests.fleets.story import APPLIED, APPLYING, Story, hash_of, target_of
from tests.fleets.test_judging import soak
from tests.fleets.test_stages import SOAK, Staged, healthy

pytestmark = pytest.mark.django_db

WANTED = """
receivers: {{otlp: {{endpoint: "localhost:{port}"}}}}
exporters: {{debug: }}
service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}}}
"""
PRINTED = """
exporters:
  debug: {{verbosity: Basic}}
extensions:
  opamp:
    instance_uid: {uid}
receivers:
  otlp:
    endpoint: localhost:{port}
service:
  extensions:
    - opamp
  pipelines: {pipelines}
"""
PIPELINES = "{traces: {receivers: [otlp], processors: [], exporters: [debug]}}"


def printed(
    agent: AgentSnapshot, *, port: int = 1, pipelines: str = PIPELINES
) -> tuple[ConfigFile, ...]:
    """What its collector prints."""
    text = PRINTED.format(uid=agent.instance_uid, port=port, pipelines=pipelines)
    return (ConfigFile("", text.encode(), "text/yaml"),)


def told(files: Iterable[ConfigFile]) -> EffectiveConfig:
    files = tuple(files)
    return EffectiveConfig(files=files, sha256=configmap_sha256(files))


def runs(agent: AgentSnapshot, **printing: Any) -> None:
    """It says what it runs."""
    says(agent, printed(agent, **printing))


def says(agent: AgentSnapshot, files: Iterable[ConfigFile]) -> None:
    reports.record_patches([make_patch(agent, effective_config=told(files))])


class Printing(Story):
    """A fleet of which each collector runs its version and says so."""

    def __init__(self, count: int = 1) -> None:
        super().__init__(count=0)
        self.one = make_version(yaml=WANTED.format(port=1))
        self.fleet.version = self.fleet.stable_version = self.one
        self.fleet.save()
        self.agents = [self.join() for _ in range(count)]
        for agent in self.agents:
            self.settle(agent)
            runs(agent)
        compare()


def compare() -> int:
    return drift.compare_running(clock.now())


def word(agent: AgentSnapshot) -> tuple[str, str]:
    row = status_of(agent)
    return row.status, row.runs


class TestDrift:
    def test_what_was_changed_on_the_host_is_found_and_what_was_put_right_too(self) -> None:
        [agent] = Printing().agents
        assert word(agent) == ("in_sync", "intended")
        runs(agent, port=2)
        assert word(agent) == ("in_sync", "intended")  # not looked at yet
        assert compare() == 1
        assert word(agent) == ("drifted", "drifted")
        runs(agent)
        assert word(agent) == ("drifted", "drifted")
        compare()
        assert word(agent) == ("in_sync", "intended")
        assert compare() == 0

    def test_the_timeline_tells_when_it_begins_and_ends_and_of_what_version(self) -> None:
        story = Printing()
        [agent] = story.agents
        runs(agent, port=2)
        compare()
        runs(agent, port=3)
        compare()
        runs(agent)
        compare()
        events = AgentEvent.objects.filter(agent=agent.instance_uid, kind__startswith="drift")
        digest = status_of(agent).desired_hash
        told = [(one.kind, one.data) for one in events.order_by("id")]
        assert told == [("drifted", {"hash": digest}), ("drift_ended", {"hash": digest})]
        [ended, began] = lines_of(events.order_by("-id"), {})
        assert (began.what, ended.what) == ("Drifted", "Drift ended")

    def test_a_collector_without_the_intended_pipelines_is_drifted(self) -> None:
        [agent] = Printing().agents
        runs(agent, pipelines="{}")
        compare()
        assert word(agent) == ("drifted", "lacking")

    def test_another_version_is_compared_once_it_is_applied(self) -> None:
        story = Printing()
        [agent] = story.agents
        two = make_version(yaml=WANTED.format(port=2))
        story.assign(two)
        story.claim(agent)
        assert status_of(agent).runs == ""
        story.answer(agent, APPLYING, hash_of(two))
        runs(agent, port=2)
        assert compare() == 0
        story.answer(agent, APPLIED, hash_of(two))
        assert compare() == 1
        assert word(agent) == ("in_sync", "intended")

    @pytest.mark.parametrize(
        "files",
        [
            [ConfigFile("", b"", "")],
            [ConfigFile("", b"apiVersion: v1", "yaml")],
            [ConfigFile("", b"\xff", "")],
        ],
    )
    def test_what_cannot_be_compared_is_no_drift(self, files: list[ConfigFile]) -> None:
        [agent] = Printing().agents
        says(agent, files)
        compare()
        assert word(agent) == ("in_sync", "unknown")

    def test_who_stops_saying_what_it_runs_is_no_more_drifted(self) -> None:
        [agent] = Printing().agents
        runs(agent, port=2)
        compare()
        reports.record_patches([make_patch(agent, effective_config=None)])
        assert word(agent) == ("in_sync", "")
        assert compare() == 0

    def test_what_changes_while_it_is_compared_stays_due(self) -> None:
        [agent] = Printing().agents
        runs(agent, port=2)
        due = store.to_compare(10)
        runs(agent, port=1)
        verdicts = {due[0].pair: Runs.DRIFTED}
        assert store.set_runs(due, verdicts, now=clock.now()) == frozenset()
        assert status_of(agent).compare_due
        compare()
        assert word(agent) == ("in_sync", "intended")

    def test_a_body_without_an_essence_gets_one(self) -> None:
        [agent] = Printing().agents
        essence = Stored.objects.get().essence
        Stored.objects.update(essence="")
        AgentStatus.objects.update(compare_due=True)
        compare()
        assert Stored.objects.get().essence == essence
        assert word(agent) == ("in_sync", "intended")

    def test_the_statements_do_not_grow_with_the_fleet_and_texts_are_read_once(self) -> None:
        assert self._statements(count=9, port=3) == self._statements(count=2, port=4)

    def _statements(self, *, count: int, port: int) -> int:
        """How many it takes to hear that all of a fleet run something else, and to compare them."""
        agents = Printing(count).agents
        before = Verdict.objects.count()
        patches = [
            make_patch(agent, effective_config=told(printed(agent, port=port))) for agent in agents
        ]
        with CaptureQueriesContext(connection) as statements:
            reports.record_patches(patches)
            assert compare() == count
        assert Verdict.objects.count() == before + 1
        assert {word(agent)[0] for agent in agents} == {"drifted"}
        return len(statements)

    def test_verdicts_on_what_nobody_says_any_more_go(self) -> None:
        [agent] = Printing().agents
        runs(agent, port=2)
        compare()
        assert Verdict.objects.count() == 2
        later = clock.now() + timedelta(hours=2)
        store.prune_effective_configs(later)
        assert store.prune_verdicts(later) == 1
        assert Verdict.objects.get().runs == "drifted"


class TestJudging:
    @pytest.mark.parametrize(
        ("facts", "second", "expected"),
        [
            ({"runs": Runs.LACKING}, 1, Word.FAILED),
            ({"runs": Runs.INTENDED}, 59, Word.WAIT),
            ({"runs": Runs.INTENDED}, 60, Word.SUCCEEDED),
            ({"runs": Runs.DRIFTED}, 60, Word.SUCCEEDED),
            ({"runs": None}, 60, Word.SUCCEEDED),
            ({"runs": Runs.UNKNOWN}, 60, Word.UNVERIFIED),
            ({"awaits_comparison": True}, 60, Word.WAIT),
            ({"awaits_comparison": True}, 90, Word.UNVERIFIED),
        ],
    )
    def test_what_it_runs_is_part_of_the_judgement(
        self, facts: dict[str, object], second: int, expected: Word
    ) -> None:
        assert judge(soak(**facts), at(second)).word is expected

    def test_a_version_that_empties_the_pipelines_fails_though_its_collector_is_well(self) -> None:
        staged = Staged()
        [canary] = staged.offered()
        staged.apply(canary)
        healthy(*staged.story.agents)
        self._make_version_have_pipelines(staged)
        runs(canary, pipelines="{}")
        compare()
        staged.work(timedelta(seconds=1))
        target = target_of(staged.rollout, canary)
        assert "lacks pipelines" in target.failure
        assert staged.rollout.state in {"rolling_back", "rolled_back"}
        assert set(staged.states()) == {"excluded", "reverting"}

    def test_a_soak_ends_once_what_runs_was_compared(self) -> None:
        staged = Staged()
        [canary] = staged.offered()
        staged.apply(canary)
        healthy(*staged.story.agents)
        self._make_version_have_pipelines(staged)
        runs(canary, port=1)
        staged.work(SOAK + timedelta(minutes=1))
        assert target_of(staged.rollout, canary).state == "soaking"
        compare()
        staged.work(timedelta(seconds=1))
        assert target_of(staged.rollout, canary).state == "succeeded"

    @staticmethod
    def _make_version_have_pipelines(staged: Staged) -> None:
        RenderedConfig.objects.filter(hash=staged.hash).update(body=WANTED.format(port=1))
