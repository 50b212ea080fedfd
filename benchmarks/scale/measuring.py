"""What is measured on one server, one after the other, with the same agents."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from benchmarks.scale.load import Load, plan, until
from benchmarks.scale.product import open_slow_page, seen, start_rollout
from benchmarks.scale.profiles import Profile
from benchmarks.scale.sampler import read_counts
from benchmarks.scale.servers import Subject, Telflo
from opamp.pending import BufferLimits

BEATS_PER_S: Final = 1000.0
WARM_S: Final = BufferLimits().heartbeat_flush_s
"""A heartbeat is written so long after it came. What is measured begins when the first of them are, or storing them
would cost nothing.
"""
SCENARIOS: Final = ("heartbeats", "page", "push", "rollout")
"""Those that can be chosen; connecting comes before all of them."""
_PUMPED: Final = 256
_CALM_S: Final = 1.0
_STORED: Final = "SELECT count(*) FROM agents_agentstatus WHERE effective_config_id IS NOT NULL"
_RELEASED: Final = "SELECT count(*) FROM fleets_stage WHERE state <> 'waiting'"
_SUCCEEDED: Final = "SELECT count(*) FROM fleets_rollout WHERE state = 'succeeded' AND id = '{}'"

Result = TypeVar("Result")


@dataclass(slots=True)
class Run:
    """One server with one load. values: by the name of what was measured. limits: where the simulator was the limit."""

    agents: int
    values: dict[str, float] = field(default_factory=dict)
    limits: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)


@dataclass(slots=True)
class _Spent:
    cpu_s: float = 0.0
    database_s: float = 0.0
    wall_s: float = 0.0


class Measuring:
    """Measures one server. seconds: how long heartbeats are sent for each number, per_s: how many of them."""

    def __init__(
        self, subject: Subject, agents: int, *, seconds: float, per_s: float = BEATS_PER_S
    ) -> None:
        self._subject = subject
        self._seconds = seconds
        self._per_s = per_s
        self._load = Load(plan(subject.url, subject.token, agents))
        self._pool = ThreadPoolExecutor(2)
        self.run = Run(agents)

    async def measure(self, scenarios: tuple[str, ...]) -> Run:
        """Connect, then what was chosen."""
        await self._connect()
        steps = {
            "heartbeats": self._heartbeats,
            "page": self._page,
            "push": self._push,
            "rollout": self._rollout,
        }
        for name in scenarios:
            await asyncio.sleep(_CALM_S)
            await steps[name]()
        await self._load.stop(gracefully=False)
        self._pool.shutdown()
        return self.run

    # ── scenarios ──

    async def _connect(self) -> None:
        before = self._subject.processes.resident_bytes()
        async with self._phase("connect") as spent:
            begun = time.time()
            await self._load.start()
            await self._until(self._all_connected, "all connected")
            if self._subject.telflo is not None:
                stored = await self._on_thread(seen, self._subject.telflo, _STORED, self.run.agents)
                self._put(stored_s=stored - begun)
        grown = self._subject.processes.resident_bytes() - before
        self._put(
            connect_us=1e6 * spent.cpu_s / self.run.agents,
            connect_database_us=1e6 * spent.database_s / self.run.agents,
            memory_kb=grown / self.run.agents / 1000,
        )

    def _all_connected(self) -> bool:
        """Each has an answer to its first message."""
        return self._load.measures.received >= self.run.agents

    async def _heartbeats(self) -> None:
        await self._load.beat(self._per_s, WARM_S)
        async with self._phase("heartbeats") as spent:
            await self._load.beat(self._per_s, self._seconds)
        self._put(
            beat_us=self._per_message(spent.cpu_s),
            beat_database_us=self._per_message(spent.database_s),
            beat_p99_ms=1000 * self._load.measures.heartbeats.percentile(0.99),
        )
        async with self._phase("saturated") as spent:
            await self._load.pump(self._load.members[:_PUMPED], self._seconds / 4)
        self._put(
            saturated_us=self._per_message(spent.cpu_s),
            saturated_per_s=self._load.sent / spent.wall_s,
        )

    async def _page(self) -> None:
        """Heartbeats while a page waits for its query of two seconds."""
        telflo = self._subject.telflo
        if telflo is None:
            return
        async with self._phase("page"):
            page = self._on_thread(open_slow_page, telflo)
            await asyncio.gather(page, self._load.beat(BEATS_PER_S, 2.5))
        self._put(page_p99_ms=1000 * self._load.measures.heartbeats.percentile(0.99))

    async def _push(self) -> None:
        """A configuration of 10 kB to all, who answer only when all have it."""
        self._load.hold_answers()
        begun = await self._release_version(0)
        async with self._phase("push") as spent:
            await self._until(lambda: self._load.arrivals.count >= self.run.agents, "all have it")
        self._put(
            push_s=self._load.arrivals.last - begun, push_us=1e6 * spent.cpu_s / self.run.agents
        )
        self._load.begin()
        self._load.release_answers()
        if self._subject.telflo is not None:
            self._rollout_id = await self._start
            await self._finish(self._subject.telflo)

    async def _release_version(self, index: int) -> float:
        """Let the first one go; answers when (Unix time): for ours when the transaction was committed.

        That is looked for while Start is not answered yet.
        """
        telflo, reference = self._subject.telflo, self._subject.reference
        if telflo is not None:
            committed = self._on_thread(seen, telflo, _RELEASED, 1)
            self._start = asyncio.ensure_future(self._on_thread(start_rollout, telflo, index))
            return await committed
        assert reference is not None
        begun = time.time()
        reference.push()
        return begun

    async def _rollout(self) -> None:
        """From Start to the last APPLIED, with agents that apply at once."""
        telflo = self._subject.telflo
        if telflo is None:
            return
        async with self._phase("rollout") as spent:
            begun = time.time()
            self._rollout_id = await self._on_thread(start_rollout, telflo, 1)
            succeeded = await self._finish(telflo)
        applied = max(offer.last_applied for offer in self._load.measures.offers.values())
        self._put(
            applied_s=applied - begun,
            succeeded_s=succeeded - begun,
            rollout_us=1e6 * spent.cpu_s / self.run.agents,
            rollout_database_us=1e6 * spent.database_s / self.run.agents,
        )

    async def _finish(self, telflo: Telflo) -> float:
        return await self._on_thread(seen, telflo, _SUCCEEDED.format(self._key(telflo)), 1)

    def _key(self, telflo: Telflo) -> str:
        """SQLite keeps ids without hyphens."""
        return self._rollout_id if telflo.installation.url else self._rollout_id.replace("-", "")

    # ── measuring ──

    @asynccontextmanager
    async def _phase(self, name: str) -> AsyncIterator[_Spent]:
        """What the server uses meanwhile, and whether the simulator was the limit."""
        self._load.begin()
        counts, spent = self._counts(), _Spent()
        database, used, begun = self._subject.database_cpu_s(), self._cpu_s(), time.monotonic()
        yield spent
        spent.wall_s = time.monotonic() - begun
        spent.cpu_s = self._cpu_s() - used
        spent.database_s = self._subject.database_cpu_s() - database
        if reason := self._load.measures.limit():
            self.run.limits[name] = reason
        if self._load.measures.errors:
            self.run.limits[f"{name}, errors"] = str(dict(self._load.measures.errors))
        if counts is not None:
            after = self._counts() or {}
            grown = {key: after[key] - counts.get(key, 0.0) for key in after}
            self.run.profiles[name] = Profile(
                grown, spent.wall_s, spent.cpu_s, spent.database_s, self._load.measures.busiest
            )

    def _cpu_s(self) -> float:
        return self._subject.processes.cpu_s()

    def _counts(self) -> Mapping[str, float] | None:
        file = self._subject.profile
        if file is None:
            return None
        time.sleep(0.7)  # until the sampler has written what was before
        return read_counts(file)

    def _per_message(self, seconds: float) -> float:
        return 1e6 * seconds / max(1, self._load.sent)

    def _put(self, **values: float) -> None:
        self.run.values.update(values)

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        await until(holds, f"{self._subject.kind}, {what}")

    async def _on_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(work, *arguments))
