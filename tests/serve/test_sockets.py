"""What a process sets for its sockets and its memory before it serves."""

import gc
import resource
import socket
import struct
import sys
from pathlib import Path

import pytest

from telflo.serve.memory import settle
from telflo.serve.sockets import BACKLOG, SEND_BUFFER, USER_TIMEOUT_MS, bind
from tests.serve.conftest import Running

_KERNEL = Path("/proc/sys/net/core")
_MAX_BACKLOG = struct.Struct("28xI")
"""tcpi_sacked, the sixth word of tcp_info behind its eight bytes: of a listening socket its backlog (tcp(7))."""


@pytest.mark.rule("A5")
def test_accepted_connections_have_the_limits() -> None:
    with bind("127.0.0.1", 0) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()):
            listening.setblocking(True)
            accepted, _ = listening.accept()
            with accepted:
                timeout_ms = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                room = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    assert timeout_ms == USER_TIMEOUT_MS == 60_000
    most = int((_KERNEL / "wmem_max").read_text())
    assert room == 2 * min(SEND_BUFFER, most)  # the kernel counts its own part too


def test_many_may_knock_at_once(running: Running) -> None:
    info = running.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _MAX_BACKLOG.size)
    most = int((_KERNEL / "somaxconn").read_text())
    assert _MAX_BACKLOG.unpack(info) == (min(BACKLOG, most),)


def test_the_collector_looks_through_everything_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    before, switch_s = gc.get_threshold(), sys.getswitchinterval()
    monkeypatch.setattr(gc, "freeze", lambda: None)
    files: list[object] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *what: files.append(what))
    try:
        settle()
        assert gc.get_threshold() == (50_000, 50, 100)
        assert sys.getswitchinterval() == pytest.approx(0.001)
    finally:
        gc.set_threshold(*before)
        sys.setswitchinterval(switch_s)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert files == [(resource.RLIMIT_NOFILE, (most, most))]
