"""The story of a fleet that follows its versions, told with real supervisors and collectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from tests.e2e.harness import texts
from tests.e2e.harness.api import Collector
from tests.e2e.harness.pages import Pages
from tests.e2e.harness.story import APPLY_S, Setup, Story
from tests.e2e.harness.waiting import PATIENCE_S

Begin = Callable[[Setup], Story]

SETUPS: Final = (
    Setup("0.158.0", transport="http", automatic_rollback=True),
    Setup("0.149.0", transport="http"),
    Setup("0.149.0"),
    Setup("0.158.0"),
    Setup("0.158.0", automatic_rollback=True),
)
RECONCILE_S: Final = 6
"""The longest time between two looks of the server at what should be offered."""


def _name(setup: Setup) -> str:
    rollback = "-rollback" if setup.automatic_rollback else ""
    return f"{setup.version}-{setup.transport}{rollback}"


@pytest.mark.parametrize("setup", SETUPS, ids=_name)
def test_a_fleet_follows_its_versions(setup: Setup, begin: Begin) -> None:
    story = begin(setup)
    story.host.start(story.deploy().foreground)
    _arrives(story)
    _follows(story, 2)
    _is_refused(story)
    _follows(story, 4)
    _survives_a_crash(story)
    _says_goodbye(story)


def _arrives(story: Story) -> None:
    found = story.wait_for_version(1)
    assert (found.fleet, found.transport) == ("story-fleet", story.setup.transport)
    assert found.version == story.setup.version
    story.assert_offered_once(1)


def _follows(story: Story, number: int) -> None:
    if story.setup.transport == "ws":
        story.publish_and_push(number)
    else:
        story.publish_and_assign(number)
    story.wait_for_version(number)
    story.assert_offered_once(number)


def _is_refused(story: Story) -> None:
    status = "rolled_back" if story.setup.automatic_rollback else "failed"
    story.publish_and_assign(texts.REFUSED)
    found = story.wait_for_collector(
        lambda collector: (collector.status, collector.desired) == (status, texts.REFUSED),
        what=f"version {texts.REFUSED} is {status}",
        within_s=story.setup.poll_s + APPLY_S + PATIENCE_S,
    )
    _tells_why(story, found)
    pause_s = story.setup.poll_s or 2 * RECONCILE_S
    story.assert_not_offered_again(texts.REFUSED, seconds=pause_s)
    if story.setup.automatic_rollback:
        assert texts.marker(2) in story.api.effective_text(found.uid)


def _tells_why(story: Story, found: Collector) -> None:
    """The collector's own words where its supervisor passes them on."""
    [attempt] = story.ledger.attempts(texts.REFUSED)
    assert attempt.state == "failed"
    if story.setup.version == "0.149.0":
        assert "exited unexpectedly with exit code 1" in attempt.error
    else:
        assert 'unknown type: "nosuch"' in attempt.error.replace("\\", "")
    if not story.setup.automatic_rollback:
        assert found.remote_error == attempt.error
    with Pages(story.server.base_url) as pages:
        page = pages.read(f"/collectors/{found.uid}/")
    assert attempt.error in page
    assert ("cannot report why" in page) == (story.setup.version == "0.149.0")


def _survives_a_crash(story: Story) -> None:
    """The server is killed with an offer on its way: it is neither lost nor sent twice."""
    before = story.ledger.attempts()
    story.publish_and_assign(5)
    story.wait_for_offer(5)
    story.server.kill()
    story.server.start()
    story.wait_for_version(5)
    for number in story.versions:
        story.assert_offered_once(number)
    assert story.ledger.attempts()[: len(before)] == before


def _says_goodbye(story: Story) -> None:
    story.host.stop()
    story.wait_for_collector(
        lambda collector: collector.status == "disconnected",
        what="disconnected",
        within_s=story.setup.notice_s,
    )
    assert story.server.stop() == 0
