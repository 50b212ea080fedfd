"""What a story needs of a running Telflo, however that was started."""

from __future__ import annotations

from typing import Protocol

from tests.e2e.harness.ledger import Ledger


class Installation(Protocol):
    """A Telflo that runs, with what explains it when something fails."""

    @property
    def port(self) -> int:
        """The web's, on loopback."""

    @property
    def base_url(self) -> str:
        """How browsers, hosts and agents reach it."""

    @property
    def environment(self) -> dict[str, str]:
        """For management commands beside it."""

    @property
    def ledger(self) -> Ledger:
        """The attempts in its database."""

    def start(self) -> None:
        """Start it and wait until it is ready."""

    def stop(self) -> int:
        """End it as an operator would; answers the highest exit code of its processes."""

    def kill(self) -> None:
        """End what serves with no chance to do anything, as a crash would."""

    def is_running(self) -> bool:
        """Whether what serves still runs."""

    def logs(self) -> str:
        """The ends of its logs."""
