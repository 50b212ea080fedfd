"""A bad version reaches one of three real collectors and is taken back by itself; a good one goes to all."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.harness import texts
from tests.e2e.harness.api import Api, Collector
from tests.e2e.harness.machine import Machine
from tests.e2e.harness.server import Server, make_api_token
from tests.e2e.harness.waiting import tail, wait_until

VERSIONS: Final = ("0.158.0", "0.158.0", "0.149.0")
CANARY: Final = {
    "stages": [{"name": "Canary", "count": 1, "bake_seconds": 5}, {"percent": 100}],
    "soak_seconds": 8,
}


@dataclass
class Trio:
    """Three collectors of a fleet, and a person with the API."""

    server: Server
    api: Api
    machines: list[Machine]
    configuration: str
    fleet: str

    def until(self, condition: Callable[[], Any], what: str, within_s: float = 90) -> Any:
        """Wait; a failure tells what everybody said."""
        return wait_until(condition, what=what, within_s=within_s, evidence=self._evidence)

    def collectors(self) -> list[Collector]:
        """All three."""
        return self.api.collectors()

    def are(self, number: int) -> bool:
        """Whether so many came in and run something of ours."""
        return sum(one.applied is not None for one in self.collectors()) == number

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

    def _evidence(self) -> str:
        logs = [tail(machine.folder / "log") for machine in self.machines]
        return "\n".join([*map(str, self.collectors()), *logs, self.server.logs()])


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    """Three machines that run version 1 well."""
    with ExitStack() as endings:
        server = Server(tmp_path)
        endings.callback(server.clean_up)
        server.start()
        api = Api(server.base_url, make_api_token(server.environment))
        endings.callback(api.close)
        configuration = api.create_configuration("Story")
        fleet = api.create_fleet("edge", api.publish(configuration, texts.text(1)))
        body = {"name": "first", "expires": "never"}
        secret = api.post(f"/fleets/{fleet}/tokens/", body)["secret"]
        machines = [
            Machine(tmp_path / f"machine-{n}", server, secret, version=version)
            for n, version in enumerate(VERSIONS)
        ]
        made = Trio(server, api, machines, configuration, fleet)
        for number, machine in enumerate(machines, start=1):
            endings.callback(machine.stop)
            machine.process.start()
            # One after the other: a collector's first run opens port 8888.
            made.until(partial(made.are, number), f"{number} came")
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
    [machine] = [one for one in trio.machines if canary.uid in one.identity]

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
