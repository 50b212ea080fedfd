"""The reference to compare with: a server of opamp-go's library that stores nothing (reference/main.go), built and run.

`python -m benchmarks.opamp_go` builds it into the cache of the end-to-end tests and prints where it is.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar, Final

from tests.e2e.binaries import GO_BUILD, BuildError, Go, Program, ensure

SOURCES: Final = Path(__file__).parent / "reference"
MODULE: Final = "github.com/open-telemetry/opamp-go"
VERSION: Final = "0.23.0"
_FILES: Final = ("go.mod", "go.sum", "main.go")


@dataclass(frozen=True, slots=True)
class ReferenceServer(Program):
    """The server of benchmarks/reference, built with the opamp-go that its go.mod pins."""

    kind: ClassVar[str] = "reference"
    file_name: ClassVar[str] = "opamp-go-server"

    def recipe(self) -> str:
        """All its sources."""
        return "\n".join((SOURCES / name).read_text() for name in _FILES)

    def build(self, go: Go, scratch: Path) -> Path:
        """Build a copy of the sources."""
        for name in _FILES:
            shutil.copy(SOURCES / name, scratch / name)
        go.run(*GO_BUILD, "-o", self.file_name, ".", folder=scratch)
        return scratch / self.file_name

    def check(self, binary: Path) -> None:
        """Look into Go's build record: it is the pinned version of the library that is measured."""
        if f"\t{MODULE}\tv{self.version}\t".encode() not in binary.read_bytes():
            raise BuildError(f"{binary.name} was not built with {MODULE} {self.version}")


REFERENCE: Final = ReferenceServer(VERSION)


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server used since its start, and how many agents it has now."""

    cpu_s: float
    resident_bytes: int
    agents: int


@dataclass(frozen=True, slots=True)
class Running:
    """A reference server that runs."""

    process: subprocess.Popen[str]
    address: str

    @property
    def url(self) -> str:
        """Where agents connect."""
        return f"ws://{self.address}/v1/opamp"

    def usage(self) -> Usage:
        """Ask it what it used."""
        self.process.send_signal(signal.SIGUSR2)
        return Usage(**_line(self.process.stdout))

    def push(self) -> None:
        """Let it send its configuration file to all agents."""
        self.process.send_signal(signal.SIGUSR1)


@contextmanager
def running(
    *, port: int = 0, config: Path | None = None, cpu: int | None = None
) -> Iterator[Running]:
    """Build it if need be and run it on a loopback port (0: a free one), pinned to one CPU if told.

    config: the file that push() sends. Raises BuildError.
    """
    pinned = [] if cpu is None else ["taskset", "--cpu-list", str(cpu)]
    asked = [str(ensure(REFERENCE)), "-listen", f"127.0.0.1:{port}", "-config", str(config or "")]
    with subprocess.Popen([*pinned, *asked], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Running(process, _line(process.stdout)["address"])
        finally:
            process.terminate()
            process.communicate(timeout=10)


def _line(output: IO[str] | None) -> dict[str, Any]:
    """The next line that it prints."""
    assert output is not None
    text = output.readline()
    if not text:
        raise RuntimeError("The reference server ended.")
    said: dict[str, Any] = json.loads(text)
    return said


def main() -> int:
    """Build it."""
    try:
        path = ensure(REFERENCE)
    except BuildError as problem:
        sys.stderr.write(f"benchmarks: {problem}\n")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
