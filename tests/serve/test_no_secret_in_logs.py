"""A real server at its most talkative, driven along every way that a secret takes: none is in what it logs."""

import asyncio
import re
import signal
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from opamp.proto.opamp_pb2 import ServerToAgent
from tests.opamp.fakes import full
from tests.serve.test_processes import Command, Start, start

__all__ = ["start"]

PASSWORD = "correct-horse-battery-staple"
IN_TEXT = "hunter2-in-the-configuration"
METRICS = "hunter2-for-prometheus"
YAML = f"""\
receivers:
  otlp:
    protocols: {{grpc: {{endpoint: "127.0.0.1:4317"}}}}
exporters:
  otlphttp:
    endpoint: https://user:{IN_TEXT}@backend.example
    headers: {{authorization: "Bearer {IN_TEXT}"}}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlphttp]}}
"""


@dataclass
class Browser:
    """A person's session; `secrets` are those it met."""

    url: str
    secrets: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=60, follow_redirects=True)

    def sign_in(self, password: str) -> httpx.Response:
        self.http.get("/accounts/login/")
        form = {"username": "admin", "password": password, **self.csrf}
        answer = self.http.post("/accounts/login/", data=form)
        self.secrets |= set(self.http.cookies.values()) | {password}
        return answer

    @property
    def csrf(self) -> dict[str, str]:
        return {"csrfmiddlewaretoken": self.http.cookies["csrftoken"]}

    def call(self, path: str, status: int, **body: Any) -> Any:
        headers = {"X-CSRFToken": self._csrf_token()}
        answer = self.http.post(f"/api/v1/{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        made = answer.json()
        self.secrets |= {made[name] for name in ("secret", "link") if made.get(name)}
        return made

    def _csrf_token(self) -> str:
        page = self.http.get("/accounts/profile/").text
        [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[:1])
        return str(token)


@pytest.fixture
def server(start: Start) -> Command:
    return start(
        "serve",
        "--embedded",
        TELFLO_LOG_LEVEL="DEBUG",
        TELFLO_LOG_FORMAT="json",
        TELFLO_ADMIN_PASSWORD=PASSWORD,
        TELFLO_METRICS_TOKEN=METRICS,
    )


def test_no_secret_is_logged(server: Command) -> None:
    url = server.line("Telflo is at").split()[-1]
    read = _reading(server)
    browser = Browser(url)
    assert "do not match" in browser.sign_in("wrong-but-nearly-right-horse").text
    assert browser.sign_in(PASSWORD).url.path == "/"
    token, code = _make_things(browser)
    _install(browser, code)
    _speak_opamp(url, token)
    _ask_for_metrics(browser)
    browser.http.close()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
    read.join(60)
    output = "".join(server.lines)
    assert '"level": "debug"' in output
    leaked = [secret for secret in browser.secrets | {IN_TEXT, METRICS, code} if secret in output]
    assert leaked == []


def _reading(server: Command) -> Thread:
    """Reads on while the server writes: a full pipe would stop it."""
    assert server.process.stdout is not None
    reader = Thread(target=server.lines.extend, args=(server.process.stdout,), daemon=True)
    reader.start()
    return reader


def _make_things(browser: Browser) -> tuple[str, str]:
    """A configuration, a fleet on it, tokens, a person, a deployment; answers a token's secret and the code."""
    line = browser.call("configurations/", 201, name="edge")
    made = browser.call(f"configurations/{line['id']}/versions/", 201, yaml=YAML)
    browser.call(f"versions/{made['id']}/publish/", 200)
    browser.http.get(f"/api/v1/versions/{made['id']}/?raw=1")
    fleet = browser.call("fleets/", 201, name="edge", version=made["id"])
    issued = browser.call(f"fleets/{fleet['slug']}/tokens/", 201, name="all", expires="never")
    browser.call("people/", 201, username="ada", role="viewer")
    browser.call("api-tokens/", 201, name="script", scope="read")
    deployment = browser.call(
        f"fleets/{fleet['slug']}/deployments/",
        201,
        platform="linux_amd64",
        secret_environment={"BACKEND_TOKEN": "hunter2-of-the-host"},
    )
    browser.secrets.add("hunter2-of-the-host")
    [code] = set(re.findall(r"/install/(\w+)", deployment["command"]))
    for secret in browser.secrets:
        if secret.startswith("tlf_u_"):
            httpx.get(
                f"{browser.url}/api/v1/fleets/", headers={"Authorization": f"Bearer {secret}"}
            )
    for link in [secret for secret in browser.secrets if "/accounts/link/" in secret]:
        httpx.get(link)
        browser.secrets |= {link.rstrip("/").rpartition("/")[2]}
    return issued["secret"], code


def _install(browser: Browser, code: str) -> None:
    """Every address of the script, also with wrong methods."""
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/check"), ("GET", "/claim")):
        httpx.request(method, f"{browser.url}/install/{code}{path}")
    body = {"host": "h", "os": "linux", "arch": "amd64"}
    claimed = httpx.post(f"{browser.url}/install/{code}/claim", data=body)
    browser.secrets |= set(re.findall(r"tlf_e_\w+", claimed.text))


def _speak_opamp(url: str, token: str) -> None:
    """With a good and a wrong token, over both transports."""
    address = url.replace("http", "ws", 1) + "/v1/opamp"
    body = full().SerializeToString()
    for secret, status in ((token, 200), (f"{token}x", 401)):
        headers = {"Authorization": f"Bearer {secret}"}
        asyncio.run(_say(address, headers, b"\x00" + body, refused=status != 200))
        post = {**headers, "Content-Type": "application/x-protobuf"}
        assert httpx.post(f"{url}/v1/opamp", content=body, headers=post).status_code == status


async def _say(address: str, headers: dict[str, str], frame: bytes, *, refused: bool) -> None:
    if refused:
        with pytest.raises(InvalidStatus):
            await connect(address, additional_headers=headers, proxy=None)
        return
    async with connect(address, additional_headers=headers, proxy=None) as socket:
        await socket.send(frame)
        answer = await socket.recv()
        assert isinstance(answer, bytes)
        assert not ServerToAgent.FromString(answer[1:]).HasField("error_response")


def _ask_for_metrics(browser: Browser) -> None:
    answer = httpx.get(f"{browser.url}/metrics", headers={"Authorization": f"Bearer {METRICS}"})
    assert answer.status_code == 200
    found = [secret for secret in browser.secrets if secret in answer.text]
    assert found == []


@pytest.mark.parametrize(
    "environment",
    [
        {"DATABASE_URL": "postgres://telflo:hunter2@127.0.0.1:1/telflo"},
        {"DATABASE_URL": "postgres://telflo:hunter2@127.0.0.1:notaport/telflo"},
        {"REDIS_URL": "redis://:hunter2@127.0.0.1:1/0"},
        {"REDIS_URL": "http://:hunter2@127.0.0.1:1/0"},
        {"TELFLO_ENCRYPTION_KEYS": "hunter2"},
    ],
)
def test_an_address_or_a_key_that_is_wrong_is_not_shown(
    start: Start, environment: dict[str, str]
) -> None:
    command = start(
        "serve", TELFLO_LOG_LEVEL="DEBUG", **{"REDIS_URL": "redis://127.0.0.1:1/0", **environment}
    )
    try:
        url = command.line("Telflo is at").split()[-1]
    except AssertionError:
        assert "hunter2" not in "".join(command.lines)
        return
    assert httpx.get(f"{url}/readyz", timeout=60).status_code == 503
    command.end()
    output = "".join(command.lines)
    assert "Not ready" in output
    assert "hunter2" not in output
