"""The write buffer: what agents said waits here, merged per agent, until it is written in one statement.

Latest state is merged, facts keep their order (decision 4). No Django here: writing is a callable that runs on one
dedicated thread, so patches of one agent are never written out of order.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from uuid import UUID

from agents.snapshot import AgentPatch
from opamp.errors import StoreUnavailable
from opamp.pending import Beating, BufferLimits, Holder, Pending, Weighed
from opamp.weight import weight

logger = logging.getLogger(__name__)

Sink = Callable[[Sequence[AgentPatch]], None]
_BACKOFF_S: Final = (0.5, 2.0)
"""Between tries while writing fails. So long at most what agents say waits once the database is back."""
_STOP_S: Final = 25.0
"""So long a server that stops tries to write what is left."""


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
        self._full = asyncio.Event()
        self._taken = asyncio.Event()
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

    def refuses(self, holder: Holder) -> str:
        """The limit for which new reports that come by a token must be refused with UNAVAILABLE, or "": that of all,
        or its share, so that one token leaves room for the others.
        """
        if self.is_full:
            return "buffer"
        return "buffer_share" if self._pending.is_share_full(holder) else ""

    def submit(self, patch: AgentPatch, holder: Holder = None) -> None:
        """Take a patch. Ask refuses() before, but for the end of a session, which is always taken."""
        self._pending.add(patch, holder)
        self._wake.set()
        if self._is_batch_full:
            self._full.set()

    def beat(self, source: Beating, holder: Holder = None) -> None:
        """Take a heartbeat."""
        if not source.beat_waits:
            self._pending.beat(source, holder, now_s=_now_s())
            self._wake.set()

    async def keep_up(self) -> None:
        """Let others run, and wait while a batch is full: a fleet's reports weigh more here than as messages.

        While that batch is written the next one may fill.
        """
        await asyncio.sleep(0)
        while self._is_batch_full and not self.failures:
            self._taken.clear()
            await self._taken.wait()

    def holds(self, uid: UUID) -> bool:
        """Whether something of this agent waits or is being written."""
        return self._pending.holds(uid)

    async def flush_agents(self, uids: Collection[UUID]) -> None:
        """Return once everything that these agents said is stored. Raises StoreUnavailable."""
        async with self._writing:
            await self._write(self._pending.take_agents(uids))

    async def stop(self, within_s: float = _STOP_S) -> None:
        """Write what is left and end the thread. Raises StoreUnavailable when it cannot be written in time."""
        writing = asyncio.create_task(self._write_the_rest())
        try:
            _, late = await asyncio.wait({writing}, timeout=within_s)
            if late:
                writing.cancel()
                raise StoreUnavailable(
                    f"What agents said in {self.rows} sessions could not be written within {within_s:g} s."
                )
            writing.result()
        finally:
            self._thread.shutdown(wait=False)

    async def _write_the_rest(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        async with self._writing:
            while patches := self._pending.take_due(now_s=math.inf):
                try:
                    await self._write(patches)
                except StoreUnavailable:
                    await asyncio.sleep(self._backoff_s())

    async def _run(self) -> None:
        while True:
            await self._until_due()
            began_s = time.monotonic()
            self._due_since_s = self._due_since_s or began_s
            try:
                async with self._writing:
                    patches = self._pending.take_due(now_s=_now_s())
                    is_behind = self._is_batch_full
                    await self._write(patches)
            except StoreUnavailable:
                await asyncio.sleep(self._backoff_s())
            else:
                if not self._is_batch_full:
                    self._due_since_s = 0.0
                elif not is_behind:  # the batch that is full by now came meanwhile
                    self._due_since_s = began_s

    @property
    def _is_batch_full(self) -> bool:
        return self._pending.changes >= self._limits.flush_rows

    async def _until_due(self) -> None:
        """Wait for flush_s after a change, less when flush_rows wait, or for the oldest heartbeat."""
        while not self._pending.changes:
            beat_s = self._pending.next_heartbeat_s()
            if beat_s is not None and beat_s <= _now_s():
                return
            await _wait(self._wake, beat_s)
        if not self._is_batch_full:
            beat_s = self._pending.next_heartbeat_s()
            flush_s = _now_s() + self._limits.flush_s
            await _wait(self._full, flush_s if beat_s is None else min(flush_s, beat_s))

    async def _write(self, patches: list[AgentPatch]) -> None:
        if not patches:
            return
        self._in_hand = len(patches)
        self._taken.set()
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
        self._taken.set()
        if left:
            self._wake.set()
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


async def _wait(event: asyncio.Event, until_s: float | None) -> None:
    """For what happens from now on, on the loop's clock; None for ever."""
    event.clear()
    try:
        async with asyncio.timeout_at(until_s):
            await event.wait()
    except TimeoutError:
        return


def _now_s() -> float:
    return asyncio.get_running_loop().time()
