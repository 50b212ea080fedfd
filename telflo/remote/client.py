"""The REST API over HTTP, by the standard library alone. No redirect is followed: it would carry the token away."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

_TIMEOUT_S: Final = 30
_MOST_BYTES: Final = 16 * 2**20


class Unreachable(Exception):
    """No answer, or none of Telflo's; a later try may get one."""


class WrongSettings(Exception):
    """Address or token are missing or no such thing."""


class Answered(Exception):
    """The server refused. problem: its RFC 9457 body."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or f"the server answered {status}"))
        self.status = status
        self.problem = problem

    @property
    def kind(self) -> str:
        """The last word of its type: "preflight-errors"."""
        return str(self.problem.get("type", "")).rpartition(":")[2]


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Refuse: the answer becomes an error."""


@dataclass(frozen=True, slots=True)
class Client:
    """Calls `{url}/api/v1/…` with a person's token."""

    url: str
    token: str
    opener: OpenerDirector

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Client":
        """By TELFLO_URL, TELFLO_API_TOKEN or TELFLO_API_TOKEN_FILE, and TELFLO_CA_FILE. Raises WrongSettings."""
        url = environment.get("TELFLO_URL", "").rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise WrongSettings(
                "Set TELFLO_URL to the server's address: https://telflo.example.com"
            )
        handler = HTTPSHandler(context=_context(environment.get("TELFLO_CA_FILE", "")))
        return cls(url, _token(environment), build_opener(_NoRedirect, handler))

    def get(self, path: str, **parameters: str) -> Any:
        """Raises Answered and Unreachable."""
        return self._call("GET", f"{path}?{urlencode(parameters)}" if parameters else path)

    def post(self, path: str, body: Mapping[str, Any], *, key: str = "") -> Any:
        """key: as Idempotency-Key. Raises Answered and Unreachable."""
        return self._call("POST", path, body, {"Idempotency-Key": key} if key else {})

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        # The scheme was checked in of().
        request = Request(  # noqa: S310
            f"{self.url}/api/v1/{path}", data, headers | dict(more or {}), method=method
        )
        try:
            with self.opener.open(request, timeout=_TIMEOUT_S) as answer:
                return _read(answer.read(_MOST_BYTES))
        except HTTPError as error:
            raise _refusal(error) from None
        except (URLError, OSError, HTTPException) as error:
            raise Unreachable(f"{self.url} does not answer: {_why(error)}") from None


def _refusal(error: HTTPError) -> Answered | Unreachable:
    with error:
        text = error.read(_MOST_BYTES)
    if error.code in {502, 503, 504}:
        return Unreachable(f"The server is not ready: it answered {error.code}.")
    if 300 <= error.code < 400:
        target = error.headers.get("Location", "")
        return Answered(
            error.code, {"detail": f"The server leads elsewhere: set TELFLO_URL to {target}"}
        )
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return Answered(error.code, found if isinstance(found, dict) else {})


def _read(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Unreachable(
            "What answers at TELFLO_URL is no Telflo: its answer is no JSON."
        ) from None


def _why(error: Exception) -> str:
    return str(error.reason if isinstance(error, URLError) else error) or type(error).__name__


def _token(environment: Mapping[str, str]) -> str:
    token, path = (
        environment.get("TELFLO_API_TOKEN", ""),
        environment.get("TELFLO_API_TOKEN_FILE", ""),
    )
    if bool(token) == bool(path):
        raise WrongSettings("Set TELFLO_API_TOKEN or TELFLO_API_TOKEN_FILE, one of them.")
    if path:
        try:
            token = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise WrongSettings(f"TELFLO_API_TOKEN_FILE: {path} cannot be read.") from None
    token = token.strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise WrongSettings("The API token is no token: one begins with tlf_u_.")
    return token


def _context(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError):
        raise WrongSettings(f"TELFLO_CA_FILE: {ca_file} holds no certificates.") from None
