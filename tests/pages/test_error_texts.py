"""Collectors quote their configuration when they fail. Wherever their words are shown, secrets in them are masked."""

import logging

import pytest
from django.test import Client

from agents.models import Agent, AgentEvent, AgentStatus
from agents.snapshot import ComponentHealth, Fact, FactKind
from fleets import reports
from fleets.models import Attempt, Rollout
from telflo.base import clock
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.factories import make_patch, make_person
from tests.fleets.story import FAILED, Story, hash_of

pytestmark = pytest.mark.django_db

SECRET = "hunter2hunter2"
WORDS = f"cannot start: password: {SECRET} is refused by https://me:{SECRET}@backend.example"


def failed_story() -> Agent:
    """A collector whose every error text holds the secret, told the way that collectors tell it."""
    story = Story()
    [agent] = story.agents
    two = story.version()
    story.assign(two)
    story.claim(agent)
    story.answer(agent, FAILED, hash_of(two), WORDS)
    ill = ComponentHealth(
        False,
        "StatusPermanentError",
        WORDS,
        components={"exporter:otlp": ComponentHealth(False, "StatusPermanentError", WORDS)},
    )
    now = clock.now()
    fact = Fact(FactKind.HEALTH, now, health=ill)
    reports.record_patches([make_patch(agent, sequence_num=2, health=ill, facts=(fact,))])
    story.work()
    return Agent.objects.get(pk=agent.instance_uid)


def test_no_page_answer_or_log_shows_a_secret_of_an_error_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    agent = failed_story()
    status = AgentStatus.objects.get(agent=agent)
    assert SECRET in status.last_error + Attempt.objects.get(state="failed").error, "told as it was"
    client = Client()
    client.force_login(make_person(role=Role.ADMIN))
    one = f"/collectors/{agent.pk}"
    fleet, rollout = agent.membership.fleet, Rollout.objects.get()
    for path, is_told in {
        "/": True,
        "/collectors/": False,
        "/collectors/collectors.csv": False,
        f"{one}/": True,
        f"{one}/timeline/": True,
        f"{one}/attempts/": True,
        f"{one}/retry/": False,
        f"/fleets/{fleet.slug}/": True,
        f"/rollouts/{rollout.number}/": True,
        "/activity/": False,
        f"/admin/agents/agent/{agent.pk}/change/": False,
        f"/api/v1/agents/{agent.pk}/": True,
        "/api/v1/agents/": False,
        f"/api/v1/agents/{agent.pk}/events/": True,
        f"/api/v1/rollouts/{rollout.pk}/targets/": True,
        "/api/v1/overview/": False,
        "/api/v1/events/": False,
    }.items():
        answer = client.get(path)
        assert answer.status_code == 200, path
        text = b"".join(answer) if answer.streaming else answer.content
        assert SECRET not in text.decode(), path
        assert ("cannot start" in text.decode()) >= is_told, f"{path} does not tell the error"
    assert not any(
        SECRET in str(data) for data in AgentEvent.objects.values_list("data", flat=True)
    )
    assert not any(SECRET in str(row) for row in Activity.objects.values_list("after", "reason"))
    assert SECRET not in caplog.text
