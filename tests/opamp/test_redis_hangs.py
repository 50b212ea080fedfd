"""A gateway whose Redis takes connections and never answers: nobody on the way in, or out, waits for it for long."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from channels_redis.core import RedisChannelLayer

from agents import notify
from agents.models import AgentStatus
from fleets import admission, places
from fleets.tokens import Expiry, IssuedToken, issue_token
from opamp import intent
from opamp.domain import DjangoDomain
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.pending import BufferLimits
from opamp.proto.opamp_pb2 import ServerErrorResponseType
from telflo.base import hints
from telflo.base.ids import new_id
from tests.factories import TESTER, enrol, make_fleet, make_version
from tests.opamp.agent import Arrive
from tests.opamp.fakes import UID, full, hello, post

pytestmark = pytest.mark.django_db(transaction=True)

UNAVAILABLE = ServerErrorResponseType.ServerErrorResponseType_Unavailable
TIMEOUT_S = 0.1


@pytest.fixture
def redis_url() -> Iterator[str]:
    """Connections wait here to be accepted, as with a process that is stopped."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


@pytest.fixture
def issued() -> IssuedToken:
    """A token by which one agent came in before."""
    fleet = make_fleet(version=make_version())
    issued = issue_token(fleet=fleet, name="test", expires=Expiry.NEVER, actor=TESTER)
    enrol(token=issued, uid=UID)
    return issued


@pytest.fixture
async def gateway(
    redis_url: str, settings: Any, monkeypatch: pytest.MonkeyPatch, issued: IssuedToken
) -> AsyncIterator[Gateway]:
    """It hangs from the start; hints wait in every place that they have. Whatever happens it stops in time."""
    options = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": redis_url, "OPTIONS": options}}
    monkeypatch.setattr(admission, "counting", places.Counting(pause_s=0.5))
    monkeypatch.setattr(intent, "_LAYER_S", TIMEOUT_S)
    layer = RedisChannelLayer(hosts=[{"address": redis_url, "socket_timeout": None}])
    port = hints.EmbeddedPort(asyncio.get_running_loop(), layer)
    before = hints.set_port(port)
    buffer = BufferLimits(flush_s=0.02)
    made = Gateway(DjangoDomain(), lambda: layer, GatewayOptions(buffer=buffer, reconcile_s=0.05))
    made.ensure_started()
    for _ in range(hints.WAITING + 1):
        notify.poke([new_id()])
    yield made
    async with asyncio.timeout(10):
        await made.stop()
    hints.set_port(before)
    await layer.close_pools()


async def test_who_is_known_is_let_in_and_offered_what_it_should_run(
    arrive: Arrive, gateway: Gateway, issued: IssuedToken
) -> None:
    agent = arrive(gateway, issued.secret)
    assert not (await agent.start()).HasField("error_response")
    assert (await agent.wire.reply()).remote_config.config_hash
    await agent.leave()


async def test_newcomers_are_told_to_come_back_and_hold_up_nobody(
    arrive: Arrive, gateway: Gateway, issued: IssuedToken
) -> None:
    many = arrive(gateway, issued.secret)
    await many.start()
    newcomers = [new_id() for _ in range(60)]
    for uid in newcomers:
        many.wire.say(full(uid))
    told: dict[bytes, int] = {}
    while len(told) < len(newcomers):
        reply = await many.wire.reply()
        told[reply.instance_uid] = reply.error_response.type
    del told[UID.bytes]
    assert set(told.values()) == {UNAVAILABLE}
    await many.leave()


async def test_over_plain_http_it_is_the_same(gateway: Gateway, issued: IssuedToken) -> None:
    bodies = [full(new_id()).SerializeToString() for _ in range(60)]
    asked = [asyncio.create_task(post(gateway, issued.secret, body)) for body in bodies]
    assert (await post(gateway, issued.secret, full().SerializeToString()))[0] == 200
    assert {status for status, _ in await asyncio.gather(*asked)} == {503}


async def test_what_was_said_right_before_the_stop_is_stored(
    arrive: Arrive, gateway: Gateway, issued: IssuedToken
) -> None:
    agent = arrive(gateway, issued.secret)
    await agent.start()
    report = hello(sequence_num=1)
    report.health.last_error = "no such host"
    agent.wire.say(report)
    await agent.wire.reply()
    async with asyncio.timeout(10):
        await gateway.stop()
    row = await AgentStatus.objects.aget(agent_id=UID)
    assert (row.last_error, row.connected) == ("no such host", False)
