"""A fleet of real supervisors that versions are rolled out to, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from tests.e2e.harness import texts
from tests.e2e.harness.api import Collector, Version
from tests.e2e.harness.ledger import Attempt
from tests.e2e.harness.machine import Machine
from tests.e2e.harness.server import Server
from tests.e2e.harness.several import Several

ALL: Final = {"stages": [{"percent": 100}], "soak_seconds": 8}
"""Everybody at once; what fails is taken back."""


@dataclass
class Rolling(Several):
    """Machines, a configuration whose version 1 is published, and a fleet that has it.

    is_empty: it has no version yet · arrival: how it takes those that arrive.
    """

    is_empty: bool = False
    arrival: str = "managed"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.configuration = self.api.create_configuration("Story")
        self.first = self.api.publish(self.configuration, texts.text(1))
        version = None if self.is_empty else self.first.id
        body = {"name": "edge", "version": version, "arrival_mode": self.arrival}
        self.fleet = self.api.post("/fleets/", body)["id"]
        _, self.secret = self.token(self.fleet)

    def join(self, version: str, **how: Any) -> Machine:
        """Another machine of the fleet, that runs something of ours."""
        return self.add(self.port, self.secret, version, **how)

    @property
    def port(self) -> int:
        """Where the server listens."""
        assert isinstance(self.server, Server)
        return self.server.port

    def all_run(self, number: int) -> bool:
        """Whether all run this version well."""
        found = self.api.collectors()
        return len(found) == len(self.machines) and all(one.is_settled(number) for one in found)

    def roll_out(self, text: str, plan: Mapping[str, Any] = ALL) -> str:
        """Publish the text and give it to the fleet; answers the rollout's id."""
        return self.start(self.api.publish(self.configuration, text), plan)

    def start(self, version: Version, plan: Mapping[str, Any] = ALL, **how: Any) -> str:
        """Give a version to the fleet, whatever is warned of; answers the rollout's id."""
        body = {"fleet": self.fleet, "version": version.id, "plan": plan, "accept_warnings": True}
        return str(self.api.post("/rollouts/", {**body, **how})["id"])

    def foretold(self, version: Version, **how: Any) -> dict[str, list[str]]:
        """What the check of giving it a version finds of collectors, by code, with the uids that each is about."""
        body = {"fleet": self.fleet, "version": version.id, "dry_run": True, **how}
        found = self.api.post("/rollouts/", body)["findings"]
        return {
            one["code"]: [about["instance_uid"] for about in one["collectors"]]
            for one in found
            if one["collectors"]
        }

    def rollout(self, rollout: str) -> dict[str, Any]:
        """How it is."""
        found: dict[str, Any] = self.api.get(f"/rollouts/{rollout}/")
        return found

    def state(self, rollout: str) -> str:
        """Where it is."""
        return str(self.rollout(rollout)["state"])

    def until_state(self, rollout: str, state: str) -> None:
        """Wait until it is there."""
        self.until(lambda: self.state(rollout) == state, f"the rollout is {state}")

    def act(self, rollout: str, step: str, reason: str) -> None:
        """What a person does to it."""
        self.api.post(f"/rollouts/{rollout}/{step}/", {"reason": reason})

    def target(self, rollout: str, machine: Machine) -> dict[str, Any]:
        """What became of a machine in it."""
        targets = self.api.get(f"/rollouts/{rollout}/targets/")["results"]
        [found] = [one for one in targets if one["instance_uid"] == machine.uid]
        return dict(found)

    def causes(self, rollout: str) -> list[dict[str, Any]]:
        """Why it failed."""
        return list(self.api.get(f"/rollouts/{rollout}/failures/")["causes"])

    def offers(self, machine: Machine, number: int) -> list[Attempt]:
        """The offers of a version that this machine may have got."""
        return [one for one in self.server.ledger.sent(number) if one.agent == UUID(machine.uid)]

    def machine_of(self, collector: Collector) -> Machine:
        """Where it runs."""
        [found] = [one for one in self.machines if one.uid == collector.uid]
        return found

    def evidence(self) -> str:
        """What everybody said, and what was offered."""
        attempts = "\n".join(map(str, self.server.ledger.attempts()))
        return f"{attempts}\n{super().evidence()}"


@contextmanager
def rolling(folder: Path, *versions: str, **fleet: Any) -> Iterator[Rolling]:
    """A server, and a machine of each of these versions, which run version 1 well. fleet: see Rolling."""
    with ExitStack() as endings:
        server = Server(folder)
        endings.callback(server.clean_up)
        server.start()
        made = Rolling(server, folder, endings, **fleet)
        for version in versions:
            made.join(version)
        made.until(lambda: made.all_run(1), "all run version 1")
        yield made
