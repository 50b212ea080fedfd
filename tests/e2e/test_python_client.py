"""A client that is neither ours nor the supervisor: registers, gets its configuration, reports."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import python_client
from tests.e2e.harness import texts
from tests.e2e.harness.story import Setup, Story
from tests.e2e.harness.waiting import PATIENCE_S, tail, wait_until


@pytest.fixture
def story(begin: Callable[[Setup], Story]) -> Story:
    """A fleet on version 1. The host stays empty."""
    return begin(Setup("0.158.0"))


@pytest.fixture
def output(ground: Path) -> Path:
    """What the client tells."""
    return ground / "client.log"


@pytest.fixture
def client(story: Story, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The client, running with an enrolment token of the fleet."""
    endpoint = f"{story.server.base_url}/v1/opamp"
    token = story.api.post(f"/fleets/{story.fleet}/tokens/", {"name": "Python", "expires": "180d"})[
        "secret"
    ]
    program = [python_client.ensure(), python_client.PROGRAM, endpoint, token]
    with output.open("wb") as log:
        running = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=log, stderr=log)
    yield running
    if running.poll() is None:
        running.kill()
    running.communicate()


def events(output: Path) -> list[dict[str, Any]]:
    lines = output.read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_the_python_client_registers_applies_and_reports(
    story: Story, output: Path, client: subprocess.Popen[bytes]
) -> None:
    _runs(story, output, 1)
    story.publish_and_assign(2)
    _runs(story, output, 2)
    client.communicate(timeout=PATIENCE_S)
    story.wait_for_collector(
        lambda found: found.status == "disconnected", what="disconnected", within_s=PATIENCE_S
    )
    assert [event["event"] for event in events(output)] == [
        "started",
        "config",
        "config",
        "stopped",
    ]


def _runs(story: Story, output: Path, number: int) -> None:
    found = story.wait_for_collector(
        lambda found: (found.status, found.applied) == ("in_sync", number),
        what=f"in sync on version {number}",
        within_s=PATIENCE_S,
    )
    assert (found.name, found.transport, found.is_healthy) == ("python-host", "http", None)
    wait_until(
        lambda: texts.marker(number) in story.api.effective_text(found.uid),
        what="its effective configuration is the version",
        within_s=PATIENCE_S,
        evidence=lambda: tail(output),
    )
    story.assert_offered_once(number)
