"""The listening socket: ours, so that its backlog and its limits for slow or vanished peers are known."""

import errno
import socket
from typing import Final

BACKLOG: Final = 4096
USER_TIMEOUT_MS: Final = 60_000
"""A peer that acknowledges nothing for this long is gone, whatever is still to be sent to it."""
SEND_BUFFER: Final = 256 * 1024


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A bound TCP socket that does not listen yet. shared: several processes may bind the same (SO_REUSEPORT).

    Accepted connections inherit the limits. Raises OSError when the address cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except UnicodeError as error:  # an empty label, or one of more than 63 characters
        raise OSError(errno.EINVAL, "not the name of a host") from error
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def url_of(sock: socket.socket, *, scheme: str = "http") -> str:
    """How somebody on this machine reaches the socket."""
    host, port = sock.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - what it is bound to, not a choice
        host = "127.0.0.1"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
