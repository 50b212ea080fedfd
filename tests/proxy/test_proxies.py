"""What must come through a proxy unharmed: long connections, refusals in words, addresses, bodies, pages' sockets."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from opamp.proto.opamp_pb2 import ServerToAgent
from tests.e2e.harness.api import Api
from tests.e2e.harness.proxies import IDLE_S, Certificate, Ports, Proxy, start_proxy
from tests.e2e.harness.server import ADMIN, PASSWORD, free_port
from tests.e2e.harness.waiting import wait_until
from tests.opamp.fakes import comes_back, full, hello
from tests.proxy.conftest import Ill, Proxied

PROTOBUF = "application/x-protobuf"


def agent(proxy: Proxy, certificate: Certificate, token: str, **more: Any) -> connect:
    headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
    return connect(
        f"{proxy.websocket_url}/v1/opamp",
        additional_headers=headers,
        ssl=certificate.trust,
        proxy=None,
        compression=None,
        **more,
    )


def client(proxy: Proxy, certificate: Certificate) -> httpx.Client:
    return httpx.Client(base_url=proxy.url, verify=certificate.trust, timeout=30)


async def say(socket: Any, uid: UUID, number: int = 0) -> ServerToAgent:
    message = full(uid) if number == 0 else hello(uid, number)
    await socket.send(b"\x00" + message.SerializeToString())
    async with asyncio.timeout(20):
        answer = await socket.recv()
    return ServerToAgent.FromString(answer[1:])


async def test_a_connection_outlives_the_proxys_timeout_while_it_is_pinged(
    proxy: Proxy, certificate: Certificate, token: str
) -> None:
    uid = uuid4()
    async with agent(proxy, certificate, token, ping_interval=IDLE_S / 5) as socket:
        assert (await say(socket, uid)).instance_uid == uid.bytes
        # Nothing but pings for twice the time after which an idle connection is cut.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.2 * IDLE_S):
                await socket.recv()
        assert not (await say(socket, uid, 1)).HasField("error_response")


async def test_without_pings_the_proxy_cuts_it(
    proxy: Proxy, certificate: Certificate, token: str
) -> None:
    # So the test above shows what keeps a connection, and that the file's time is the one that counts.
    async with agent(proxy, certificate, token, ping_interval=None) as socket:
        await say(socket, uuid4())
        async with asyncio.timeout(10 * IDLE_S):
            with pytest.raises(ConnectionClosed):
                await socket.recv()


async def test_a_refusal_comes_with_its_words(
    proxy: Proxy, certificate: Certificate, token: str
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await agent(proxy, certificate, f"{token}x")
    response = caught.value.response
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert b"token" in (response.body or b"")


def test_a_post_with_a_chunked_body_is_answered(
    proxy: Proxy, certificate: Certificate, token: str
) -> None:
    uid = uuid4()

    def parts() -> Iterator[bytes]:
        body = full(uid).SerializeToString()
        yield body[:5]
        yield body[5:]

    headers = {"Authorization": f"Bearer {token}", "Content-Type": PROTOBUF}
    with client(proxy, certificate) as http:
        answer = http.post("/v1/opamp", content=parts(), headers=headers)
    assert answer.request.headers["Transfer-Encoding"] == "chunked"
    assert answer.status_code == 200
    assert ServerToAgent.FromString(answer.content).instance_uid == uid.bytes


def test_who_is_told_to_come_back_is_told_when(
    proxy: Proxy, certificate: Certificate, api: Api
) -> None:
    made = api.post("/fleets/edge/tokens/", {"name": proxy.name, "expires": "never"})
    headers = {"Authorization": f"Bearer {made['secret']}", "Content-Type": PROTOBUF}
    answers: list[httpx.Response] = []
    with client(proxy, certificate) as http:
        # 20 a minute of the clock: when one ends meanwhile, it takes as many again.
        while len(answers) <= 60 and (not answers or answers[-1].status_code == 200):
            body = full(uuid4()).SerializeToString()
            answers.append(http.post("/v1/opamp", content=body, headers=headers))
    assert (answers[-1].status_code, len(answers) > 20) == (503, True)
    assert comes_back(answers[-1].headers["Retry-After"])
    assert "Too many new collectors a minute" in answers[-1].text


async def test_the_clients_own_address_arrives_and_no_made_up_one(
    proxy: Proxy, certificate: Certificate, token: str, server: Proxied
) -> None:
    uid = uuid4()
    host = {"nginx": "127.0.0.21", "haproxy": "127.0.0.22"}[proxy.name]
    made_up = {"X-Forwarded-For": "203.0.113.9"}
    opening = agent(proxy, certificate, token, headers=made_up, local_addr=(host, 0))
    async with opening as socket:
        await say(socket, uid)
    with sqlite3.connect(server.data / "telflo.sqlite3") as database:
        query = "SELECT remote_address FROM agents_agentstatus WHERE agent_id = ?"
        [(address,)] = database.execute(query, [uid.hex]).fetchall()
    assert address == host


async def test_pages_are_live(proxy: Proxy, certificate: Certificate, api: Api) -> None:
    with client(proxy, certificate) as http:
        _sign_in(http)
        cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        page = http.get("/")
    assert page.status_code == 200
    assert all("secure" in cookie.lower() for cookie in page.headers.get_list("set-cookie"))
    live = connect(
        f"{proxy.websocket_url}/ws/live/",
        additional_headers={"Cookie": cookies},
        origin=proxy.url,  # type: ignore[arg-type]  # a plain string is one
        ssl=certificate.trust,
        proxy=None,
        ping_interval=IDLE_S / 5,
    )
    async with live as socket:
        await socket.send(json.dumps({"subscribe": ["fleets"]}))
        name = f"made behind {proxy.name}"
        await asyncio.to_thread(api.post, "/fleets/", {"name": name, "version": None})
        async with asyncio.timeout(20):
            assert json.loads(await socket.recv())["topic"] == "fleets"


def _sign_in(http: httpx.Client) -> None:
    http.get("/accounts/login/")
    form = {
        "username": ADMIN,
        "password": PASSWORD,
        "csrfmiddlewaretoken": http.cookies["csrftoken"],
    }
    answer = http.post("/accounts/login/", data=form, headers={"Referer": f"{http.base_url}"})
    assert answer.status_code == 302, answer.text


def test_the_install_script_comes_through_and_names_the_public_address(
    proxy: Proxy, certificate: Certificate, api: Api
) -> None:
    deployment = api.deploy("edge", "linux_amd64", "0.158.0")
    assert deployment.script_url.startswith(f"{proxy.url}/install/")
    path = deployment.script_url.removeprefix(proxy.url)
    with client(proxy, certificate) as http:
        script = http.get(path)
        check = http.get(f"{path}/check")
    assert script.headers["Content-Type"].startswith("text/x-shellscript")
    assert proxy.url in script.text
    assert re.fullmatch(r"time=\d+\n", check.text)


@pytest.mark.parametrize("name", ["nginx", "haproxy"])
def test_while_telflo_is_away_no_log_has_a_code(
    name: str, tmp_path: Path, certificate: Certificate
) -> None:
    away = free_port()
    proxy = start_proxy(name, tmp_path, Ports(free_port(), away, away), certificate)
    try:
        with client(proxy, certificate) as http:
            for path in ("/install/c0de", "/install/c0de/claim", "/accounts/link/c0de/", "/seen/"):
                assert http.get(path).status_code in {502, 503}
    finally:
        proxy.process.end()
    logs = "".join(file.read_text() for file in tmp_path.glob("*log"))
    assert "c0de" not in logs
    if name == "nginx":
        assert '"GET /seen/' in logs, "so an error of another path is written"


def test_metrics_stay_inside(proxy: Proxy, certificate: Certificate) -> None:
    with client(proxy, certificate) as http:
        assert http.get("/metrics").status_code == 403


def test_a_large_text_reaches_the_server_which_says_what_is_wrong(
    proxy: Proxy, certificate: Certificate, api: Api
) -> None:
    with client(proxy, certificate) as http:
        answer = http.post("/api/v1/fleets/", content=b"x" * 20 * 1024 * 1024)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["nginx", "haproxy"])
async def test_with_a_gateway_upgrades_go_there_and_posts_do_not(
    name: str,
    tmp_path: Path,
    server: Proxied,
    certificate: Certificate,
    token: str,
    elsewhere: int,
) -> None:
    # A port of its own: the other proxies of this run may still be there.
    ports = Ports(free_port(), server.port, elsewhere)
    proxy = start_proxy(name, tmp_path, ports, certificate)
    try:
        with pytest.raises(InvalidStatus) as caught:
            await agent(proxy, certificate, token)
        response = caught.value.response
        assert (response.status_code, response.headers["Retry-After"]) == (503, "17")
        assert response.body == b"here is the gateway\n"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": PROTOBUF}
        with client(proxy, certificate) as http:
            body = full(uuid4()).SerializeToString()
            # Only an upgrade to a WebSocket goes there: an offer of HTTP/2 changes nothing.
            for more in ({}, {"Upgrade": "h2c", "Connection": "Upgrade"}):
                answer = http.post("/v1/opamp", content=body, headers={**headers, **more})
                assert answer.status_code == 200
            assert http.get("/healthz").text == "ok\n"
    finally:
        proxy.process.end()


def test_while_the_database_is_away_the_servers_own_answer_comes_through(
    tmp_path: Path, certificate: Certificate, ill: Ill
) -> None:
    # HAProxy alone asks by itself whether a server lives. One that is taken out answers nobody any more.
    proxy = start_proxy("haproxy", tmp_path, Ports(free_port(), ill.port, ill.port), certificate)
    try:
        # Three failed checks take a server out.
        wait_until(
            lambda: len(ill.asked) > 4,
            what="five checks",
            within_s=30,
            evidence=lambda: str(ill.asked),
        )
        with client(proxy, certificate) as http:
            answer = http.get("/fleets/")
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "10")
    finally:
        proxy.process.end()
