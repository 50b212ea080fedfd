"""A database that acknowledges what is sent to it and never answers again."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from telflo.base.silence import HeardConnection, patience
from telflo.databases import hurry

WELCOME: Final = b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I"
"""Who connects may come in, and may ask."""
EMPTY: Final = b"I\0\0\0\x04" + b"Z\0\0\0\x05I"
"""The answer to an empty statement."""
SOON_S: Final = 0.2
LATE_S: Final = 20.0


class Database:
    """Speaks as much of PostgreSQL's protocol as it takes to be connected to; `is_silent`: it only reads on."""

    def __init__(self) -> None:
        self.is_silent = False
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"postgres://u@127.0.0.1:{self._socket.getsockname()[1]}/x?sslmode=disable"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        answer = WELCOME
        with peer, suppress(OSError):
            was_silent = False
            while peer.recv(4096):
                was_silent = was_silent or (self.is_silent and answer is EMPTY)
                if not was_silent:
                    peer.sendall(answer)
                answer = EMPTY

    def end(self) -> None:
        self._socket.close()


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(patience, "seconds", LATE_S)
    made = Database()
    yield made
    made.end()


def test_an_answer_that_comes_is_an_answer(database: Database) -> None:
    with HeardConnection.connect(database.url, autocommit=True, gssencmode="disable") as known:
        known.execute("")


def test_a_connection_that_is_not_answered_is_closed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = HeardConnection.connect(database.url, autocommit=True, gssencmode="disable")
    database.is_silent = True
    monkeypatch.setattr(patience, "seconds", SOON_S)
    with pytest.raises(psycopg.OperationalError, match=r"did not answer for 0\.2 s"):
        known.execute("")
    assert known.closed


def test_patience_may_end_while_one_waits(database: Database) -> None:
    """As it does when the process is to stop."""
    known = HeardConnection.connect(database.url, autocommit=True, gssencmode="disable")
    database.is_silent = True
    ending = threading.Timer(SOON_S, lambda: setattr(patience, "seconds", SOON_S))
    ending.start()
    began_s = time.monotonic()
    with pytest.raises(psycopg.OperationalError, match="did not answer"):
        known.execute("")
    ending.join()
    assert time.monotonic() - began_s < LATE_S / 2


def test_a_process_that_stops_waits_no_longer_than_before(database: Database) -> None:
    hurry()
    assert patience.seconds == LATE_S / 2
    patience.seconds = SOON_S
    hurry()
    assert patience.seconds == SOON_S


def test_one_that_went_silent_takes_those_of_its_pool_along(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each of them would be waited for in its turn."""
    with ConnectionPool(
        database.url,
        connection_class=HeardConnection,
        kwargs={"autocommit": True, "gssencmode": "disable"},
        min_size=4,
        check=ConnectionPool.check_connection,
    ) as pool:
        pool.wait(LATE_S)
        known = pool.getconn()
        database.is_silent = True
        monkeypatch.setattr(patience, "seconds", SOON_S)
        with pytest.raises(psycopg.OperationalError):
            known.execute("")
        database.is_silent = False
        monkeypatch.setattr(patience, "seconds", LATE_S)
        pool.putconn(known)
        for fresh in [pool.getconn(LATE_S / 4) for _ in range(4)]:
            fresh.execute("")
            pool.putconn(fresh)
        assert database.connections >= 8
