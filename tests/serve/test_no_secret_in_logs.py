"""A real server at its most talkative, driven along every way that a secret takes: none is in what it logs."""

import asyncio
import re
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.serve.talkative import BASIC, IN_BYTES, IN_HEADER, IN_QUERY, STRAY, Browser, Collector
from tests.serve.test_processes import Command, Start, migrated, start, until

__all__ = ["migrated", "start"]

PASSWORD = "correct-horse-battery-staple"
IN_TEXT = "hunter2-in-the-configuration"
METRICS = "hunter2-for-prometheus"
KEY = "hunter2-of-own-telemetry"
ALWAYS = {PASSWORD, IN_TEXT, METRICS, KEY, BASIC, IN_BYTES, IN_HEADER, IN_QUERY}
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
LOG_FORMATS = {"text": " DEBUG ", "json": '"level": "debug"'}


@pytest.fixture(params=LOG_FORMATS)
def log_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(start: Start, log_format: str, migrated: Path, tmp_path: Path) -> Command:
    shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    return start(
        "serve",
        "--embedded",
        TELFLO_LOG_LEVEL="DEBUG",
        TELFLO_LOG_FORMAT=log_format,
        TELFLO_ADMIN_PASSWORD=PASSWORD,
        TELFLO_METRICS_TOKEN=METRICS,
        # Where credentials are offered for; nobody follows.
        TELFLO_OPAMP_URL="ws://127.0.0.1:1/v1/opamp",
    )


def test_no_secret_is_logged(server: Command, log_format: str, tmp_path: Path) -> None:
    url = server.line("Telflo is at").split()[-1]
    read = _reading(server)
    browser = Browser(url)
    browser.secrets |= ALWAYS
    assert "do not match" in browser.sign_in("wrong-but-nearly-right-horse").text
    assert browser.sign_in(PASSWORD).url.path == "/"
    token = _make_things(browser)
    _type_passwords(browser)
    _use_api_tokens(browser)
    _install(browser)
    _offer_connection_settings(browser)
    _speak_opamp(browser, token)
    _rotate_and_revoke(browser)
    _watch_pages(browser)
    _ask_for_metrics(browser)
    _break_the_database(tmp_path)
    _fail(browser, token)
    browser.http.close()
    until(lambda: "".join(server.lines).count("Traceback") > 2)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
    read.join(60)
    output = "".join(server.lines)
    assert LOG_FORMATS[log_format] in output
    kinds = {secret[:6] for secret in browser.secrets if secret.startswith("tlf_")}
    assert kinds == {"tlf_e_", "tlf_a_", "tlf_u_"}
    leaks = [line for line in server.lines if any(one in line for one in browser.secrets)]
    assert leaks == []


def _reading(server: Command) -> Thread:
    """Reads on while the server writes: a full pipe would stop it."""
    assert server.process.stdout is not None
    reader = Thread(target=server.lines.extend, args=(server.process.stdout,), daemon=True)
    reader.start()
    return reader


def _make_things(browser: Browser) -> str:
    """A configuration, and two fleets on it; answers the secret of a token of the first."""
    line = browser.call("configurations/", 201, name="edge")
    made = browser.call(f"configurations/{line['id']}/versions/", 201, yaml=YAML)
    browser.call(f"versions/{made['id']}/publish/", 200, accept_warnings=True)
    browser.http.get(f"/api/v1/versions/{made['id']}/?raw=1")
    for name in ("edge", "core"):
        browser.call("fleets/", 201, name=name, version=made["id"])
    issued = browser.call("fleets/edge/tokens/", 201, name="all", expires="never")
    return str(issued["secret"])


def _type_passwords(browser: Browser) -> None:
    """One's own, and a new person's by the link."""
    browser.type_passwords("/accounts/profile/", to="/accounts/password/")
    link = browser.call("people/", 201, username="ada", role="viewer")["link"]
    browser.secret(link.rstrip("/").rpartition("/")[2])
    guest = Browser(browser.url, browser.secrets)
    guest.type_passwords(link)
    guest.secrets |= set(guest.http.cookies.values())
    guest.http.close()


def _use_api_tokens(browser: Browser) -> None:
    secret = browser.call("api-tokens/", 201, name="script", scope="read")["secret"]
    wrong = browser.secret(f"{secret[:-4]}zzzz")
    for given in (f"Bearer {secret}", f"Bearer {wrong}", f"Token {wrong}", f"Basic {BASIC}"):
        headers = {"Authorization": given, **STRAY}
        httpx.get(f"{browser.url}/api/v1/fleets/?token={IN_QUERY}", headers=headers)
        httpx.post(f"{browser.url}/api/v1/fleets/", headers=headers, content=IN_BYTES)


def _install(browser: Browser) -> None:
    """Every address of the script, also with wrong methods and codes."""
    secret = {"BACKEND_TOKEN": browser.secret("hunter2-of-the-host")}
    wanted: dict[str, Any] = {"platform": "linux_amd64", "secret_environment": secret}
    deployment = browser.call("fleets/edge/deployments/", 201, **wanted)
    [code] = set(re.findall(r"/install/(\w+)", deployment["command"]))
    wrong = browser.secret(f"{browser.secret(code)[:-4]}zzzz")
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/check"), ("GET", "/claim")):
        httpx.request(method, f"{browser.url}/install/{code}{path}", headers=STRAY)
    body = {"host": "h", "os": "linux", "arch": "amd64"}
    for tried in (wrong, code, code):
        claimed = httpx.post(f"{browser.url}/install/{tried}/claim", data=body)
        browser.secrets |= set(re.findall(r"tlf_e_\w+", claimed.text))


