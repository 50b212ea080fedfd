"""Answers over plain HTTP that nobody reads: they count as open requests, and are cut."""

from typing import Any

import pytest

from agents.snapshot import ConfigFile
from fleets.offer import Offer
from opamp.proto.opamp_pb2 import ServerToAgent
from tests.opamp.fakes import HASH, SECRET, UID, UID2, full
from tests.opamp.waiting import until
from tests.serve.conftest import Running, quick
from tests.serve.raw import Raw

BODY = bytes(8 * 1024 * 1024)


def request(uid: Any = UID) -> bytes:
    body = full(uid).SerializeToString()
    lines = (
        "POST /v1/opamp HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {SECRET}",
        "Content-Type: application/x-protobuf",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


def offer_to_all(running: Running) -> None:
    running.domain.offers[HASH] = Offer(HASH, (ConfigFile("", BODY, "text/yaml"),))
    running.domain.desired = {UID: HASH, UID2: HASH}


@pytest.mark.parametrize("running", ["uvicorn"], indirect=True)
@pytest.mark.parametrize("options", [quick(send_timeout_s=1.0)])
async def test_an_answer_that_nobody_reads_is_cut(running: Running) -> None:
    offer_to_all(running)
    deaf = await Raw.open(running.port, takes=4096)
    deaf.send(request())
    counters = running.gateway.counters
    await until(lambda: counters.limits["send_timeout_s"] == 1)
    await until(lambda: running.gateway.polls.open == 0)
    assert counters.cut_connections == 1
    assert len(await deaf.rest()) < len(BODY)


@pytest.mark.parametrize("running", ["uvicorn"], indirect=True)
@pytest.mark.parametrize("options", [quick(send_timeout_s=30.0, requests_per_token=1)])
async def test_a_request_is_open_until_its_answer_is_read(running: Running) -> None:
    offer_to_all(running)
    slow = await Raw.open(running.port, takes=4096)
    slow.send(request())
    head = await slow.until(b"\r\n\r\n")
    other = await Raw.open(running.port)
    other.send(request(UID2))
    assert (await other.until(b"\r\n")).startswith(b"HTTP/1.1 429 ")
    size = int(head.lower().partition(b"content-length: ")[2].split()[0])
    answer = ServerToAgent.FromString(await slow.reader.readexactly(size))
    assert answer.remote_config.config.config_map[""].body == BODY
    await until(lambda: running.gateway.polls.open == 0)
    assert running.gateway.counters.cut_connections == 0
