"""What happens on a host: downloads that are wrong, coming back, a second run, a revoked token, leaving."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final

import pytest

from tests.e2e.binaries import Collector, Supervisor
from tests.e2e.harness.story import PLATFORM, Setup, Story
from tests.e2e.harness.waiting import PATIENCE_S, wait_until
from tests.e2e.mirror import Fault, Mirror, asset_name

NEW: Final = Setup("0.158.0")
PROGRAMS: Final = (Supervisor(NEW.version), Collector(NEW.version))
KEPT: Final = "The token that is here stays in use"


@pytest.fixture
def story(begin: Callable[[Setup], Story]) -> Story:
    """A fleet on version 1 and a host that nothing was installed on."""
    return begin(NEW)


def test_a_download_that_is_not_what_was_published_installs_nothing(
    story: Story, released: Mirror
) -> None:
    command = story.deploy().foreground
    for program, fault in itertools.product(PROGRAMS, Fault):
        asset = asset_name(program, PLATFORM.removeprefix("linux_"))
        with released.fault(asset, fault):
            done = story.host.run_to_end(command)
        assert done.returncode == 1, (fault, done)
        assert asset in done.stderr, fault
        assert list(story.host.home.iterdir()) == [], fault
    assert tokens_of(story) == []


def test_a_host_comes_back_and_leaves(story: Story) -> None:
    deployment = story.deploy()
    story.host.start(deployment.foreground)
    story.wait_for_version(1)
    _catches_up(story, deployment.foreground)
    _loses_its_token(story)
    _gets_another_token(story)
    _is_uninstalled(story, deployment.with_flags("--no-systemd --uninstall"))


def _catches_up(story: Story, command: str) -> None:
    """A version that was assigned while it was away is applied on its return; nothing is claimed."""
    story.host.stop()
    story.wait_for_collector(
        lambda found: found.status == "disconnected", what="disconnected", within_s=PATIENCE_S
    )
    story.publish_and_assign(2)
    story.host.start(command)
    story.wait_for_version(2)
    story.assert_offered_once(2)
    assert KEPT in story.host.output.read_text()
    assert len(tokens_of(story)) == 1


def _loses_its_token(story: Story) -> None:
    """Revoked: its connection is closed at once, and refused with 401 when it comes again."""
    [token] = tokens_of(story)
    story.api.post(f"/tokens/{token}/revoke/", {"reason": "The host is given away."})
    story.wait_for_collector(
        lambda found: not found.is_connected, what="the connection is closed", within_s=PATIENCE_S
    )
    wait_until(
        lambda: "401" in story.host.output.read_text().partition(KEPT)[2],
        what="the supervisor is refused",
        within_s=PATIENCE_S,
        evidence=story.evidence,
    )


def _gets_another_token(story: Story) -> None:
    """A new command, as the page says: it comes back as the collector that it was."""
    before = story.collector()
    story.host.stop()
    story.host.start(story.deploy().foreground)
    after = story.wait_for_version(2)
    assert before is not None
    assert after.uid == before.uid
    assert len(tokens_of(story)) == 2


def _is_uninstalled(story: Story, command: str) -> None:
    """Supervisor and collector end, and nothing of the installation stays."""
    pids = story.host.collect_pids()
    done = story.host.run_to_end(command)
    assert done.returncode == 0, done
    story.host.wait_for_end(pids)
    assert list(story.host.home.iterdir()) == []


def tokens_of(story: Story) -> list[str]:
    """Ids of the host tokens of the fleet."""
    listed = story.api.get(f"/fleets/{story.fleet}/tokens/")["results"]
    return [token["id"] for token in listed if token["kind"] == "host"]
