"""Connections for httpcore that go nowhere but where they may, and end in time.

The name is resolved once, all its addresses are checked, and the socket is opened to one of these: a name that answers
differently a moment later (DNS rebinding) changes nothing. Every step gets what is left of one deadline.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Any, Final, TypeVar

import httpcore

from notices.targets import Address, Network, check_address

Resolve = Callable[[str, int], Sequence[Address]]
T = TypeVar("T")
MOST_ADDRESSES: Final = 4


class TooLate(TimeoutError):
    """The time is up."""


def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name or of a literal, the preferred ones first. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


class BoundedBackend(httpcore.NetworkBackend):
    """Opens one connection; the time for all it does runs from here."""

    def __init__(
        self, allowed: Sequence[Network], *, is_plain: bool, within_s: float, resolver: Resolve
    ) -> None:
        self._allowed = allowed
        self._is_plain = is_plain
        self._end_s = time.monotonic() + within_s
        self._resolve = resolver

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address that answers. Raises BadUrl when any of them is refused, and OSError."""
        addresses = self._resolve(host, port)
        for address in addresses:
            check_address(address, self._allowed, is_plain=self._is_plain)
        return _Stream(self._connected(addresses[:MOST_ADDRESSES], port), self._end_s)

    def _connected(self, addresses: Sequence[Address], port: int) -> socket.socket:
        problem: OSError = OSError("the name has no address")
        for address in addresses:
            try:
                return socket.create_connection((str(address), port), _left(self._end_s))
            except TooLate:
                raise
            except TimeoutError:
                raise TooLate from None
            except OSError as error:
                problem = error
        raise problem


class _Stream(httpcore.NetworkStream):
    """A socket whose every step ends at the deadline."""

    def __init__(self, sock: socket.socket, end_s: float) -> None:
        self._sock = sock
        self._end_s = end_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What came. Raises TooLate, OSError."""
        return self._in_time(lambda: self._sock.recv(max_bytes))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it. Raises TooLate, OSError."""
        self._in_time(lambda: self._sock.sendall(buffer))

    def close(self) -> None:
        """End it."""
        self._sock.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same under TLS; the certificate has to be the name's, not the address's. Raises ssl.SSLError."""
        wrapped = self._in_time(
            lambda: ssl_context.wrap_socket(self._sock, server_hostname=server_hostname)
        )
        return _Stream(wrapped, self._end_s)

    def get_extra_info(self, info: str) -> Any:
        """Nothing is told: HTTP/1.1 on a connection that is used once."""
        return None

    def _in_time(self, step: Callable[[], T]) -> T:
        self._sock.settimeout(_left(self._end_s))
        try:
            return step()
        except TimeoutError:
            raise TooLate from None


def _left(end_s: float) -> float:
    left_s = end_s - time.monotonic()
    if left_s <= 0:
        raise TooLate
    return left_s
