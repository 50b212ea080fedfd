"""A bad version reaches one of three real collectors and is taken back by itself; a good one goes to all."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.harness import texts
from tests.e2e.harness.pages import Pages
from tests.e2e.harness.rolling import Rolling, rolling

BAKE: Final = timedelta(seconds=5)
CANARY: Final = {
    "stages": [{"name": "Canary", "count": 1, "bake_seconds": BAKE.seconds}, {"percent": 100}],
    "soak_seconds": 8,
}
TALKATIVE_FIRST: Final = {
    "stages": [{"name": "Canary", "selector": "service.version=0.158.0"}, {"percent": 100}],
    "soak_seconds": 8,
}
"""The one whose supervisor passes on what its collector says: that of 0.149.0 only tells that it ended."""
WATCHED: Final = {
    "stages": [{"count": 1, "bake_seconds": 4}, {"percent": 100, "bake_seconds": 600}],
    "soak_seconds": 2,
}

WATCHED_AT_ONCE: Final = {"stages": [{"percent": 100, "bake_seconds": 600}], "soak_seconds": 2}


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Rolling]:
    """Three machines that run version 1 well."""
    with rolling(tmp_path, "0.158.0", "0.149.0", "0.149.0") as made:
        yield made


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Rolling]:
    """The same with two."""
    with rolling(tmp_path, "0.158.0", "0.149.0") as made:
        yield made


def test_a_version_that_no_collector_takes_touches_one_and_a_good_one_reaches_all(
    trio: Rolling,
) -> None:
    rollout = trio.roll_out(texts.text(texts.REFUSED), TALKATIVE_FIRST)
    trio.until_state(rollout, "rolled_back")
    [attempt] = trio.server.ledger.attempts(2)
    assert attempt.state == "failed"
    [cause] = trio.causes(rollout)
    assert cause["count"] == 1
    assert 'unknown type: "nosuch"' in cause["error"].replace("\\", "")
    trio.until(lambda: trio.all_run(1), "all run version 1 again")

    rollout = trio.roll_out(texts.text(4), CANARY)
    trio.until_state(rollout, "succeeded")
    assert trio.all_run(3)
    canary, *others = trio.server.ledger.sent(3)
    assert canary.answered_at is not None
    assert [one.offered_at - canary.answered_at > BAKE for one in others] == [True, True]


def test_a_version_whose_collector_dies_in_its_soak_is_taken_back_and_tried_there_when_forced(
    trio: Rolling,
) -> None:
    version = trio.api.publish(trio.configuration, texts.text(5))
    rollout = trio.start(version, CANARY)
    [canary] = trio.until(
        lambda: [one for one in trio.api.collectors() if one.applied == 2], "one applied version 2"
    )
    machine = trio.machine_of(canary)

    def is_taken_back() -> bool:
        if trio.state(rollout) == "running":
            for pid in machine.collector_pids():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return trio.state(rollout) == "rolled_back"

    trio.until(is_taken_back, "it is taken back")
    trio.until(lambda: trio.all_run(1), "all run version 1 again")
    [cause] = trio.causes(rollout)
    assert "became unhealthy" in cause["error"]

    assert trio.foretold(version) == {"quarantined": [machine.uid]}
    skipping = trio.start(version, WATCHED_AT_ONCE)
    trio.until_state(skipping, "baking")
    assert "failed here before" in trio.target(skipping, machine)["reason"]
    assert {one.uid for one in trio.api.collectors() if not one.is_settled(2)} == {machine.uid}
    assert len(trio.offers(machine, 2)) == 1
    trio.act(skipping, "cancel", "it was our own doing")

    assert trio.foretold(version, force=True) == {"tried_again": [machine.uid]}
    trio.until_state(trio.start(version, force=True), "succeeded")
    assert trio.all_run(2)
    assert [len(trio.offers(one, 2)) for one in trio.machines] == [
        2 if one is machine else 1 for one in trio.machines
    ]


def test_a_person_pauses_resumes_and_takes_back_and_each_says_why(pair: Rolling) -> None:
    rollout = pair.roll_out(texts.text(2), WATCHED)
    pair.until(lambda: pair.server.ledger.sent(2), "the first one goes")
    pair.act(rollout, "pause", "the gateway is slow")
    pair.until(lambda: sum(one.is_settled(2) for one in pair.api.collectors()) == 1, "it goes on")
    pair.holds(
        lambda: pair.state(rollout) == "paused" and len(pair.server.ledger.attempts(2)) == 1,
        "nobody else goes, though the first is well and its bake is over",
        seconds=12,
    )
    pair.act(rollout, "resume", "it was the switch")
    pair.until(lambda: pair.all_run(2), "the other one goes")
    pair.until_state(rollout, "baking")
    pair.act(rollout, "rollback", "too many spans are gone")
    pair.until_state(rollout, "rolled_back")
    pair.until(lambda: pair.all_run(1), "both run version 1 again")
    for machine in pair.machines:
        assert pair.target(rollout, machine)["state"] == "reverted"
        assert [len(pair.offers(machine, number)) for number in (1, 2)] == [2, 1]
    _says_why(pair, rollout, "the gateway is slow", "it was the switch", "too many spans are gone")


def _says_why(pair: Rolling, rollout: str, *reasons: str) -> None:
    """In the order in which they were given: programs read them, and people."""
    events = pair.api.get(f"/events/?object_id={rollout}")["results"]
    assert [one["reason"] for one in reversed(events)] == list(reasons)
    number = pair.rollout(rollout)["number"]
    with Pages(pair.server.base_url) as pages:
        page = pages.read("/activity/")
        assert f"took it back: {reasons[-1]}." in pages.read(f"/rollouts/{number}/")
    assert all(reason in page for reason in reasons)
