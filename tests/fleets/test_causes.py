"""What failed in a rollout, from the database: one cause for many, what they share, secrets masked."""

from typing import Any

import pytest

from agents.models import Agent, ComponentSet
from fleets.models import Target, TargetState
from fleets.rollouts.causes import causes_of
from fleets.rollouts.choosing import waiting_with
from telflo.base import clock
from tests.factories import make_version
from tests.fleets.story import APPLIED, APPLYING, FAILED, Story, hash_of

pytestmark = pytest.mark.django_db
WORDS = 'cannot start "otlp": token=sekret-0123456789abcdef PID={} died'


def test_many_that_fail_for_one_cause_are_one_and_what_they_share_is_said(
    django_assert_num_queries: Any,
) -> None:
    story = Story(count=4)
    version = story.version()
    rollout = story.assign(version)
    story.claim(*story.agents)
    for n, agent in enumerate(story.agents):
        image = "v2" if n < 2 else "v1"
        Agent.objects.filter(pk=agent.instance_uid).update(labels={"image": image})
        story.answer(agent, APPLYING, hash_of(version))
        if n < 2:
            story.answer(agent, FAILED, hash_of(version), WORDS.format(4_000 + n))
    Target.objects.filter(state=TargetState.APPLYING).update(state=TargetState.SUCCEEDED)
    with django_assert_num_queries(4):
        [cause] = causes_of(rollout)
    assert cause.count == 2
    assert "PID=4000 died" in cause.error
    assert "sekret" not in cause.error
    assert cause.first_at <= cause.last_at <= clock.now()
    [shared] = cause.shared
    assert (shared.key, shared.value, shared.failed, shared.others) == ("image", "v2", 2, 0)
    Target.objects.filter(failure="").update(state=TargetState.REVERTED)
    [after] = causes_of(rollout)
    assert after.shared == cause.shared, "once all went back it is said still"


def test_without_failures_there_are_no_causes() -> None:
    story = Story(count=1)
    assert causes_of(story.assign(story.version())) == []


def test_the_line_that_the_error_names_is_shown_without_its_secrets() -> None:
    text = "receivers: {nop: }\nexporters:\n  otlp: {endpoint: a:1, headers: {api-key: sekret}}\n"
    story = Story()
    version = make_version(yaml=f"{text}service: {{pipelines: {{}}}}\n")
    rollout = story.assign(version)
    story.claim(*story.agents)
    story.answer(story.agents[0], FAILED, hash_of(version), "exporters::otlp: no such host")
    [cause] = causes_of(rollout)
    assert cause.line is not None
    assert cause.line.number == 3
    assert "otlp: {endpoint: a:1" in cause.line.text
    assert "sekret" not in cause.line.text


def test_a_log_that_is_quoted_divides_no_cause_and_misleads_to_no_line() -> None:
    """Each host's log differs by its attributes, and names components that are well."""
    text = "receivers: {nop: , otlp: }\nexporters: {nop: }\nservice: {pipelines: {}}\n"
    last = 'Error: failed to start "nop" exporter: token=sekret-0123456789abcdef'
    story = Story(count=2)
    version = make_version(yaml=text)
    rollout = story.assign(version)
    story.claim(*story.agents)
    for agent, zone in zip(story.agents, ("eu", "us"), strict=True):
        log = f'{{"level":"warn","msg":"\\"otlp\\" is old","resource":{{"zone":"{zone}"}}}}'
        words = f"Agent exited unexpectedly\nCollector log tail:\n{log}\n{last}"
        story.answer(agent, FAILED, hash_of(version), words)
    [cause] = causes_of(rollout)
    assert cause.count == 2
    assert '"zone":"eu"' in cause.error
    head, mark, said = cause.gist.splitlines()
    assert (head, mark) == ("Agent exited unexpectedly", "Collector log tail:")
    assert said.startswith('Error: failed to start "nop" exporter: token=')
    assert "sekret" not in cause.gist
    assert cause.line is not None
    assert cause.line.number == 2


def test_a_build_that_those_that_failed_share_is_named_and_can_be_left_out() -> None:
    story = Story(count=6)
    version = story.version()
    lean, full = (
        ComponentSet.objects.create(hash=letter * 64, tree={}, created_at=clock.now())
        for letter in "ab"
    )
    uids = [agent.instance_uid for agent in story.agents]
    Agent.objects.filter(pk__in=uids).update(components=full)
    Agent.objects.filter(pk__in=[*uids[:2], uids[5]]).update(components=lean)
    rollout = story.assign(version)
    story.claim(*story.agents[:4])
    for n, agent in enumerate(story.agents[:4]):
        story.answer(agent, FAILED if n < 2 else APPLIED, hash_of(version), "it died")
    [cause] = causes_of(rollout)
    [shared] = cause.shared
    assert (shared.key, shared.value) == ("collector.components", "a" * 12)
    assert (shared.failed, shared.others, shared.later) == (2, 0, 1)
    assert waiting_with(rollout, shared.key, shared.value) == [uids[5]]
    assert waiting_with(rollout, shared.key, "") == []


def test_how_many_more_have_it_is_counted_however_few_are_compared(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    story = Story(count=9)
    version = story.version()
    uids = [agent.instance_uid for agent in story.agents]
    Agent.objects.filter(pk__in=uids).update(labels={"image": "v1"}, non_identifying={"slot": 7})
    Agent.objects.filter(pk__in=[*uids[:2], *uids[4:8]]).update(labels={"image": "v2"})
    rollout = story.assign(version)
    story.claim(*story.agents[:4])
    for n, agent in enumerate(story.agents[:4]):
        story.answer(agent, FAILED if n < 2 else APPLIED, hash_of(version), "it died")
    monkeypatch.setattr("fleets.rollouts.causes.MOST_COMPARED", 2)
    with django_assert_num_queries(4):
        [cause] = causes_of(rollout)
    [shared] = cause.shared
    assert (shared.key, shared.value, shared.later) == ("image", "v2", 4)
    assert len(waiting_with(rollout, shared.key, shared.value)) == shared.later
