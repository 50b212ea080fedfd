"""Several real supervisors, and a person with the API."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.harness.api import Api, Collector
from tests.e2e.harness.installation import Installation
from tests.e2e.harness.machine import Machine
from tests.e2e.harness.server import make_api_token
from tests.e2e.harness.waiting import holds_for, tail, wait_until


@dataclass
class Several:
    """A server that runs, and the machines that were started. Everything ends with `endings`."""

    server: Installation
    folder: Path
    endings: ExitStack
    machines: list[Machine] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.api = Api(self.server.base_url, make_api_token(self.server.environment))
        self.endings.callback(self.api.close)

    def token(self, fleet: str) -> tuple[str, str]:
        """A new enrolment token: its id and its secret."""
        made = self.api.post(f"/fleets/{fleet}/tokens/", {"name": "shared", "expires": "never"})
        return made["id"], made["secret"]

    def add(self, port: int, secret: str, version: str, **how: Any) -> Machine:
        """Start a machine, and wait until it runs a version."""
        machine = self.bring(port, secret, version, **how)
        self.until(lambda: self.runs(machine), f"{machine.folder.name} runs something of ours")
        return machine

    def bring(self, port: int, secret: str, version: str, **how: Any) -> Machine:
        """Start a machine, and wait until it is in: a collector's first run opens port 8888, so one after the other."""
        folder = self.folder / f"machine-{len(self.machines) + 1}"
        machine = Machine(folder, port, secret, version=version, **how)
        self.machines.append(machine)
        self.endings.callback(machine.stop)
        self.start_again(machine)
        return machine

    def start_again(self, machine: Machine) -> None:
        """Start its supervisor, and wait until it is in and its collector runs.

        The server may not have noticed yet that it was gone. Who took that for "it is in" would start the next one
        beside it, and one of the two would find port 8888 taken.
        """
        self.until(lambda: not self.is_in(machine), f"{machine.folder.name} is away")
        machine.start()
        self.until(
            lambda: self.is_in(machine) and machine.collector_pids(),
            f"{machine.folder.name} ({machine.version}) is in",
        )

    def is_in(self, machine: Machine) -> bool:
        """Whether it is connected."""
        found = self.of(machine)
        return found is not None and found.is_connected

    def runs(self, machine: Machine) -> bool:
        """Whether it came in and runs a version."""
        found = self.of(machine)
        return found is not None and found.applied is not None

    def of(self, machine: Machine) -> Collector | None:
        """How the server sees it; None while it does not know it."""
        return next((one for one in self.api.collectors() if one.uid == machine.uid), None)

    def seen(self, machine: Machine) -> Collector:
        """The same of one that is known."""
        found = self.of(machine)
        assert found is not None, self.evidence()
        return found

    def events(self, machine: Machine, kind: str) -> list[dict[str, Any]]:
        """What happened to it of one kind, newest first."""
        return [one for one in self.api.events(self.seen(machine).uid) if one["kind"] == kind]

    def until(self, condition: Callable[[], Any], what: str, within_s: float = 90) -> Any:
        """Wait, while supervisors run as their units run them; a failure tells what everybody said."""

        def look() -> Any:
            for machine in self.machines:
                machine.keep_up()
            return condition()

        return wait_until(look, what=what, within_s=within_s, evidence=self.evidence)

    def holds(self, condition: Callable[[], bool], what: str, seconds: float) -> None:
        """It is so, and stays so."""
        holds_for(condition, what=what, seconds=seconds, evidence=self.evidence)

    def evidence(self) -> str:
        """What everybody said."""
        logs = [tail(machine.log) for machine in self.machines]
        return "\n".join([*map(str, self.api.collectors()), *logs, self.server.logs()])
