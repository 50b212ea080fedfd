"""Refused attempts of one address: so many are looked at, the rest is turned away, good secrets are not."""

import asyncio
from typing import Any

import pytest

from opamp.auth import TokenVerifier
from opamp.errors import ConnectionRefused, TooMany
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.ports import Credential
from opamp.proto.opamp_pb2 import ServerErrorResponseType
from opamp.throttle import RefusalThrottle, sender_of
from tests.opamp.conftest import Connect
from tests.opamp.fakes import (
    CREDENTIAL,
    OTHER_SECRET,
    SECRET,
    UID,
    UID2,
    MemoryDomain,
    comes_back,
    full,
    post,
)
from tests.opamp.waiting import until

BAD_REQUEST = ServerErrorResponseType.ServerErrorResponseType_BadRequest
UNAVAILABLE = ServerErrorResponseType.ServerErrorResponseType_Unavailable


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
    return RefusalThrottle(6, retry_after=lambda: 5, clock=clock)


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


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_who_has_an_ipv6_address_has_its_whole_network(address: str, sender: str) -> None:
    assert sender_of(address) == sender


@pytest.mark.rule("A3")
@pytest.mark.parametrize("options", [GatewayOptions(refusals_per_minute=3)])
async def test_a_flood_from_many_addresses_of_one_ipv6_network_is_one_flood(
    gateway: Gateway, domain: MemoryDomain
) -> None:
    body = full().SerializeToString()
    froms = [f"2001:db8:1:2::{number}" for number in range(5)]
    answers = [(await post(gateway, f"tlf_e_bad{at}", body, address=at))[0] for at in froms]
    assert answers == [401, 401, 401, 429, 429]
    assert (await post(gateway, "tlf_e_bad", body, address="2001:db8:1:3::1"))[0] == 401
    domain.refuse_agents = "retired"
    froms = [f"2001:db8:1:4::{number}" for number in range(4)]
    assert [(await post(gateway, SECRET, body, address=at))[0] for at in froms] == [
        403,
        403,
        403,
        429,
    ]


@pytest.mark.rule("A3")
@pytest.mark.parametrize("options", [GatewayOptions(refusals_per_minute=3)])
async def test_a_flood_of_bad_tokens_is_answered_429_without_a_lookup(
    connect: Connect, domain: MemoryDomain
) -> None:
    good = connect()
    assert (await good.next())["type"] == "websocket.accept"
    answers = [await connect(secret=f"tlf_e_bad{n}").next() for n in range(5)]
    assert [answer["status"] for answer in answers] == [401, 401, 401, 429, 429]
    assert comes_back(dict(answers[-1]["headers"])[b"retry-after"])
    assert domain.names().count("verify_token") == 4
    # Collectors behind the same address that were let in before are not locked out by it.
    assert (await connect().next())["type"] == "websocket.accept"


@pytest.mark.rule("A3")
@pytest.mark.parametrize("options", [GatewayOptions(refusals_per_minute=3)])
async def test_a_token_that_is_revoked_is_held_back_by_itself(
    connect: Connect, domain: MemoryDomain, gateway: Gateway
) -> None:
    assert (await connect().next())["type"] == "websocket.accept"
    assert CREDENTIAL.id is not None
    domain.revoked.add(CREDENTIAL.id)
    gateway.verifier.forget()
    answers = [await connect().next() for _ in range(5)]
    assert [answer["status"] for answer in answers] == [401, 401, 401, 429, 429]
    assert domain.names().count("verify_token") == 2
    # Nobody behind the same address is kept out by it, known here or not.
    assert (await connect(secret=OTHER_SECRET).next())["type"] == "websocket.accept"


@pytest.mark.rule("A3")
@pytest.mark.parametrize("options", [GatewayOptions(refusals_per_minute=3)])
class TestAnAgentThatMayNotComeIn:
    """By a good token: it is looked at so often, and nobody else pays for it."""

    async def test_over_http_it_is_429_and_its_address_and_token_let_others_in(
        self, gateway: Gateway, domain: MemoryDomain
    ) -> None:
        domain.refuse_agents = "retired"
        stale = full(UID).SerializeToString()
        answers = [(await post(gateway, SECRET, stale))[0] for _ in range(4)]
        assert answers == [403, 403, 403, 429]
        assert domain.names().count("admit_agents") == 3
        hit = gateway.numbers()["telflo_opamp_limits_hit"]
        assert [n for labels, n in hit if labels["limit"] == "refusals_per_minute"] == [1]
        domain.refuse_agents = ""
        # By the same address: a wrong secret is looked up still, and another collector by the same token comes in.
        assert (await post(gateway, "tlf_e_wrong", stale))[0] == 401
        assert (await post(gateway, SECRET, full(UID2).SerializeToString()))[0] == 200

    async def test_over_a_websocket_it_is_told_to_come_back_and_its_neighbour_comes_in(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        domain.refuse_agents = "retired"
        wire = connect()
        await wire.next()
        errors = []
        for number in range(5):
            wire.say(full(UID, number))
            errors.append((await wire.reply()).error_response)
        assert [error.type for error in errors] == [BAD_REQUEST] * 3 + [UNAVAILABLE] * 2
        assert errors[-1].error_message.startswith("This collector was refused too often")
        assert errors[-1].retry_info.retry_after_nanoseconds >= 30 * 10**9
        assert domain.names().count("admit_agents") == 3
        domain.refuse_agents = ""
        wire.say(full(UID2))
        assert not (await wire.reply()).HasField("error_response")
        # And whoever has another token is not turned away for it.
        assert (await connect(secret="tlf_e_wrong").next())["status"] == 401

    @pytest.mark.parametrize("adapter", ["asgi"], indirect=True)  # tests/serve has it over sockets
    async def test_what_is_stored_of_it_names_its_client(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        domain.refuse_agents = "retired"
        sent = [(b"authorization", f"Bearer {SECRET}".encode()), (b"user-agent", b"otelcol/1")]
        wire = connect(headers=sent)
        await wire.next()
        wire.say(full())
        await wire.reply()
        await until(lambda: domain.refusals)
        assert (domain.refusals[0].user_agent, domain.refusals[0].transport) == ("otelcol/1", "ws")


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
