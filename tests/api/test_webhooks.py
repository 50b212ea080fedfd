"""/webhooks/: what the wish of one may be, and where it is not."""

from typing import Any

import pytest

from notices.kinds import ROLLOUT_KINDS
from tests.api.caller import caller

pytestmark = pytest.mark.django_db

WEBHOOK: dict[str, Any] = {"name": "ops", "url": "https://hooks.example.com/in"}


def test_an_event_that_is_none_is_answered_with_those_that_are() -> None:
    body = {**WEBHOOK, "events": ["rollout.paused", "rollout.exploded"]}
    [error] = caller()("POST", "webhooks/", body).problem(400)["errors"]
    assert error["pointer"] == "/events/1"
    assert "“rollout.exploded” is not known" in error["message"]
    assert f"Known are: {', '.join(ROLLOUT_KINDS)}." in error["message"]


def test_one_that_would_never_tell_anything_is_refused_at_its_events() -> None:
    [error] = caller()("POST", "webhooks/", WEBHOOK).problem(422)["errors"]
    assert (error["pointer"], error["message"]) == (
        "/events",
        "Choose at least one event, or give a limit.",
    )
