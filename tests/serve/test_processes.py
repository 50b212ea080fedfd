"""The commands as processes: the embedded server's start and stop, and several processes on one port."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from telflo.serve.sockets import bind, url_of

ROOT = Path(__file__).resolve().parents[2]
UNSET = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PYTHONDONTWRITEBYTECODE"}
Start = Callable[..., "Command"]


class Command:
    """A program (`manage.py …`) with its own data folder; lines of its output are read as they come."""

    def __init__(
        self, data: Path, *arguments: str, program: Sequence[str], **environment: str
    ) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in UNSET}
        settings = {"TELFLO_DATA": str(data), "HOST": "127.0.0.1", "PORT": "0", **environment}
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=ROOT,
            env=inherited | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def line(self, pattern: str) -> str:
        """The next line that matches; fails when the process ends before."""
        assert self.process.stdout is not None
        for text in self.process.stdout:
            self.lines.append(text)
            if re.search(pattern, text):
                return text
        raise AssertionError(f"no {pattern!r} in:\n{''.join(self.lines)}")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=30)
        self.lines.append(out)
        return self.process.returncode


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose database has all tables and no rows, to be copied: made once, since it takes seconds."""
    data = tmp_path_factory.mktemp("migrated")
    command = Command(data, "migrate", "--verbosity", "0", program=("manage.py",))
    out, _ = command.process.communicate(timeout=120)
    assert command.process.returncode == 0, out
    return data


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    commands: list[Command] = []

    def run(
        *arguments: str, program: Sequence[str] = ("manage.py",), **environment: str
    ) -> Command:
        commands.append(Command(tmp_path, *arguments, program=program, **environment))
        return commands[-1]

    yield run
    for command in commands:
        if command.process.poll() is None:
            command.process.kill()
            command.process.wait(10)
        if command.process.stdout is not None:
            command.process.stdout.close()


def test_the_embedded_server_starts_from_nothing_stops_cleanly_and_starts_again(
    start: Start,
) -> None:
    first = start("serve", "--embedded")
    assert re.search(r"user admin, password \S{16}", first.line("First sign-in"))
    url = first.line("Telflo is at").split()[-1]
    with urllib.request.urlopen(f"{url}/readyz", timeout=10) as answer:
        assert answer.read() == b"ok\n"
    assert first.end(signal.SIGINT) == 0
    assert "Traceback" not in "".join(first.lines)

    second = start("serve", "--embedded")
    second.line("Telflo is at")
    assert not any("First sign-in" in text for text in second.lines)
    assert second.end() == 0


def test_several_processes_share_a_port_and_a_dead_one_is_replaced(
    start: Start, migrated: Path, tmp_path: Path
) -> None:
    # Nothing here reaches Redis: the address only says that there is one.
    redis = "redis://127.0.0.1:1/0"
    shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    server = start("serve", "--processes", "2", REDIS_URL=redis)
    url = server.line("Telflo is at").split()[-1]
    until(lambda: len(children(server.process.pid)) == 2)
    until(lambda: is_served(url))
    [victim, other] = children(server.process.pid)
    os.kill(victim, signal.SIGKILL)
    server.line("another takes its place")
    until(lambda: len(set(children(server.process.pid)) - {victim}) == 2)
    assert other in children(server.process.pid)
    until(lambda: is_served(url))
    assert server.end() == 0


def test_processes_whose_parent_was_killed_end_by_themselves(start: Start) -> None:
    gateway = start("gateway", "--port", "0", "--processes", "2", REDIS_URL="redis://127.0.0.1:1/0")
    gateway.line("Telflo's gateway is at ws://")
    until(lambda: len(children(gateway.process.pid)) == 2)
    orphans = children(gateway.process.pid)
    gateway.process.kill()
    until(lambda: not any(map(is_running, orphans)))


def test_each_process_has_an_address_of_its_own_whatever_was_sent_before_the_fork() -> None:
    code = """
import os, signal
from django.conf import settings
settings.configure(CHANNEL_LAYERS={"default": {"BACKEND": "channels_redis.core.RedisChannelLayer"}})
from channels.layers import get_channel_layer
from telflo.serve.processes import Processes
def work():
    print(get_channel_layer().client_prefix, flush=True)
    signal.pause()
print(get_channel_layer().client_prefix, flush=True)
Processes(2, work).run()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        prefixes = {parent.stdout.readline() for _ in range(3)}
        parent.terminate()
    assert len(prefixes - {""}) == 3


def test_a_gateway_serves_agents_in_several_processes_and_says_how_it_is(
    start: Start, migrated: Path, tmp_path: Path
) -> None:
    # Nothing here reaches Redis: /readyz says so.
    shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    gateway = start("gateway", "--port", "0", "--processes", "2", REDIS_URL="redis://127.0.0.1:1/0")
    url = gateway.line("Telflo's gateway is at ws://").split()[-1]
    pages = url.replace("ws://", "http://").removesuffix("/v1/opamp")
    until(lambda: len(children(gateway.process.pid)) == 2)
    until(lambda: is_served(pages))
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{pages}/readyz", timeout=10)
    with caught.value as answer:
        assert (answer.code, answer.read()) == (503, b"redis: not reachable\n")
    assert gateway.end() == 0


def test_one_gateway_process_stops_in_order(start: Start) -> None:
    gateway = start("gateway", "--port", "0", REDIS_URL="redis://127.0.0.1:1/0")
    gateway.line("Telflo's gateway is at ws://")
    assert gateway.end(signal.SIGINT) == 0


def test_addresses_are_shown_as_a_browser_wants_them() -> None:
    everywhere = bind("0.0.0.0", 0)
    try:
        assert url_of(everywhere) == f"http://127.0.0.1:{everywhere.getsockname()[1]}"
    finally:
        everywhere.close()


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def is_served(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
