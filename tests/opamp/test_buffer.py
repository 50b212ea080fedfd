"""The write buffer: merged state, ordered facts, nothing lost."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from agents.snapshot import (
    AgentPatch,
    ComponentHealth,
    Components,
    ConfigFile,
    ConfigStatus,
    ConnectionReport,
    CustomMessage,
    Description,
    EffectiveConfig,
    Fact,
    FactKind,
    RemoteConfigReport,
)
from opamp.buffer import WriteBuffer
from opamp.errors import StoreUnavailable
from opamp.pending import BufferLimits, Pending
from opamp.weight import weight
from tests.opamp.fakes import UID, UID2
from tests.opamp.waiting import until

T0 = datetime(2026, 7, 1, 12, tzinfo=UTC)


def heartbeat(uid: UUID = UID, n: int = 1, epoch: int = 1) -> AgentPatch:
    return AgentPatch(uid, epoch, T0 + timedelta(seconds=n), n)


def report(uid: UUID = UID, n: int = 1, *, epoch: int = 1, **fields: Any) -> AgentPatch:
    status = RemoteConfigReport(ConfigStatus.APPLYING, f"{n:02x}")
    fact = Fact(FactKind.REMOTE_CONFIG, T0, remote_config=status)
    return replace(heartbeat(uid, n, epoch), remote_config=status, facts=(fact,), **fields)


def numbers(patch: AgentPatch) -> list[str]:
    return [fact.remote_config.hash for fact in patch.facts if fact.remote_config]


@dataclass(slots=True)
class Beats:
    """A session that only sends heartbeats."""

    instance_uid: UUID = UID
    epoch: int = 1
    n: int = 1
    beat_waits: bool = False

    def heartbeat(self) -> AgentPatch:
        return heartbeat(self.instance_uid, self.n, self.epoch)


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


class TestPending:
    def test_reports_of_one_session_become_one_with_all_facts_in_order(self) -> None:
        pending = Pending(BufferLimits())
        for n in (1, 2, 3):
            pending.add(report(n=n))
        [merged] = pending.take_due(now_s=0)
        assert merged.sequence_num == 3
        assert numbers(merged) == ["01", "02", "03"]
        assert len(pending) == 0
        assert pending.bytes == 0

    @pytest.mark.rule("I3")
    def test_two_sessions_of_one_agent_are_never_merged(self) -> None:
        pending = Pending(BufferLimits())
        pending.add(report(n=7, epoch=2))
        pending.add(report(n=1, epoch=1))
        assert [(p.epoch, p.sequence_num) for p in pending.take_agents([UID])] == [(1, 1), (2, 7)]

    def test_heartbeats_wait_and_the_last_is_read_when_they_fall_due(self) -> None:
        pending = Pending(BufferLimits(heartbeat_flush_s=15))
        agent = Beats()
        pending.beat(agent, now_s=0)
        agent.n, waits = 2, agent.beat_waits
        assert waits
        assert pending.take_due(now_s=14.9) == []
        assert pending.take_due(now_s=15) == [heartbeat(n=2)]
        assert not agent.beat_waits
        assert len(pending) == pending.bytes == 0

    def test_heartbeats_that_are_nearly_due_go_along_with_one_that_is(self) -> None:
        pending = Pending(BufferLimits(heartbeat_flush_s=15))
        for second in range(10):
            pending.beat(Beats(uuid4(), n=second), now_s=second)
        assert pending.take_due(now_s=14.9) == []
        assert [patch.sequence_num for patch in pending.take_due(now_s=15)] == [0, 1, 2, 3]
        assert pending.next_heartbeat_s() == 19

    def test_a_report_takes_the_waiting_heartbeat_along(self) -> None:
        pending = Pending(BufferLimits())
        agent = Beats()
        pending.beat(agent, now_s=0)
        pending.add(report(n=2))
        assert not agent.beat_waits
        agent.n = 3
        pending.beat(agent, now_s=0)
        assert not agent.beat_waits
        [merged] = pending.take_due(now_s=0)
        assert merged.sequence_num == 3
        assert numbers(merged) == ["02"]
        assert len(pending) == pending.bytes == 0

    def test_a_heartbeat_behind_what_is_put_back_is_written_with_it(self) -> None:
        pending = Pending(BufferLimits())
        pending.add(report(n=1))
        taken = pending.take_due(now_s=0)
        agent = Beats(n=2)
        pending.beat(agent, now_s=0)
        pending.put_back([(patch, weight(patch)) for patch in taken])
        assert not agent.beat_waits
        [merged] = pending.take_due(now_s=0)
        assert (merged.sequence_num, numbers(merged)) == (2, ["01"])
        assert len(pending) == pending.bytes == 0

    def test_what_is_put_back_comes_before_what_arrived_meanwhile(self) -> None:
        pending = Pending(BufferLimits())
        pending.add(report(n=1))
        taken = pending.take_due(now_s=0)
        pending.add(report(UID2, n=9))
        pending.add(report(n=2))
        pending.put_back([(patch, weight(patch)) for patch in taken])
        first, second = pending.take_due(now_s=0)
        assert numbers(first) == ["01", "02"]
        assert second.instance_uid == UID2

    @pytest.mark.rule("A5")
    @pytest.mark.parametrize(
        "said",
        [
            {"effective_config": EffectiveConfig("aa", (ConfigFile("", b"x" * 10_000),))},
            {"description": Description({"host.name": "x" * 10_000})},
            {"description": Description({}, {"list": [{"deep": "x" * 5_000}, "y" * 5_000]})},
            {"health": ComponentHealth(False, last_error="x" * 10_000)},
            {
                "health": ComponentHealth(
                    True, components={"a": ComponentHealth(True, "x" * 10_000)}
                )
            },
            {"components": Components("aa", {"x" * 10_000: {}})},
            {"remote_config": RemoteConfigReport(ConfigStatus.FAILED, "aa", "x" * 10_000)},
            {"connection": ConnectionReport(ConfigStatus.FAILED, "aa", "x" * 10_000)},
            {"custom_capabilities": ("x" * 10_000,)},
            {"messages": (CustomMessage(T0, "a", "b", b"x" * 10_000, 10_000),)},
            {"facts": (Fact(FactKind.HEALTH, T0, health=ComponentHealth(False, "x" * 10_000)),)},
        ],
    )
    def test_all_that_is_said_counts_towards_the_size(self, said: dict[str, Any]) -> None:
        pending = Pending(BufferLimits())
        pending.add(replace(heartbeat(), **said))
        assert 10_000 < pending.bytes < 14_000
        pending.add(replace(heartbeat(n=2), **said))
        assert 20_000 < pending.bytes < 28_000
        [merged] = pending.take_agents([UID])
        assert (pending.bytes, pending.taken_bytes > 20_000) == (0, True)
        pending.put_back([(merged, weight(merged))])
        assert 10_000 < pending.bytes < 28_000
        assert pending.taken_bytes == 0


@pytest.mark.rule("A5")
class TestShares:
    """What one token may fill of the buffer."""

    LIMITS = BufferLimits(rows=4, bytes=100_000, share=0.5)

    def test_a_token_that_has_its_share_of_the_rows_leaves_the_rest_to_others(self) -> None:
        pending = Pending(self.LIMITS)
        ours, theirs = uuid4(), uuid4()
        pending.add(report(UID), ours)
        pending.add(report(UID, n=2), ours)
        assert not pending.is_share_full(ours)
        pending.add(report(UID2), ours)
        assert pending.is_share_full(ours)
        assert not pending.is_share_full(theirs)

    def test_heartbeats_are_no_rows_of_it_and_reports_behind_them_are(self) -> None:
        pending = Pending(self.LIMITS)
        ours, agents = uuid4(), [Beats(uuid4()) for _ in range(4)]
        for agent in agents:
            pending.beat(agent, ours, now_s=0)
        assert not pending.is_share_full(ours)
        for agent in agents[:2]:
            pending.add(report(agent.instance_uid, n=2), ours)
        assert pending.is_share_full(ours)
        taken = pending.take_all()
        pending.put_back([(patch, weight(patch)) for patch in taken[2:]])
        assert not pending._shares or pending._shares[ours].rows <= 2
        pending.take_all()
        pending.put_back([])
        assert not pending._shares

    def test_so_does_one_that_has_its_share_of_the_bytes(self) -> None:
        pending = Pending(self.LIMITS)
        ours = uuid4()
        pending.add(report(description=Description({"host.name": "x" * 60_000})), ours)
        assert pending.is_share_full(ours)

    def test_what_is_being_written_counts_until_it_is(self) -> None:
        pending = Pending(self.LIMITS)
        ours = uuid4()
        for uid in (UID, UID2):
            pending.add(report(uid), ours)
        taken = pending.take_all()
        assert pending.is_share_full(ours)
        pending.put_back([(patch, weight(patch)) for patch in taken])
        assert pending.is_share_full(ours)
        pending.take_all()
        pending.put_back([])
        assert not pending.is_share_full(ours)
        assert not pending._shares

    def test_what_came_meanwhile_counts_once_with_what_is_put_back(self) -> None:
        pending = Pending(self.LIMITS)
        ours = uuid4()
        pending.add(report(n=1), ours)
        taken = pending.take_all()
        pending.add(report(n=2), ours)
        pending.put_back([(patch, weight(patch)) for patch in taken])
        assert not pending.is_share_full(ours)
        pending.take_all()
        pending.put_back([])
        assert not pending._shares


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


async def test_who_reads_reports_waits_until_half_a_batch_is_written(sink: Sink) -> None:
    buffer = WriteBuffer(sink, BufferLimits(flush_s=0.02, flush_rows=4))
    buffer.submit(report(UID))
    await buffer.keep_up()
    assert not sink.patches
    buffer.submit(report(UID2))
    buffer.start()
    await buffer.keep_up()
    assert len(sink.patches) == 2
    await buffer.stop()


async def test_nobody_waits_for_a_store_that_fails(sink: Sink) -> None:
    buffer = WriteBuffer(sink, BufferLimits(flush_s=0.02, flush_rows=2))
    sink.errors = [ConnectionError("away")]
    buffer.submit(report())
    buffer.start()
    await buffer.keep_up()
    assert not sink.patches
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


async def test_stopping_writes_what_is_left(sink: Sink) -> None:
    buffer = WriteBuffer(sink, BufferLimits())
    buffer.start()
    buffer.beat(Beats())
    await buffer.stop()
    assert sink.patches == [heartbeat()]
