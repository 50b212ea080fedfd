"""How fast a peer may send."""

import pytest

from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.pace import Pace
from tests.opamp.conftest import Connect
from tests.opamp.fakes import SECRET, UID2, full, hello, joined, post


def test_a_burst_is_free_and_what_follows_waits_for_its_turn() -> None:
    pace = Pace(per_s=10, burst=3, now_s=0)
    assert [pace.take(0) for _ in range(5)] == [0, 0, 0, pytest.approx(0.1), pytest.approx(0.2)]


def test_it_fills_up_again_and_never_over_its_burst() -> None:
    pace = Pace(per_s=10, burst=3, now_s=0)
    for _ in range(4):
        pace.take(0)
    assert pace.take(0.2) == 0
    assert [pace.take(1000) for _ in range(4)] == [0, 0, 0, pytest.approx(0.1)]


def test_who_waits_for_much_looks_whether_the_peer_is_there_until_nothing_is_owed() -> None:
    pace = Pace(per_s=1, burst=1, now_s=0)
    assert max(pace.take(0) for _ in range(4)) == 3
    assert [pace.rest(now_s) for now_s in (0, 3, 3.5, 4)] == [1, 1, 0.5, 0]


def test_a_large_message_counts_once_for_each_so_many_bytes() -> None:
    pace = Pace(per_s=10, burst=3, now_s=0, each=1000)
    assert [pace.take(0, size) for size in (0, 1000, 1000)] == [0, 0, 0]
    assert pace.take(0, 5000) == pytest.approx(0.5)
    assert pace.check(0.5) == pytest.approx(0.1)
    assert pace.check(0.6) == 0


@pytest.mark.rule("A5")
@pytest.mark.parametrize(
    "options", [GatewayOptions(message_burst=10, messages_per_s=200, pace_bytes=1000)]
)
async def test_a_peer_that_sends_much_is_read_later_and_its_neighbour_is_not(
    connect: Connect, gateway: Gateway
) -> None:
    large, neighbour = connect(), connect()
    await joined(large)
    await joined(neighbour, uid=UID2)
    message = full(sequence_num=1)
    message.effective_config.config_map.config_map[""].body = bytes(20_000)
    large.say(message)
    await large.reply()
    assert gateway.counters.limits["messages_per_s"] == 1
    large.say(hello(sequence_num=2))
    neighbour.say(hello(UID2, 1))
    await neighbour.reply()
    await large.reply()  # nothing is lost


@pytest.mark.rule("A5")
@pytest.mark.parametrize(
    "options", [GatewayOptions(message_burst=10, messages_per_s=0.01, pace_bytes=1000)]
)
async def test_over_http_one_large_message_is_taken_and_the_next_has_to_wait(
    gateway: Gateway,
) -> None:
    message = full()
    message.effective_config.config_map.config_map[""].body = bytes(20_000)
    answers = [await post(gateway, SECRET, message.SerializeToString()) for _ in range(2)]
    assert [status for status, _ in answers] == [200, 429]
