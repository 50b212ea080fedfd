"""Polls over plain HTTP: one token's, however many, keep neither newcomers nor other tokens waiting (A5)."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import pytest

from agents.snapshot import Transport
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.polls import Turns
from opamp.ports import Admitted, Caller
from telflo.base.ids import new_id
from tests.opamp.conftest import Connect
from tests.opamp.fakes import (
    CREDENTIAL,
    OTHER,
    OTHER_SECRET,
    SECRET,
    UID,
    UID2,
    MemoryDomain,
    full,
    joined,
    post,
)
from tests.opamp.waiting import until

pytestmark = pytest.mark.rule("A5")


class SlowForPolls(MemoryDomain):
    """Requests over plain HTTP wait until `polls` is set; `order` has whose they are, as they are worked on."""

    def __init__(self) -> None:
        super().__init__()
        self.polls = threading.Event()
        self.order: list[UUID | None] = []

    def admit_agents(self, callers: Sequence[Caller], *, now: datetime) -> Mapping[UUID, Admitted]:
        if callers[0].transport is Transport.HTTP:
            self.order.append(callers[0].credential.id)
            assert self.polls.wait(10)
        return super().admit_agents(callers, now=now)


@pytest.fixture
def domain() -> SlowForPolls:
    return SlowForPolls()


@pytest.fixture
def options() -> GatewayOptions:
    return GatewayOptions(requests=60, requests_per_token=30)


async def poll(gateway: Gateway, secret: str = SECRET, uid: UUID | None = None) -> int:
    status, _ = await post(gateway, secret, full(uid or new_id()).SerializeToString())
    return status


class Pollers:
    """Polls that are under way."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.polls: list[asyncio.Task[int]] = []

    async def add(self, number: int, secret: str = SECRET) -> None:
        """Begin so many, and wait until all are inside."""
        most = self._gateway.polls.open + number
        self.polls += [asyncio.create_task(poll(self._gateway, secret)) for _ in range(number)]
        await until(lambda: self._gateway.polls.open == most)


@pytest.fixture
def pollers(gateway: Gateway) -> Pollers:
    return Pollers(gateway)


async def test_newcomers_and_token_checks_do_not_wait_for_them(
    pollers: Pollers, connect: Connect, domain: SlowForPolls
) -> None:
    await pollers.add(30)
    await until(lambda: len(domain.order) == 3)  # every thread of theirs is taken
    assert (await connect(secret="tlf_e_wrong").next())["status"] == 401
    await joined(connect(), uid=UID2)
    assert len(domain.order) == 3
    domain.polls.set()
    assert set(await asyncio.gather(*pollers.polls)) == {200}


async def test_tokens_have_their_turns_in_order_however_many_poll_by_one(
    pollers: Pollers, domain: SlowForPolls
) -> None:
    await pollers.add(20)
    await pollers.add(2, OTHER_SECRET)
    domain.polls.set()
    assert set(await asyncio.gather(*pollers.polls)) == {200}
    # Three were at work already, and with three threads two may change places.
    assert domain.order[3:].index(OTHER.id) <= 3
    assert sum(who == OTHER.id for who in domain.order[3:10]) == 2


async def test_a_token_has_only_so_many_open_and_another_one_is_served(
    pollers: Pollers, gateway: Gateway, domain: SlowForPolls
) -> None:
    await pollers.add(30)
    assert await poll(gateway) == 429
    await pollers.add(1, OTHER_SECRET)
    domain.polls.set()
    assert set(await asyncio.gather(*pollers.polls)) == {200}
    assert await poll(gateway) == 200
    assert gateway.polls.open == 0
    assert gateway.counters.limits["requests_per_token"] == 1


async def test_all_together_have_only_so_many_open_and_each_leaves_room_for_the_next(
    pollers: Pollers, gateway: Gateway, domain: SlowForPolls
) -> None:
    await pollers.add(30)
    await pollers.add(15, OTHER_SECRET)
    assert await poll(gateway, OTHER_SECRET) == 503
    with gateway.polls.holding(new_id()):
        assert gateway.polls.open == 46
    domain.polls.set()
    await asyncio.gather(*pollers.polls)
    assert gateway.counters.limits["requests"] == 1


@pytest.mark.parametrize("options", [GatewayOptions(messages_per_s=0.001, message_burst=3)])
async def test_an_agent_that_polls_too_fast_is_told_so_and_others_of_its_token_are_not(
    gateway: Gateway, domain: SlowForPolls
) -> None:
    domain.polls.set()
    answers = [await poll(gateway, uid=UID) for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert domain.names().count("admit_agents") == 3
    assert await poll(gateway, uid=UID2) == 200
    assert gateway.counters.limits["messages_per_s"] == 2


@pytest.mark.parametrize("options", [GatewayOptions(requests_per_token=500)])
async def test_a_fleet_of_pollers_with_one_token_notices_none_of_it(
    gateway: Gateway, domain: SlowForPolls
) -> None:
    domain.polls.set()
    agents = [new_id() for _ in range(300)]
    for _ in range(3):
        answers = await asyncio.gather(*(poll(gateway, uid=uid) for uid in agents))
        assert set(answers) == {200}


class TestTurns:
    async def test_a_turn_that_is_given_up_goes_to_the_next(self) -> None:
        turns = Turns(1)
        await turns.take(CREDENTIAL.id)
        waiting = [asyncio.create_task(turns.take(CREDENTIAL.id)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()  # while it waits
        turns.give()
        waiting[1].cancel()  # it was given the turn, and does not know yet
        await waiting[2]
        turns.give()
        await turns.take(OTHER.id)
