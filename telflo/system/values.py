"""PURE. What is known of the installation at one moment, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from telflo.base.measures import Numbers, total


@dataclass(frozen=True, slots=True)
class Process:
    """A part that runs, or ran until it was killed.

    silent_s: seconds since it last wrote; clock_s: by how much its clock is ahead of the database's.
    """

    kind: str
    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime
    silent_s: float
    clock_s: float
    numbers: Numbers

    @property
    def name(self) -> str:
        """Host and process id."""
        return f"{self.host}:{self.pid}"

    def level(self, name: str) -> float:
        """The sum of one metric's samples."""
        return total(self.numbers, f"telflo_{name}")

    def has(self, name: str) -> bool:
        """Whether it tells this at all."""
        return bool(self.numbers.get(f"telflo_{name}"))


@dataclass(frozen=True, slots=True)
class Database:
    """answer_s is None when it cannot be reached."""

    name: str
    answer_s: float | None
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Broker:
    """Redis, or the broker in memory. answer_s is None when it cannot be reached; waiting: tasks nobody took yet."""

    name: str
    answer_s: float | None
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Disk:
    """Where TELFLO_DATA is."""

    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Notices:
    """Notifications that do not arrive, by name: those that are tried again, and those that paused themselves."""

    failing: Sequence[str] = ()
    paused: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class State:
    """All of it at one moment."""

    processes: Sequence[Process]
    database: Database
    broker: Broker
    disk: Disk
    notices: Notices = Notices()
    offers_gateway: bool = True
    """Whether the address in offers may lead to a gateway: not where it is the web server's own, without a proxy."""
