"""A PostgreSQL and a Redis that can be taken away and brought back while everything else runs."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

from tests.e2e.harness.server import ROOT
from tests.e2e.harness.waiting import PATIENCE_S, wait_until


def _signal_all(pids: Sequence[int], which: signal.Signals) -> None:
    """Those that are left: a backend may end between being listed and being stopped."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, which)


@dataclass
class Parts:
    """Both, with tests/with-services behind them."""

    database_url: str
    redis_url: str
    folder: Path
    _redis: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @contextmanager
    def hanging_postgres(self) -> Iterator[None]:
        """All its processes are stopped: connections stay, and nobody answers."""
        pids = self._postgres_pids()
        _signal_all(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal_all(pids, signal.SIGCONT)

    @contextmanager
    def killed_postgres(self) -> Iterator[None]:
        """It is gone at once, as by a crash, and started again."""
        self._pg_ctl("-m", "immediate", "stop")
        try:
            yield
        finally:
            self._pg_ctl("-w", "-l", str(self.folder / "pg" / "server.log"), "restart")

    @contextmanager
    def hanging_redis(self) -> Iterator[None]:
        """It is stopped: connections stay, and nobody answers."""
        with redis.Redis.from_url(self.redis_url) as client:
            pid = int(client.info("server")["process_id"])
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def killed_redis(self) -> Iterator[None]:
        """It is gone at once, and another one knows nothing of it."""
        client = redis.Redis.from_url(self.redis_url)
        client.shutdown(nosave=True, now=True, force=True)
        client.close()
        try:
            yield
        finally:
            port = str(urlsplit(self.redis_url).port)
            command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", ""]
            self._redis.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
            wait_until(self._redis_answers, what="Redis", within_s=PATIENCE_S, evidence=str)

    def end(self) -> None:
        """End what was started here."""
        for process in self._redis:
            process.kill()
            process.wait()

    def _redis_answers(self) -> bool:
        with redis.Redis.from_url(self.redis_url) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def _postgres_pids(self) -> Sequence[int]:
        postmaster = int((self.folder / "pg" / "postmaster.pid").read_text().split()[0])
        with psycopg.connect(self.database_url) as connection:
            rows = connection.execute("SELECT pid FROM pg_stat_activity").fetchall()
            mine = connection.info.backend_pid
        return [postmaster, *(pid for (pid,) in rows if pid != mine)]

    def _pg_ctl(self, *arguments: str) -> None:
        newest = max(Path("/usr/lib/postgresql").glob("*/bin"))
        owner = pwd.getpwuid((self.folder / "pg").stat().st_uid).pw_name
        become = ["runuser", "-u", owner, "--"] if os.getuid() == 0 else []
        command = [*become, str(newest / "pg_ctl"), "-D", str(self.folder / "pg"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def parts() -> Iterator[Parts]:
    """Start both with tests/with-services; they end with the block."""
    names = '"$DATABASE_URL" "$REDIS_URL" "$SERVICES_DIR"'
    command = [str(ROOT / "tests" / "with-services"), "sh", "-c", f"printf '%s\\n' {names}; cat"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        database_url, redis_url, folder = (running.stdout.readline().strip() for _ in range(3))
        assert folder, "tests/with-services did not start"
        made = Parts(database_url, redis_url, Path(folder))
        with psycopg.connect(database_url, autocommit=True) as connection:
            # What is committed has to be there after a crash, or facts would be lost that no server promised to keep.
            connection.execute("ALTER DATABASE telflo SET synchronous_commit = on")
        try:
            yield made
        finally:
            made.end()
            running.stdin.close()
            running.wait(30)
