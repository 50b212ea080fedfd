"""One story: a server, a fleet with its configuration, and a host, with the steps that people take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tests.e2e.binaries import architecture
from tests.e2e.harness import texts
from tests.e2e.harness.api import Api, Collector, Deployment, Version
from tests.e2e.harness.hints import BEFORE_THE_NEXT_LOOK, a_hint_is_heard
from tests.e2e.harness.host import Host
from tests.e2e.harness.installation import Installation
from tests.e2e.harness.ledger import Attempt, Ledger
from tests.e2e.harness.server import make_api_token
from tests.e2e.harness.waiting import PATIENCE_S, holds_for, wait_until

PLATFORM: Final = f"linux_{architecture()}"
APPLY_S: Final = 5
"""How long the supervisor waits before it says APPLIED: the least that quick deploy allows."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What is installed, and how it speaks."""

    version: str
    transport: str = "ws"
    automatic_rollback: bool = False

    @property
    def options(self) -> Mapping[str, Any]:
        """The deployment's options."""
        return {
            "transport": self.transport,
            "automatic_rollback": self.automatic_rollback,
            "apply_timeout_s": APPLY_S,
        }

    @property
    def poll_s(self) -> int:
        """How long an offer may wait for the agent to speak."""
        return 35 if self.transport == "http" else 0

    @property
    def notice_s(self) -> int:
        """How long the server may take to notice that the agent is gone.

        On plain HTTP a supervisor that stops cancels its own last request: three silent intervals tell.
        """
        return 3 * 30 + PATIENCE_S if self.transport == "http" else PATIENCE_S


@dataclass
class Story:
    """A running server with one fleet on version 1, and a host that nothing was installed on."""

    setup: Setup
    server: Installation
    api: Api
    host: Host
    configuration: str
    fleet: str
    versions: dict[int, Version] = field(default_factory=dict)

    @classmethod
    def begin(cls, setup: Setup, server: Installation, folder: Path) -> Story:
        """Start the server; configuration, version 1 and fleet by the API."""
        server.start()
        api = Api(server.base_url, make_api_token(server.environment))
        configuration = api.create_configuration("Story")
        first = api.publish(configuration, texts.text(1))
        fleet = api.create_fleet("Story fleet", first)
        return cls(setup, server, api, Host.make(folder), configuration, fleet, {1: first})

    def end(self) -> None:
        """Leave nothing running."""
        self.host.clean_up()
        self.api.close()
        if self.server.is_running():
            self.server.stop()

    @property
    def ledger(self) -> Ledger:
        """The attempts."""
        return self.server.ledger

    def deploy(self) -> Deployment:
        """A new quick-deploy command."""
        return self.api.deploy(self.fleet, PLATFORM, self.setup.version, **self.setup.options)

    def publish_and_assign(self, number: int) -> datetime:
        """The next version, published and given to the fleet; answers when that began, by the server's clock."""
        version = self.api.publish(self.configuration, texts.text(number))
        assert version.number == number
        self.versions[number] = version
        return self.api.assign(self.fleet, version)

    def publish_and_push(self, number: int) -> None:
        """The same, and it is offered at once: a hint tells who holds the connection, before it looks by itself."""
        with a_hint_is_heard(self.server.base_url, self.evidence):
            asked_at = self.publish_and_assign(number)
            offer = self.wait_for_offer(number)
        assert offer.offered_at - asked_at < BEFORE_THE_NEXT_LOOK

    def collector(self) -> Collector | None:
        """The only agent, once it is there."""
        found = self.api.collectors()
        assert len(found) <= 1, found
        return found[0] if found else None

    def wait_for_collector(
        self, is_so: Callable[[Collector], bool], *, what: str, within_s: float
    ) -> Collector:
        """Wait until the agent is there and like that."""

        def condition() -> Collector | None:
            found = self.collector()
            return found if found is not None and is_so(found) else None

        return wait_until(condition, what=what, within_s=within_s, evidence=self.evidence)

    def wait_for_version(self, number: int) -> Collector:
        """Wait until the agent runs the version well, and its effective configuration holds it."""
        found = self.wait_for_collector(
            lambda collector: collector.is_settled(number),
            what=f"in sync and healthy on version {number}",
            within_s=self.setup.poll_s + APPLY_S + PATIENCE_S,
        )
        wait_until(
            lambda: texts.marker(number) in self.api.effective_text(found.uid),
            what=f"the effective configuration holds version {number}",
            within_s=PATIENCE_S,
            evidence=self.evidence,
        )
        return found

    def wait_for_offer(self, number: int) -> Attempt:
        """Wait until the version was offered; answers the attempt."""
        attempts = wait_until(
            lambda: self.ledger.attempts(number),
            what=f"version {number} is offered",
            within_s=self.setup.poll_s + PATIENCE_S,
            evidence=self.evidence,
        )
        return attempts[0]

    def assert_offered_once(self, number: int) -> None:
        """Each version may reach the agent once only."""
        sent = self.ledger.sent(number)
        assert len(sent) == 1, f"version {number} was offered {len(sent)} times: {sent}"

    def assert_not_offered_again(self, number: int, *, seconds: float) -> None:
        """It was offered once, and stays so while the server reconciles and the agent speaks."""
        holds_for(
            lambda: len(self.ledger.attempts(number)) == 1,
            what=f"version {number} is offered once",
            seconds=seconds,
            evidence=self.evidence,
        )

    def evidence(self) -> str:
        """Everything that explains a failure."""
        attempts = "\n".join(map(str, self.ledger.attempts()))
        found = self.collector() if self.server.is_running() else "the server is down"
        return f"{found}\n{attempts}\n{self.server.logs()}\n{self.host.logs()}"