def _offer_connection_settings(browser: Browser) -> None:
    """By the API and by the form, also what is refused."""
    path = "fleets/edge/connection-settings/"
    metrics = {"endpoint": "https://o.example/v1/metrics", "headers": {"x-api-key": KEY}}
    browser.call(path, 200, "PATCH", own_credentials=True, own_telemetry={"metrics": metrics})
    refused = browser.secret("hunter2-that-is-refused")
    bad = {**metrics, "headers": {"x-api-key": f'{refused}"'}}
    browser.call(path, 422, "PATCH", own_telemetry={"metrics": bad})
    for lines in (f"x-api-key: {refused}", f"no header {refused}"):
        form = {"logs_endpoint": "https://user:pass@o.example", "logs_headers": lines}
        assert browser.post("/fleets/edge/connection/", **form).status_code == 422


def _speak_opamp(browser: Browser, token: str) -> None:
    """By the fleet's token, by the credential that is offered, and by what is none."""
    agent = Collector(browser.url, UUID(int=1), browser.secrets)
    [own] = agent.come(token, offers=1)
    agent.come(own)
    Collector(browser.url, UUID(int=2), browser.secrets).post(token)
    wrong = [browser.secret(f"{one[:-4]}zzzz") for one in (token, own)]
    for given in (*(f"Bearer {one}" for one in wrong), f"Basic {BASIC}"):
        agent.is_refused(Authorization=given, **STRAY)
    agent.is_refused(**STRAY)


def _rotate_and_revoke(browser: Browser) -> None:
    """Who comes by the old token in the overlap is offered the new one."""
    old = browser.call("fleets/core/tokens/", 201, name="core", expires="never")
    new = browser.call(f"tokens/{old['id']}/rotate/", 201, overlap_seconds=3600)
    agent = Collector(browser.url, UUID(int=3), browser.secrets)
    assert agent.come(old["secret"], offers=1) == [new["secret"]]
    browser.call(f"tokens/{old['id']}/revoke/", 200, reason="tried")
    agent.is_refused(Authorization=f"Bearer {old['secret']}")


def _watch_pages(browser: Browser) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
    asyncio.run(_watch(browser.url, {**STRAY, "Cookie": cookies}))


async def _watch(url: str, headers: dict[str, str]) -> None:
    address = url.replace("http", "ws", 1) + "/ws/live/"
    async with connect(address, additional_headers=headers, origin=_origin(url), proxy=None):
        pass


def _origin(url: str) -> Any:
    return url


def _ask_for_metrics(browser: Browser) -> None:
    browser.secret(f"{METRICS}-not")
    for secret, status in ((METRICS, 200), (f"{METRICS}-not", 401)):
        headers = {"Authorization": f"Bearer {secret}"}
        answer = httpx.get(f"{browser.url}/metrics", headers=headers)
        assert answer.status_code == status
        assert [secret for secret in browser.secrets if secret in answer.text] == []


def _break_the_database(data: Path) -> None:
    """Whatever is asked of the domain from now on fails with a traceback; people are still signed in."""
    [file] = data.glob("*.sqlite3")
    with closing(sqlite3.connect(file, timeout=60)) as database:
        rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in rows:
            if name.startswith(("fleets_", "agents_", "configs_", "base_a")):
                database.execute(f"ALTER TABLE {name} RENAME TO gone_{name}")


def _fail(browser: Browser, token: str) -> None:
    """Every way once more, each with secrets in its address, headers and body."""
    http = browser.http
    made = re.compile(r"(?!.*(hunter2|horse))[\w-]{16,}")
    random = [one for one in sorted(browser.secrets) if made.fullmatch(one)]
    bearers = [{"Authorization": f"Bearer {one}"} for one in random if one.startswith("tlf_")]
    for bearer in bearers:
        http.get("/api/v1/fleets/", headers={**bearer, **STRAY})
    for secret in random:
        http.get(f"/accounts/link/{secret}/")
        if secret.isalnum():  # as codes are
            http.post(f"/install/{secret}/claim", data={"host": secret})
    body = {"name": IN_BYTES, "yaml": YAML, "headers": {"x-api-key": KEY}, "password": PASSWORD}
    for path in ("configurations", "fleets", "people", "api-tokens", "fleets/edge/deployments"):
        http.post(f"/api/v1/{path}/?token={IN_QUERY}", json=body, headers=bearers[0])
        browser.post(f"/{path}/?token={IN_QUERY}", secret_environment=IN_BYTES, yaml=YAML)
    browser.post("/accounts/login/", username="admin", password=PASSWORD)
    browser.post("/fleets/edge/connection/", logs_endpoint="https://o.example", logs_headers=KEY)
    kind = {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {token}"}
    http.post("/v1/opamp", content=IN_BYTES.encode(), headers=kind)


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
        "serve",
        program=("-m", "tests.serve.impatient"),
        TELFLO_LOG_LEVEL="DEBUG",
        **{"REDIS_URL": "redis://127.0.0.1:1/0", **environment},
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
