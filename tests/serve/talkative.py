"""Who speaks to a real server along the ways that secrets take: a person's browser, hosts, collectors."""

import asyncio
import base64
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from agents.snapshot import Capability
from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent
from tests.opamp.fakes import CAPABILITIES, full

ABLE = CAPABILITIES | int(
    Capability.ACCEPTS_OPAMP_CONNECTION_SETTINGS | Capability.REPORTS_OWN_METRICS
)
IN_HEADER, IN_QUERY, IN_BYTES = "hunter2-in-a-header", "hunter2-in-a-query", "hunter2-in-bytes"
BASIC = base64.b64encode(b"user:hunter2-in-basic").decode()
STRAY = {
    "X-Api-Key": IN_HEADER,
    "X-Webhook-Secret": IN_HEADER,
    "X-Hub-Signature-256": f"sha256={IN_HEADER}",
    "Proxy-Authorization": f"Basic {BASIC}",
    "Cookie": f"session={IN_HEADER}",
}
"""What programs and proxies put beside a request."""


@dataclass
class Browser:
    """A person's session; `secrets` are those that were typed, sent or answered."""

    url: str
    secrets: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=60, follow_redirects=True)

    def secret(self, text: str) -> str:
        """This is one."""
        self.secrets.add(text)
        return text

    def sign_in(self, password: str) -> httpx.Response:
        self.http.get("/accounts/login/")
        answer = self.post("/accounts/login/", username="admin", password=self.secret(password))
        self.secrets |= set(self.http.cookies.values())
        return answer

    def post(self, path: str, **form: str) -> httpx.Response:
        """A form."""
        token = self.http.cookies["csrftoken"]
        return self.http.post(path, data={**form, "csrfmiddlewaretoken": token})

    def call(self, path: str, status: int, method: str = "POST", **body: Any) -> Any:
        """The API, by the session."""
        headers = {"X-CSRFToken": self._csrf_token()}
        answer = self.http.request(method, f"/api/v1/{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        made = answer.json()
        self.secrets |= {made[name] for name in ("secret", "link") if made.get(name)}
        return made

    def type_passwords(self, page: str, to: str = "") -> None:
        """Into every field of the page that asks for one, each another, so that they are refused."""
        inputs = re.findall(r"<input[^>]*>", self.http.get(page).text)
        fields = [one for one in inputs if 'type="password"' in one]
        names = [name for one in fields for name in re.findall(r' name="(\w+)"', one)]
        assert len(names) > 1
        typed = {name: self.secret(f"hunter2-typed-into-{name}") for name in names}
        assert self.post(to or page, **typed).status_code == 422

    def _csrf_token(self) -> str:
        page = self.http.get("/accounts/profile/").text
        [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[:1])
        return str(token)


@dataclass
class Collector:
    """An agent on the server's OpAMP endpoint, over either transport."""

    url: str
    uid: UUID
    secrets: set[str]

    def come(self, secret: str, *, offers: int = 0) -> list[str]:
        """Over a WebSocket, until so many answers held connection settings: the bearer tokens in them."""
        return asyncio.run(self._come(secret, offers))

    async def _come(self, secret: str, offers: int) -> list[str]:
        found: list[str] = []
        async with connect(self._address, additional_headers=_bearer(secret), proxy=None) as socket:
            await socket.send(b"\x00" + self._first().SerializeToString())
            seen = 0
            while seen < max(1, offers):
                async with asyncio.timeout(60):
                    frame = await socket.recv()
                assert isinstance(frame, bytes)
                answer = ServerToAgent.FromString(frame[1:])
                assert not answer.HasField("error_response"), answer
                has_settings = answer.HasField("connection_settings")
                seen += has_settings or not offers
                found += _headers_in(answer)
            await socket.send(b"\x00" + IN_BYTES.encode())
            await socket.recv()
        self.secrets |= {value.removeprefix("Bearer ") for value in found} | {IN_BYTES}
        return [value.removeprefix("Bearer ") for value in found if value.startswith("Bearer ")]

    def is_refused(self, **headers: str) -> None:
        """With these headers, over both transports."""
        asyncio.run(self._is_refused(headers))
        kind = {"Content-Type": "application/x-protobuf"}
        body = self._first().SerializeToString()
        path = f"{self.url}/v1/opamp?token={IN_QUERY}"
        assert httpx.post(path, content=body, headers={**kind, **headers}).status_code == 401

    async def _is_refused(self, headers: dict[str, str]) -> None:
        address = f"{self._address}?token={IN_QUERY}"
        with pytest.raises(InvalidStatus) as refused:
            await connect(address, additional_headers=headers, proxy=None)
        assert refused.value.response.status_code == 401

    def post(self, secret: str) -> None:
        """Over plain HTTP; once in order, once what is no message, once as another kind."""
        path, bearer = f"{self.url}/v1/opamp", _bearer(secret)
        kind = {"Content-Type": "application/x-protobuf", **bearer, **STRAY}
        body = self._first().SerializeToString()
        assert httpx.post(path, content=body, headers=kind).status_code == 200
        httpx.post(path, content=IN_BYTES.encode(), headers=kind)
        httpx.post(path, content=IN_BYTES.encode(), headers=bearer)

    def _first(self) -> AgentToServer:
        """All that a collector can tell of itself that may hold a secret."""
        message = full(self.uid)
        message.capabilities = ABLE
        file = message.effective_config.config_map.config_map[""]
        file.body = f"exporters: {{otlp: {{headers: {{api-key: {IN_BYTES}}}}}}}".encode()
        message.health.healthy = False
        message.health.last_error = f"Get https://user:{IN_BYTES}@backend.example: refused"
        message.remote_config_status.error_message = f"authorization: Bearer {IN_BYTES}"
        return message

    @property
    def _address(self) -> str:
        return self.url.replace("http", "ws", 1) + "/v1/opamp"


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def _headers_in(answer: ServerToAgent) -> list[str]:
    offers = answer.connection_settings
    parts = (offers.opamp, offers.own_metrics, offers.own_traces, offers.own_logs)
    return [header.value for part in parts for header in part.headers.headers]
