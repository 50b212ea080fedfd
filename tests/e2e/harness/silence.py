"""A balancer before the database that dies without a word: it reads on, and answers nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.harness.server import free_port


@dataclass
class Balancer:
    """Passes on what comes on a loopback port of its own to the database that `behind` names."""

    behind: str
    port: int = field(default_factory=free_port)
    _is_dead: threading.Event = field(default_factory=threading.Event)
    _ends: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The database as it is reached by way of this one."""
        parts = urlsplit(self.behind)
        return self.behind.replace(f":{parts.port}/", f":{self.port}/")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Listen while the block runs."""
        with socket.create_server(("127.0.0.1", self.port)) as listening:
            self._begin(self._accept, listening)
            try:
                yield
            finally:
                for end in [listening, *self._ends]:
                    _shut(end)
                for thread in self._threads:
                    thread.join()
                for end in self._ends:
                    end.close()

    def forget(self) -> None:
        """What is connected by now is never answered again, nor closed; who comes anew is served."""
        self._is_dead.set()
        self._is_dead = threading.Event()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """The same, and while the block runs who comes anew is not served either."""
        self._is_dead.set()
        try:
            yield
        finally:
            self._is_dead = threading.Event()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                peer, _ = listening.accept()
                self._ends.append(peer)
                try:
                    self._connect(peer)
                except OSError:  # the database is down
                    peer.close()

    def _connect(self, peer: socket.socket) -> None:
        parts = urlsplit(self.behind)
        database = socket.create_connection((parts.hostname, parts.port))
        self._ends.append(database)
        for ends in ((peer, database), (database, peer)):
            self._begin(_pump, *ends, self._is_dead)

    def _begin(self, work: Callable[..., None], *given: Any) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()


def _pump(source: socket.socket, target: socket.socket, is_dead: threading.Event) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if not is_dead.is_set():
                target.sendall(data)
    if not is_dead.is_set():
        for end in (source, target):
            _shut(end)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
