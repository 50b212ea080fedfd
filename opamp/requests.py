"""The head of an HTTP request, read strictly. Pure. One request a connection, so nothing can be smuggled behind it."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from opamp.auth import header

_LINE: Final = re.compile(rb"([A-Z]{1,16}) (/[\x21-\x7e]*) HTTP/1\.1")
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_MOST_HEADERS: Final = 100
_WEIGHT: Final = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


class BadRequest(Exception):
    """Not a request that can be answered otherwise; the text is for the peer."""


@dataclass(frozen=True, slots=True)
class Request:
    """Header names are in lower case, values without surrounding space."""

    method: str
    path: str
    headers: list[tuple[bytes, bytes]]

    @property
    def wants_websocket(self) -> bool:
        """Whether it asks for a WebSocket (RFC 6455 §4.2.1)."""
        connection = header(self.headers, b"connection").lower().split(",")
        is_upgrade = "upgrade" in {word.strip() for word in connection}
        upgrade = header(self.headers, b"upgrade").lower()
        return self.method == "GET" and is_upgrade and upgrade == "websocket"

    def upgrade(self) -> bytes:
        """The same wish in the fewest words, for picows. Raises BadRequest when its key or version is none."""
        key = header(self.headers, b"sec-websocket-key")
        version = header(self.headers, b"sec-websocket-version")
        if not _is_key(key) or version != "13":
            raise BadRequest("Sec-WebSocket-Key has to be 16 bytes in base64, the version 13.")
        return (
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        ).encode()


def read_request(head: bytes) -> Request:
    """The request whose head this is, without the empty line at its end. Raises BadRequest."""
    first, *lines = head.split(b"\r\n")
    line = _LINE.fullmatch(first)
    if line is None:
        raise BadRequest("The first line is not that of an HTTP/1.1 request.")
    if len(lines) > _MOST_HEADERS:
        raise BadRequest(f"There are more than {_MOST_HEADERS} headers.")
    path = unquote(line[2].partition(b"?")[0].decode("ascii"))
    headers = [_header(text) for text in lines]
    if [name for name, _ in headers].count(b"host") != 1:  # RFC 9112 §3.2
        raise BadRequest("There has to be one Host header.")
    return Request(line[1].decode(), path, headers)


def takes_gzip(accept_encoding: str) -> bool:
    """Whether a client takes gzip by its Accept-Encoding (RFC 9110 §12.5.3): by name or by *, with a weight above 0."""
    weights: dict[str, float] = {}
    for choice in accept_encoding.lower().split(","):
        name, _, weight = choice.partition(";")
        weights[name.strip()] = _weight(weight.strip())
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weight(text: str) -> float:
    """1 when there is none; 0 when it is malformed, which is safe: what is not encoded everybody can read."""
    if not text:
        return 1.0
    found = _WEIGHT.fullmatch(text)
    return float(found[1]) if found else 0.0


def _header(text: bytes) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(b":")
    value = value.strip(b" \t")
    if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise BadRequest("A header line is malformed.")
    return name.lower(), value


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
