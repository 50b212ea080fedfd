"""Refused attempts of one address: so many are looked at, the rest is turned away, good secrets are not."""

import asyncio
from typing import Any

import pytest

from opamp.auth import TokenVerifier
from opamp.errors import ConnectionRefused, TooMany
from opamp.options import GatewayOptions
from opamp.ports import Credential
from opamp.throttle import RefusalThrottle
from tests.opamp.conftest import Connect
from tests.opamp.fakes import CREDENTIAL, MemoryDomain


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> RefusalThrottle:
    return RefusalThrottle(6, retry_after_s=5, clock=clock)


def use_up(throttle: RefusalThrottle, address: str = "a") -> None:
    for _ in range(6):
        throttle.check(address)
        throttle.count(address)


def test_only_refusals_are_counted(throttle: RefusalThrottle) -> None:
    for _ in range(100):
        throttle.check("a")


def test_after_so_many_the_address_is_told_when_to_come_back(throttle: RefusalThrottle) -> None:
    use_up(throttle)
    with pytest.raises(TooMany) as turned_away:
        throttle.check("a")
    assert turned_away.value.retry_after_s == 10
    throttle.check("b")
    assert throttle.turned_away == 1


def test_one_more_is_looked_at_when_a_share_of_the_minute_has_passed(
    throttle: RefusalThrottle, clock: Clock
) -> None:
    use_up(throttle)
    clock.now = 10
    throttle.check("a")
    throttle.count("a")
    with pytest.raises(TooMany):
        throttle.check("a")
    clock.now = 70
    use_up(throttle)


def test_many_addresses_take_bounded_memory(throttle: RefusalThrottle) -> None:
    for number in range(10_100):
        throttle.count(str(number))
    assert len(throttle._buckets) == 10_000


@pytest.mark.rule("A3")
@pytest.mark.parametrize("options", [GatewayOptions(refusals_per_minute=3)])
async def test_a_flood_of_bad_tokens_is_answered_429_without_a_lookup(
    connect: Connect, domain: MemoryDomain
) -> None:
    good = connect()
    assert (await good.next())["type"] == "websocket.accept"
    answers = [await connect(secret=f"tlf_e_bad{n}").next() for n in range(5)]
    assert [answer["status"] for answer in answers] == [401, 401, 401, 429, 429]
    assert dict(answers[-1]["headers"])[b"retry-after"] == b"30"
    assert domain.names().count("verify_token") == 4
    # Collectors behind the same address that were let in before are not locked out by it.
    assert (await connect().next())["type"] == "websocket.accept"


@pytest.mark.rule("S8")
async def test_a_token_that_is_revoked_while_it_is_looked_up_is_looked_up_again() -> None:
    asked: list[str] = []
    looks, revoked = asyncio.Event(), asyncio.Event()

    async def verify(secret: str) -> Credential:
        asked.append(secret)
        if len(asked) == 1:
            looks.set()
            await revoked.wait()
            return CREDENTIAL
        raise ConnectionRefused("revoked", text="The token is revoked.")

    verifier = TokenVerifier(verify)
    looking: asyncio.Task[Any] = asyncio.create_task(verifier.verify("secret"))
    await looks.wait()
    verifier.forget()
    revoked.set()
    with pytest.raises(ConnectionRefused):
        await looking
