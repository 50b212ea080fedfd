"""The write buffer: what agents said waits here, merged per agent, until it is written in one statement.

Latest state is merged, facts keep their order (decision 4). No Django here: writing is a callable that runs on one
dedicated thread, so patches of one agent are never written out of order.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from agents.snapshot import AgentPatch
from opamp.errors import StoreUnavailable
from opamp.weight import weight

logger = logging.getLogger(__name__)

Sink = Callable[[Sequence[AgentPatch]], None]
Key = tuple[int, int]
"""(instance uid, epoch): patches of two sessions are never merged, or the fence (I3) would not hold.

The uid as a number: Python hashes a UUID several times slower, and every message comes by here.
"""

Weighed = tuple[AgentPatch, int]
"""A patch and what it takes in memory."""

_KEY_BYTES: Final = 512
"""What a session takes here that has anything waiting."""
_BEAT_BYTES: Final = 128
_ALONG: Final = 0.2
"""Of heartbeat_flush_s: by so much earlier than it is due a heartbeat is written with another one that is."""
_BACKOFF_S: Final = (0.5, 2.0)
"""Between tries while writing fails. So long at most what agents say waits once the database is back."""


@dataclass(frozen=True, slots=True)
class BufferLimits:
    """When to write, and how much may wait (seconds, rows, bytes)."""

    flush_s: float = 0.25
    flush_rows: int = 500
    heartbeat_flush_s: float = 15.0
    rows: int = 50_000
    bytes: int = 256 * 1024 * 1024


class Beating(Protocol):
    """A session whose heartbeats are read when they fall due, so that all but the first of them cost nothing here.

    beat_waits: they will be read; only the buffer sets it.
    """

    instance_uid: UUID
    epoch: int
    beat_waits: bool

    def heartbeat(self) -> AgentPatch:
        """What the last message but for its content says: when, and which number."""


@dataclass(slots=True)
class _Beat:
    source: Beating
    due_s: float

    def read(self) -> AgentPatch:
        self.source.beat_waits = False
        return self.source.heartbeat()


class Pending:
    """What waits, as a plain value: one merged patch per session, changes apart from mere heartbeats."""

    def __init__(self, limits: BufferLimits) -> None:
        self._limits = limits
        self._changes: dict[Key, AgentPatch] = {}
        self._beats: dict[Key, _Beat] = {}
        self._sizes: dict[Key, int] = {}
        self._epochs: dict[int, set[Key]] = {}
        self.bytes = 0
        """What waits, estimated."""
        self.taken_bytes = 0
        """What was taken out since the last put_back()."""

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def changes(self) -> int:
        """How many sessions have something other than a heartbeat waiting."""
        return len(self._changes)

    def add(self, patch: AgentPatch) -> None:
        """Take a change. Heartbeats of the session that wait are older and say nothing more."""
        key = (patch.instance_uid.int, patch.epoch)
        self._read_beat(key)
        earlier = self._changes.get(key)
        self._changes[key] = earlier.merge(patch) if earlier else patch
        # What the patch replaces counts on until it is put back: to weigh all of it each time would cost more.
        self._weigh(key, weight(patch) + self._known(key))

    def beat(self, source: Beating, *, now_s: float) -> None:
        """Take a heartbeat of a session of which none waits; it falls due after heartbeat_flush_s."""
        key = (source.instance_uid.int, source.epoch)
        if earlier := self._changes.get(key):
            self._changes[key] = earlier.merge(source.heartbeat())
            return
        source.beat_waits = True
        self._beats[key] = _Beat(source, now_s + self._limits.heartbeat_flush_s)
        self._weigh(key, _BEAT_BYTES)

    def holds(self, uid: UUID) -> bool:
        """Whether anything of this agent waits."""
        return uid.int in self._epochs

    def next_heartbeat_s(self) -> float | None:
        """When the oldest heartbeat falls due; insertion order is due order."""
        return next((beat.due_s for beat in self._beats.values()), None)

    def take_due(self, *, now_s: float) -> list[AgentPatch]:
        """Remove and answer up to flush_rows patches: all kinds of changes first, then heartbeats that are due."""
        keys = list(self._due(now_s))
        return [self._remove(key) for key in keys]

    def take_agents(self, uids: Collection[UUID]) -> list[AgentPatch]:
        """Remove and answer all patches of these agents, older sessions first."""
        return self._take([uid.int for uid in uids])

    def take_all(self) -> list[AgentPatch]:
        """Remove and answer everything."""
        return self._take(list(self._epochs))

    def put_back(self, left: Sequence[Weighed]) -> None:
        """Return what could not be written of what was taken, in front of what came meanwhile."""
        self.taken_bytes = 0
        later = self._changes
        self._changes = {}
        for patch, size in left:
            key = (patch.instance_uid.int, patch.epoch)
            newer = later.pop(key, None) or self._read_beat(key)
            self._changes[key] = patch.merge(newer) if newer else patch
            self._weigh(key, size + self._known(key))
        self._changes.update(later)

    def _take(self, agents: Iterable[int]) -> list[AgentPatch]:
        keys = [key for agent in agents for key in sorted(self._epochs.get(agent, ()))]
        return [self._remove(key) for key in keys]

    def _due(self, now_s: float) -> Iterator[Key]:
        left = self._limits.flush_rows
        for key in self._changes:
            if left == 0:
                return
            left -= 1
            yield key
        oldest_s = self.next_heartbeat_s()
        if oldest_s is None or oldest_s > now_s:
            return
        # Those that are nearly due go along: each alone would be a write for every message.
        until_s = now_s + self._limits.heartbeat_flush_s * _ALONG
        for key, beat in self._beats.items():
            if left == 0 or beat.due_s > until_s:
                return
            left -= 1
            yield key

    def _remove(self, key: Key) -> AgentPatch:
        size = self._sizes.pop(key)
        self.bytes -= size
        self.taken_bytes += size
        self._epochs[key[0]].discard(key)
        if not self._epochs[key[0]]:
            del self._epochs[key[0]]
        return self._changes.pop(key) if key in self._changes else self._beats.pop(key).read()

    def _read_beat(self, key: Key) -> AgentPatch | None:
        beat = self._beats.pop(key, None)
        return beat.read() if beat else None

    def _known(self, key: Key) -> int:
        return self._sizes.get(key, _KEY_BYTES) - _KEY_BYTES

    def _weigh(self, key: Key, size: int) -> None:
        size, known = size + _KEY_BYTES, self._sizes.get(key)
        self._sizes[key] = size
        self.bytes += size - (known or 0)
        if known is None:
            self._epochs.setdefault(key[0], set()).add(key)


def _always(_error: Exception) -> bool:
    return True


def _log_rejected(patch: AgentPatch, error: Exception) -> None:
    logger.error("A report of %s could not be stored.", patch.instance_uid, exc_info=error)


class WriteBuffer:
    """Collects patches on the event loop and writes them on its own thread.

    sink: writes a batch, or raises and has written nothing. is_temporary: whether the batch may succeed later; for any
    other error the batch is halved until the one patch that cannot be stored is found, which goes to on_rejected
    instead of standing in everybody's way.
    """

    def __init__(
        self,
        sink: Sink,
        limits: BufferLimits | None = None,
        *,
        is_temporary: Callable[[Exception], bool] = _always,
        on_rejected: Callable[[AgentPatch, Exception], None] = _log_rejected,
    ) -> None:
        self._sink = sink
        self._limits = limits or BufferLimits()
        self._is_temporary = is_temporary
        self._on_rejected = on_rejected
        self._pending = Pending(self._limits)
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._finished = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="opamp-writer")
        self._task: asyncio.Task[None] | None = None
        self._in_hand = 0
        self._due_since_s = 0.0
        """time.monotonic() since when something has been due and is not written; 0 while nothing is."""
        self.failures = 0
        """Failed writes in a row; 0 while all is well."""

    @property
    def rows(self) -> int:
        """How many sessions wait, those being written included."""
        return len(self._pending) + self._in_hand

    @property
    def bytes(self) -> int:
        """How much memory all that takes, estimated."""
        return self._pending.bytes + self._pending.taken_bytes

    def levels(self) -> dict[str, float]:
        """What waits: rows, bytes (estimated), how full (0 to 1) and how late it is (0 is well), failed writes."""
        rows, size = self.rows, self.bytes
        lag_s = time.monotonic() - self._due_since_s if self._due_since_s else 0.0
        return {
            "buffer_rows": rows,
            "buffer_bytes": size,
            "buffer_full_ratio": min(1.0, max(rows / self._limits.rows, size / self._limits.bytes)),
            "buffer_lag_seconds": lag_s,
            "write_failures": self.failures,
        }

    @property
    def is_full(self) -> bool:
        """Whether new reports must be refused with UNAVAILABLE."""
        return self.rows >= self._limits.rows or self.bytes >= self._limits.bytes

    def start(self) -> None:
        """Begin writing on the running loop."""
        self._task = self._task or asyncio.create_task(self._run(), name="opamp-write-buffer")

    def submit(self, patch: AgentPatch, *, force: bool = False) -> bool:
        """Take a patch. False when the buffer is full and `force` (the end of a session) is not set."""
        if not force and self.is_full:
            return False
        self._pending.add(patch)
        self._wake.set()
        return True

    def beat(self, source: Beating) -> None:
        """Take a heartbeat."""
        if not source.beat_waits:
            self._pending.beat(source, now_s=_now_s())
            self._wake.set()

    async def keep_up(self) -> None:
        """Let others run, and wait while much is to be written: a fleet's reports weigh more here than as messages."""
        await asyncio.sleep(0)
        while self._pending.changes >= self._limits.flush_rows // 2 and not self.failures:
            self._finished.clear()
            await self._finished.wait()

    def holds(self, uid: UUID) -> bool:
        """Whether something of this agent waits or is being written."""
        return self._in_hand > 0 or self._pending.holds(uid)

    async def flush_agents(self, uids: Collection[UUID]) -> None:
        """Return once everything that these agents said is stored. Raises StoreUnavailable."""
        async with self._writing:
            await self._write(self._pending.take_agents(uids))

    async def stop(self) -> None:
        """Write what is left and end the thread. Raises StoreUnavailable when it cannot be written."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            async with self._writing:
                await self._write(self._pending.take_all())
        finally:
            self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        while True:
            await self._until_due()
            self._due_since_s = self._due_since_s or time.monotonic()
            try:
                async with self._writing:
                    await self._write(self._pending.take_due(now_s=_now_s()))
            except StoreUnavailable:
                await asyncio.sleep(self._backoff_s())
            else:
                if self._pending.changes < self._limits.flush_rows:
                    self._due_since_s = 0.0

    async def _until_due(self) -> None:
        """Wait for flush_s after a change, less when flush_rows wait, or for the oldest heartbeat."""
        waited_s = 0.0
        while self._pending.changes < self._limits.flush_rows:
            if self._pending.changes and waited_s >= self._limits.flush_s:
                return
            beat_s = self._pending.next_heartbeat_s()
            if beat_s is not None and beat_s <= _now_s():
                return
            if self._pending.changes:
                step_s = self._limits.flush_s / 5
                await asyncio.sleep(step_s)
                waited_s += step_s
            else:
                await self._sleep_until(beat_s)

    async def _sleep_until(self, moment_s: float | None) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout_at(moment_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _write(self, patches: list[AgentPatch]) -> None:
        if not patches:
            return
        self._in_hand = len(patches)
        writing = asyncio.get_running_loop().run_in_executor(self._thread, self._settle, patches)
        try:
            left, rejected = await asyncio.shield(writing)
        except asyncio.CancelledError:
            # The thread goes on whoever stops waiting: see it out, or the order of patches would be lost.
            left, rejected = await writing
            self._finish(left, rejected)
            raise
        self._finish(left, rejected)
        if left:
            raise StoreUnavailable("What agents report cannot be written right now.")

    def _finish(self, left: list[Weighed], rejected: list[tuple[AgentPatch, Exception]]) -> None:
        self._in_hand = 0
        self.failures = self.failures + 1 if left else 0
        self._pending.put_back(left)
        self._finished.set()
        for patch, error in rejected:
            self._on_rejected(patch, error)

    def _settle(
        self, patches: list[AgentPatch]
    ) -> tuple[list[Weighed], list[tuple[AgentPatch, Exception]]]:
        """On the thread: write; answer what is to be tried again and what can never be stored."""
        try:
            self._sink(patches)
        except Exception as error:
            if self._is_temporary(error):
                logger.warning("Writing reports failed; they are kept.", exc_info=error)
                return [(patch, weight(patch)) for patch in patches], []
            if len(patches) == 1:
                return [], [(patches[0], error)]
            middle = len(patches) // 2
            left, rejected = self._settle(patches[:middle])
            more_left, more_rejected = self._settle(patches[middle:])
            return left + more_left, rejected + more_rejected
        return [], []

    def _backoff_s(self) -> float:
        least, most = _BACKOFF_S
        return min(most, least * 2.0 ** min(self.failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311


def _now_s() -> float:
    return asyncio.get_running_loop().time()
