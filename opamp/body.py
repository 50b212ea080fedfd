"""The body of a request over plain HTTP, as ASGI hands it over: bounded while it comes, and inflated (T6, T7)."""

import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from opamp.auth import Headers, header
from opamp.consumers import Receive
from opamp.errors import BadBody

_GZIP_WBITS: Final = 31


class ClientLeft(Exception):
    """The client went away before its request was complete: there is nobody to answer."""


def resumed(first: Mapping[str, Any], receive: Receive) -> Receive:
    """A receive that answers `first` (at most what the server buffers, 64 KiB) before what follows."""
    events = [first]

    async def receive_on() -> Any:
        return events.pop() if events else await receive()

    return receive_on


async def read_body(
    headers: Headers,
    receive: Receive,
    *,
    most: int,
    came: Callable[[int, bool], None] | None = None,
) -> bytes:
    """The request's body, inflated (T6). Raises BadBody: 413 as soon as there are more than `most` bytes.

    came: told how many bytes there are by now, and whether more is to come.
    """
    encoding = header(headers, b"content-encoding").lower()
    if encoding not in {"", "identity", "gzip"}:
        raise BadBody(415, "The content encoding has to be gzip or none.")
    length = header(headers, b"content-length")
    if length.isdecimal() and int(length) > most:
        raise _too_large(most)
    inflater = zlib.decompressobj(_GZIP_WBITS) if encoding == "gzip" else None
    body = bytearray()
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientLeft
        part: bytes = event.get("body", b"")
        body += part if inflater is None else _inflate(inflater, part, most - len(body) + 1)
        if len(body) > most:
            raise _too_large(most)
        more = event.get("more_body", False)
        if came is not None:
            came(len(body), more)
    if inflater is not None and not inflater.eof:
        raise BadBody(400, "The gzip data ends too early.")
    return bytes(body)


def announced_size(headers: Headers) -> int:
    """The bytes of a body as far as its head says, at least; what is packed may be anything."""
    length = header(headers, b"content-length")
    is_plain = header(headers, b"content-encoding").lower() in {"", "identity"}
    return int(length) if is_plain and length.isdecimal() else sys.maxsize


def _inflate(inflater: Any, part: bytes, most: int) -> bytes:
    is_over = inflater.eof
    try:
        data: bytes = b"" if is_over else inflater.decompress(part, most)
    except zlib.error:
        raise BadBody(400, "The body is not valid gzip data.") from None
    if inflater.unused_data or (is_over and part):
        raise BadBody(400, "The body goes on after the end of its gzip data.")
    return data


def _too_large(most: int) -> BadBody:
    return BadBody(413, f"The message is larger than {most} bytes.")
