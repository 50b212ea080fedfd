"""The write buffer: soon, together, nothing lost."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from agents.snapshot import AgentPatch, ConfigFile, Description, EffectiveConfig
from opamp.buffer import WriteBuffer
from opamp.errors import StoreUnavailable
from opamp.pending import BufferLimits
from tests.opamp.fakes import UID, UID2
from tests.opamp.patches import T0, Beats, heartbeat, numbers, report
from tests.opamp.waiting import turns, until


class Sink:
    """Keeps batches; fails while `errors` has some."""

    def __init__(self) -> None:
        self.batches: list[list[AgentPatch]] = []
        self.errors: list[Exception] = []
        self.poison: UUID | None = None

    def __call__(self, patches: Sequence[AgentPatch]) -> None:
        if self.errors:
            raise self.errors.pop(0)
        if any(patch.instance_uid == self.poison for patch in patches):
            raise ValueError("cannot be stored")
        self.batches.append(list(patches))

    @property
    def patches(self) -> list[AgentPatch]:
        return [patch for batch in self.batches for patch in batch]


@pytest.fixture
def sink() -> Sink:
    return Sink()


LIMITS = BufferLimits(flush_s=0.02, heartbeat_flush_s=0.05, rows=10)


async def test_reports_are_written_soon_and_together(sink: Sink) -> None:
    buffer = WriteBuffer(sink, LIMITS)
    buffer.start()
    buffer.submit(report(UID))
    buffer.submit(report(UID2))
    await until(lambda: sink.batches)
    assert len(sink.batches[0]) == 2
    await buffer.stop()


async def test_a_lone_heartbeat_is_written_late_but_is_written(sink: Sink) -> None:
    buffer = WriteBuffer(sink, LIMITS)
    buffer.start()
    buffer.beat(Beats())
    await until(lambda: sink.batches)
    assert sink.patches == [heartbeat()]
    await buffer.stop()


async def test_many_rows_are_written_without_waiting(sink: Sink) -> None:
    buffer = WriteBuffer(sink, BufferLimits(flush_s=60, flush_rows=3))
    buffer.start()
    for _ in range(3):
        buffer.submit(report(uuid4()))
    buffer.beat(Beats())
    await until(lambda: len(sink.patches) >= 3)
    await buffer.stop()


async def test_who_reads_reports_waits_until_a_full_batch_is_taken(sink: Sink) -> None:
    buffer = WriteBuffer(sink, BufferLimits(flush_s=60, flush_rows=2))
    buffer.submit(report(UID))
    await buffer.keep_up()
    buffer.submit(report(UID2))
    waiting = asyncio.create_task(buffer.keep_up())
    await turns()
    assert not waiting.done()
    buffer.start()
    await waiting
    await until(lambda: len(sink.patches) == 2)
    await buffer.stop()


async def test_while_a_batch_is_written_the_next_one_fills(sink: Sink) -> None:
    held = threading.Event()
    written: list[int] = []

    def slow(patches: Sequence[AgentPatch]) -> None:
        held.wait(5)
        written.append(len(patches))

    buffer = WriteBuffer(slow, BufferLimits(flush_s=60, flush_rows=2))
    buffer.start()
    for _ in range(2):
        buffer.submit(report(uuid4()))
    await buffer.keep_up()
    assert not written
    for _ in range(2):
        buffer.submit(report(uuid4()))
    waiting = asyncio.create_task(buffer.keep_up())
    await turns()
    assert not waiting.done()
    held.set()
    await waiting
    await until(lambda: written == [2, 2])
    await buffer.stop()


async def test_a_batch_that_fills_is_written_at_once(sink: Sink) -> None:
    buffer = WriteBuffer(sink, BufferLimits(flush_s=3600, flush_rows=2))
    buffer.start()
    buffer.submit(report(UID))
    await turns()
    buffer.submit(report(UID2))
    await until(lambda: len(sink.patches) == 2)
    await buffer.stop()


async def test_nobody_waits_for_a_store_that_fails(sink: Sink) -> None:
    sink.errors = [ConnectionError("away")]
    buffer = WriteBuffer(sink, BufferLimits(flush_rows=1))
    buffer.submit(report())
    waiting = asyncio.create_task(buffer.keep_up())
    await turns()
    assert not waiting.done()
    with pytest.raises(StoreUnavailable):
        await buffer.flush_agents([UID])
    await waiting
    await buffer.keep_up()
    assert not sink.patches
    await buffer.stop()


async def test_heartbeats_are_written_however_many_reports_come(sink: Sink) -> None:
    loop = asyncio.get_running_loop()

    def write(patches: Sequence[AgentPatch]) -> None:
        sink(patches)
        if len(sink.batches) < 50:
            loop.call_soon_threadsafe(buffer.submit, report(uuid4()))

    buffer = WriteBuffer(write, BufferLimits(flush_rows=1, heartbeat_flush_s=0))
    buffer.beat(Beats(UID))
    buffer.submit(report(uuid4()))
    buffer.start()
    await until(lambda: len(sink.batches) >= 50)
    assert UID in {patch.instance_uid for batch in sink.batches[:5] for patch in batch}
    await buffer.stop()


async def test_what_comes_while_all_else_is_written_is_late_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock_s, begun, held = [100.0], threading.Semaphore(0), threading.Semaphore(0)
    monkeypatch.setattr("opamp.buffer.time", SimpleNamespace(monotonic=lambda: clock_s[0]))

    def write(_patches: Sequence[AgentPatch]) -> None:
        begun.release()
        assert held.acquire(timeout=5)

    buffer = WriteBuffer(write, BufferLimits(flush_rows=1))
    buffer.submit(report(uuid4()))
    buffer.start()
    for _ in range(4):
        await until(lambda: begun.acquire(blocking=False))
        buffer.submit(report(uuid4()))
        clock_s[0] += 10
        held.release()
    await until(lambda: begun.acquire(blocking=False))
    assert buffer.levels()["buffer_lag_seconds"] == 10
    held.release()
    await until(lambda: buffer.levels()["buffer_lag_seconds"] == 0)
    await buffer.stop()


async def test_a_failing_store_loses_nothing_and_keeps_the_order(sink: Sink) -> None:
    sink.errors = [ConnectionError("away"), ConnectionError("still away")]
    buffer = WriteBuffer(sink, LIMITS)
    buffer.submit(report(n=1))
    with pytest.raises(StoreUnavailable):
        await buffer.flush_agents([UID])
    buffer.submit(report(n=2))
    with pytest.raises(StoreUnavailable):
        await buffer.flush_agents([UID])
    assert buffer.failures == 2
    await buffer.flush_agents([UID])
    [patch] = sink.patches
    assert numbers(patch) == ["01", "02"]
    assert buffer.failures == 0
    await buffer.stop()


async def test_the_writer_tries_again_by_itself(sink: Sink) -> None:
    sink.errors = [ConnectionError("away")]
    buffer = WriteBuffer(sink, LIMITS)
    buffer.start()
    buffer.submit(report())
    await until(lambda: sink.patches)
    await buffer.stop()


async def test_what_could_not_be_flushed_is_written_though_nobody_says_more(sink: Sink) -> None:
    failing = threading.Event()

    def write(patches: Sequence[AgentPatch]) -> None:
        if not failing.is_set():
            assert failing.wait(5)
            raise ConnectionError("away")
        sink(patches)

    buffer = WriteBuffer(write, LIMITS)
    buffer.start()
    buffer.submit(report())
    flushing = asyncio.create_task(buffer.flush_agents([UID]))
    await asyncio.sleep(4 * LIMITS.flush_s)  # the writer finds nothing left to do
    failing.set()
    with pytest.raises(StoreUnavailable):
        await flushing
    await until(lambda: sink.patches)
    await buffer.stop()


async def test_after_a_long_outage_it_writes_within_seconds(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    sleep = asyncio.sleep

    async def sleep_shortly(seconds: float) -> None:
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", sleep_shortly)
    sink.errors = [ConnectionError("away") for _ in range(15)]
    buffer = WriteBuffer(sink, LIMITS)
    buffer.start()
    buffer.submit(report())
    await until(lambda: sink.patches)
    assert 1 < max(slept) <= 5
    await buffer.stop()


async def test_one_report_that_cannot_be_stored_does_not_hold_up_the_others(sink: Sink) -> None:
    rejected: list[UUID] = []
    sink.poison = UID
    buffer = WriteBuffer(
        sink,
        LIMITS,
        is_temporary=lambda error: isinstance(error, ConnectionError),
        on_rejected=lambda patch, error: rejected.append(patch.instance_uid),
    )
    others = [uuid4() for _ in range(6)]
    for uid in [*others[:3], UID, *others[3:]]:
        buffer.submit(report(uid))
    await buffer.flush_agents([*others, UID])
    assert rejected == [UID]
    assert {patch.instance_uid for patch in sink.patches} == set(others)
    await buffer.stop()


async def test_a_full_buffer_refuses_but_takes_the_end_of_a_session(sink: Sink) -> None:
    buffer = WriteBuffer(sink, LIMITS)
    for _ in range(10):
        buffer.beat(Beats(uuid4()))
    assert buffer.is_full
    assert buffer.refuses(None) == "buffer"
    buffer.submit(replace(heartbeat(), disconnected_at=T0))
    await buffer.stop()
    assert len(sink.patches) == 11


async def test_bodies_fill_the_buffer_too(sink: Sink) -> None:
    buffer = WriteBuffer(sink, BufferLimits(bytes=10_000))
    body = EffectiveConfig("aa", (ConfigFile("", b"x" * 10_000),))
    buffer.submit(report(effective_config=body))
    assert buffer.is_full
    await buffer.stop()


async def test_what_is_being_written_fills_the_buffer_until_it_is(sink: Sink) -> None:
    written = threading.Event()

    def write(patches: Sequence[AgentPatch]) -> None:
        assert written.wait(10)
        sink(patches)

    buffer = WriteBuffer(write, BufferLimits(bytes=10_000))
    buffer.submit(report(description=Description({"host.name": "x" * 10_000})))
    writing = asyncio.create_task(buffer.flush_agents([UID]))
    await asyncio.sleep(0)
    meanwhile = buffer.is_full
    written.set()
    await writing
    assert (meanwhile, buffer.is_full, buffer.bytes) == (True, False, 0)
    await buffer.stop()


async def test_it_is_known_whose_words_are_being_written() -> None:
    written = threading.Event()

    def write(_patches: Sequence[AgentPatch]) -> None:
        assert written.wait(10)

    buffer = WriteBuffer(write, BufferLimits())
    buffer.submit(report(UID))
    writing = asyncio.create_task(buffer.flush_agents([UID]))
    await asyncio.sleep(0)
    assert [buffer.holds(uid) for uid in (UID, UID2)] == [True, False]
    written.set()
    await writing
    assert not buffer.holds(UID)
    await buffer.stop()


async def test_stopping_writes_what_is_left(sink: Sink) -> None:
    buffer = WriteBuffer(sink, BufferLimits())
    buffer.start()
    buffer.beat(Beats())
    await buffer.stop()
    assert sink.patches == [heartbeat()]


async def test_stopping_tries_again_while_there_is_time(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opamp.buffer._BACKOFF_S", (0.01, 0.01))
    sink.errors = [ConnectionError("away"), ConnectionError("still away")]
    buffer = WriteBuffer(sink, BufferLimits(flush_rows=2))
    uids = [uuid4() for _ in range(5)]
    for uid in uids[:3]:
        buffer.submit(report(uid))
    for uid in uids[3:]:
        buffer.beat(Beats(uid))
    await buffer.stop()
    assert {patch.instance_uid for patch in sink.patches} == set(uids)
    assert len(sink.batches) > 1

    sink.errors = [ConnectionError("away")] * 1_000
    late = WriteBuffer(sink, LIMITS)
    late.submit(report())
    with pytest.raises(StoreUnavailable, match=r"1 sessions .* within 0\.1 s"):
        await late.stop(0.1)


async def test_stopping_does_not_wait_for_a_store_that_hangs() -> None:
    begun, answers = threading.Event(), threading.Event()

    def hang(_patches: Sequence[AgentPatch]) -> None:
        begun.set()
        assert answers.wait(30)

    buffer = WriteBuffer(hang, LIMITS)
    buffer.start()
    buffer.submit(report(UID))
    await until(begun.is_set)
    try:
        with pytest.raises(StoreUnavailable, match=r"within 0\.1 s"):
            await buffer.stop(0.1)
    finally:
        answers.set()
