"""The servers that are compared, each started as a person would start it."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import httpx

from benchmarks import opamp_go
from benchmarks.scale.database import ROOT, Installation, Template, environment, postgres_processes
from benchmarks.scale.prepare import configuration
from benchmarks.scale.processes import Processes, children, pinned
from tests.e2e.harness.api import Api
from tests.e2e.harness.server import Process, free_port

CPUS: Final = sorted(os.sched_getaffinity(0))
SERVER_CPU: Final = CPUS[0]
LOAD_CPU: Final = CPUS[-1]
_START_S: Final = 60.0


class Kind(StrEnum):
    """A way of serving agents."""

    REFERENCE = "opamp-go"
    EMBEDDED = "embedded"
    SERVE = "serve"
    SERVE_2 = "serve x2"
    GATEWAY = "gateway"

    @property
    def is_one_process(self) -> bool:
        """Whether it has a core of its own."""
        return self is not Kind.SERVE_2


@dataclass(frozen=True, slots=True)
class Telflo:
    """What only ours has: an installation, pages and an API."""

    installation: Installation
    base_url: str

    def api(self) -> Api:
        """A client that may write."""
        return Api(self.base_url, str(self.installation.known["api_token"]))


@dataclass(frozen=True, slots=True)
class Subject:
    """A server that runs. processes: those that serve agents. telflo is None for the reference."""

    kind: Kind
    url: str
    token: str
    processes: Processes
    telflo: Telflo | None = None
    reference: opamp_go.Running | None = None
    profile: Path | None = None

    def database_cpu_s(self) -> float:
        """What PostgreSQL has used; 0 where there is none (SQLite's part is the server's)."""
        has_postgres = self.telflo is not None and self.telflo.installation.url
        return postgres_processes().cpu_s() if has_postgres else 0.0


@contextmanager
def running(
    kind: Kind, templates: Mapping[bool, Template], *, profiled: bool = False
) -> Iterator[Subject]:
    """A fresh server of this kind. templates: on SQLite (False) and on PostgreSQL (True)."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="telflo-bench-")))
        scratch.chmod(0o755)
        if kind is Kind.REFERENCE:
            yield _reference(stack, scratch)
            return
        template = templates[kind is not Kind.EMBEDDED]
        installation = template.copy(scratch / "data", f"bench_{time.monotonic_ns()}")
        yield _telflo(stack, kind, installation, scratch / "profile" if profiled else None)


def _reference(stack: ExitStack, scratch: Path) -> Subject:
    config = scratch / "config.yaml"
    config.write_text(configuration(0))
    server = stack.enter_context(opamp_go.running(config=config, cpu=SERVER_CPU))
    processes = Processes((server.process.pid,))
    return Subject(Kind.REFERENCE, server.url, "anybody", processes, reference=server)


def _telflo(
    stack: ExitStack, kind: Kind, installation: Installation, profile: Path | None
) -> Subject:
    web, gateway = free_port(), free_port()
    redis = "" if kind is Kind.EMBEDDED else os.environ["REDIS_URL"]
    plain = environment(installation, redis=redis, PORT=str(web))
    measured = plain | ({"TELFLO_BENCH_PROFILE": str(profile)} if profile else {})
    log = installation.folder / "server.log"

    def start(*arguments: str, cpus: Sequence[int] = CPUS, watched: bool = False) -> Process:
        command = pinned(cpus, sys.executable, "manage.py", *arguments)
        process = Process(command, measured if watched else plain, log, ROOT)
        process.start()
        stack.callback(process.end)
        return process

    def serve(*options: str) -> Process:
        is_subject = kind is not Kind.GATEWAY
        cpus = [SERVER_CPU] if is_subject and kind.is_one_process else CPUS
        return start("serve", *options, cpus=cpus, watched=is_subject)

    if kind is Kind.EMBEDDED:
        server = serve("--embedded")
    else:
        start("worker", "--concurrency", "2")
        start("beat")
        server = serve(*(("--processes", "2") if kind is Kind.SERVE_2 else ()))
    port = web
    _wait_until_ready(web, server)
    if kind is Kind.GATEWAY:
        port = gateway
        server = start("gateway", "--port", str(gateway), cpus=[SERVER_CPU], watched=True)
        _wait_until_ready(gateway, server)
    return Subject(
        kind,
        f"ws://127.0.0.1:{port}/v1/opamp",
        str(installation.known["token"]),
        children(server.pid) if kind is Kind.SERVE_2 else Processes((server.pid,)),
        telflo=Telflo(installation, f"http://127.0.0.1:{web}"),
        profile=profile,
    )


def _wait_until_ready(port: int, process: Process) -> None:
    """Until /readyz says so. Raises RuntimeError with the end of the log."""
    end = time.monotonic() + _START_S
    while time.monotonic() < end and not process.has_ended():
        try:
            if (
                httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code
                == httpx.codes.OK
            ):
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"The server is not ready:\n{process.log.read_text()[-2000:]}")
