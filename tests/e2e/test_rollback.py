"""A bad version reaches one of three real collectors and is taken back by itself; a good one goes to all."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.harness import texts
from tests.e2e.harness.api import Collector
from tests.e2e.harness.server import Server
from tests.e2e.harness.several import Several

VERSIONS: Final = ("0.158.0", "0.158.0", "0.149.0")
CANARY: Final = {
    "stages": [{"name": "Canary", "count": 1, "bake_seconds": 5}, {"percent": 100}],
    "soak_seconds": 8,
}


@dataclass
class Trio(Several):
    """Three collectors of a fleet that runs version 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.configuration = self.api.create_configuration("Story")
        first = self.api.publish(self.configuration, texts.text(1))
        self.fleet = self.api.create_fleet("edge", first)

    def collectors(self) -> list[Collector]:
        """All three."""
        return self.api.collectors()

    def all_run(self, number: int) -> bool:
        """Whether all run this version well."""
        found = self.collectors()
        return len(found) == len(VERSIONS) and all(one.is_settled(number) for one in found)

    def roll_out(self, text: str) -> str:
        """The next version, to one first; answers the rollout's id."""
        version = self.api.publish(self.configuration, text)
        body = {
            "fleet": self.fleet,
            "version": version.id,
            "plan": CANARY,
            "accept_warnings": True,
        }
        return str(self.api.post("/rollouts/", body)["id"])

    def state(self, rollout: str) -> str:
        """Where the rollout is."""
        return str(self.api.get(f"/rollouts/{rollout}/")["state"])


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    """Three machines that run version 1 well."""
    with ExitStack() as endings:
        server = Server(tmp_path)
        endings.callback(server.clean_up)
        server.start()
        made = Trio(server, tmp_path, endings)
        _, secret = made.token(made.fleet)
        for version in VERSIONS:
            made.add(server.port, secret, version)
        made.until(lambda: made.all_run(1), "all run version 1")
        yield made


def test_a_version_that_no_collector_takes_touches_one_and_a_good_one_reaches_all(
    trio: Trio,
) -> None:
    rollout = trio.roll_out(texts.text(texts.REFUSED))
    trio.until(lambda: trio.state(rollout) == "rolled_back", "it is taken back")
    [attempt] = trio.server.ledger.attempts(2)
    assert attempt.state == "failed"
    [cause] = trio.api.get(f"/rollouts/{rollout}/failures/")["causes"]
    assert cause["count"] == 1
    words = cause["error"].replace("\\", "")
    assert 'unknown type: "nosuch"' in words or "exited unexpectedly with exit code 1" in words
    trio.until(lambda: trio.all_run(1), "all run version 1 again")

    rollout = trio.roll_out(texts.text(4))
    trio.until(lambda: trio.state(rollout) == "baking", "the canary is well")
    assert sum(one.is_settled(3) for one in trio.collectors()) == 1
    trio.until(lambda: trio.state(rollout) == "succeeded", "it reached all")
    assert trio.all_run(3)


def test_a_version_whose_collector_dies_in_its_soak_is_taken_back(trio: Trio) -> None:
    rollout = trio.roll_out(texts.text(5))
    [canary] = trio.until(
        lambda: [one for one in trio.collectors() if one.applied == 2], "one applied version 2"
    )
    [machine] = [one for one in trio.machines if one.uid == canary.uid]

    def is_taken_back() -> bool:
        if trio.state(rollout) == "running":
            for pid in machine.collector_pids():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return trio.state(rollout) == "rolled_back"

    trio.until(is_taken_back, "it is taken back")
    trio.until(lambda: trio.all_run(1), "all run version 1 again")
    [cause] = trio.api.get(f"/rollouts/{rollout}/failures/")["causes"]
    assert "became unhealthy" in cause["error"]
