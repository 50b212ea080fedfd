"""What waits to be written: merged state, ordered facts, and the share of each token."""

from dataclasses import replace
from math import inf
from typing import Any
from uuid import uuid4

import pytest

from agents.snapshot import (
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
from opamp.pending import BufferLimits, Pending
from opamp.weight import weight
from tests.opamp.fakes import UID, UID2
from tests.opamp.patches import T0, Beats, heartbeat, numbers, report


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
        taken = pending.take_due(now_s=inf)
        pending.put_back([(patch, weight(patch)) for patch in taken[2:]])
        assert not pending._shares or pending._shares[ours].rows <= 2
        pending.take_due(now_s=inf)
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
        taken = pending.take_due(now_s=inf)
        assert pending.is_share_full(ours)
        pending.put_back([(patch, weight(patch)) for patch in taken])
        assert pending.is_share_full(ours)
        pending.take_due(now_s=inf)
        pending.put_back([])
        assert not pending.is_share_full(ours)
        assert not pending._shares

    def test_what_came_meanwhile_counts_once_with_what_is_put_back(self) -> None:
        pending = Pending(self.LIMITS)
        ours = uuid4()
        pending.add(report(n=1), ours)
        taken = pending.take_due(now_s=inf)
        pending.add(report(n=2), ours)
        pending.put_back([(patch, weight(patch)) for patch in taken])
        assert not pending.is_share_full(ours)
        pending.take_due(now_s=inf)
        pending.put_back([])
        assert not pending._shares
