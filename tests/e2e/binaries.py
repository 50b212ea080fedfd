"""The real programs of the end-to-end tests: OpAMP supervisors and collectors, built with Go.

Official binaries are not downloaded: each program is built from its Go modules and kept in a
cache outside the checkout (``TELFLO_E2E_CACHE``), in a folder whose name holds its version and a
hash of everything that goes into it. A build happens in a scratch folder beside its final place
and is moved there in one step, so an interrupted build leaves nothing that looks finished.

``python -m tests.e2e.binaries`` builds what is missing and prints a line for each program.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

OLDEST_GO: Final = (1, 26)
MANIFESTS: Final = Path(__file__).parent / "manifests"
SUPERVISOR_MODULE: Final = (
    "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/opampsupervisor"
)
BUILDER_MODULE: Final = "go.opentelemetry.io/collector/cmd/builder"
CORE_MODULE: Final = "go.opentelemetry.io/collector/otelcol"
COLLECTOR_MODULE: Final = "telflo.example/e2e/collector"
GO_BUILD: Final = ("build", "-mod=mod", "-trimpath", "-ldflags=-s -w")

_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_SCRATCH: Final = "building-"


class BuildError(Exception):
    """A program cannot be built here; the text says why, for people."""


def architecture() -> str:
    """The Go name of this machine's architecture, as release files carry it."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def cache_folder() -> Path:
    """Where built programs are kept: ``TELFLO_E2E_CACHE``, else below the user's cache folder."""
    chosen = os.environ.get("TELFLO_E2E_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "telflo-e2e"


@dataclass(frozen=True, slots=True)
class Program(ABC):
    """One program in one version, for this machine's architecture."""

    version: str

    kind: ClassVar[str]
    file_name: ClassVar[str]

    @property
    def path(self) -> Path:
        """Where the finished binary is; it exists only when it is whole."""
        return self.folder / self.file_name

    @property
    def folder(self) -> Path:
        """The cache folder of exactly this version and recipe."""
        recipe = "\n".join((self.recipe(), *GO_BUILD, architecture()))
        digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
        return cache_folder() / f"{self.file_name}-{self.version}-{digest}"

    @abstractmethod
    def recipe(self) -> str:
        """The text that decides what is built; another text makes another cache folder."""

    @abstractmethod
    def build(self, go: Go, scratch: Path) -> Path:
        """Build in the empty folder ``scratch`` and return the binary in it."""

    @abstractmethod
    def check(self, binary: Path) -> None:
        """Run the binary once; raise BuildError when it is not the program it should be."""


@dataclass(frozen=True, slots=True)
class Supervisor(Program):
    """The stock OpAMP supervisor.

    ``go install`` refuses it (its go.mod replaces its siblings by relative paths), so it is built
    as a dependency of an empty module: replaces of a dependency do not count.
    """

    kind: ClassVar[str] = "supervisor"
    file_name: ClassVar[str] = "opampsupervisor"

    def recipe(self) -> str:
        """The go.mod of the empty module."""
        return (
            "module telflo.example/e2e/supervisor\n\n"
            "go 1.25.0\n\n"
            f"require {SUPERVISOR_MODULE} v{self.version}\n"
        )

    def build(self, go: Go, scratch: Path) -> Path:
        """Build the command of the required module."""
        (scratch / "go.mod").write_text(self.recipe())
        go.run(*GO_BUILD, "-o", self.file_name, SUPERVISOR_MODULE, folder=scratch)
        return scratch / self.file_name

    def check(self, binary: Path) -> None:
        """Ask for its flags, and look into Go's build record: no flag tells its version."""
        answer = _output_of(binary, "-h")
        if "-config" not in answer:
            raise BuildError(f"{binary.name} {self.version} does not list its flags: {answer!r}")
        if f"\t{SUPERVISOR_MODULE}\tv{self.version}\t".encode() not in binary.read_bytes():
            raise BuildError(f"{binary.name} was not built from version {self.version}")


@dataclass(frozen=True, slots=True)
class Collector(Program):
    """A collector that carries the name of otelcol-contrib and holds a part of its components."""

    kind: ClassVar[str] = "collector"
    file_name: ClassVar[str] = "otelcol-contrib"

    @property
    def manifest(self) -> Path:
        """The manifest for the collector builder."""
        return MANIFESTS / f"collector-{self.version}.yaml"

    def recipe(self) -> str:
        """The manifest's text."""
        return self.manifest.read_text()

    def build(self, go: Go, scratch: Path) -> Path:
        """Let the builder of the same version write the sources, then compile them.

        The builder does not write go.mod and fetch the modules itself: its ``go mod download``
        asks for modules of other operating systems too, which the compilation does not need.
        """
        go.run("install", f"{BUILDER_MODULE}@v{self.version}", folder=scratch)
        skip = ("--skip-compilation", "--skip-get-modules")
        builder = scratch / "bin" / "builder"
        go.run_tool(builder, "--config", str(self.manifest), *skip, folder=scratch)
        sources = scratch / "collector"
        (sources / "go.mod").write_text(self._go_mod())
        go.run(*GO_BUILD, "-o", self.file_name, ".", folder=sources)
        return sources / self.file_name

    def _go_mod(self) -> str:
        """A go.mod that requires the manifest's components and the collector's core."""
        modules = re.findall(r"^ *- gomod: (\S+ v\S+)$", self.recipe(), re.MULTILINE)
        modules.append(f"{CORE_MODULE} v{self.version}")
        required = "\n".join(f"\t{module}" for module in modules)
        return f"module {COLLECTOR_MODULE}\n\ngo 1.25.0\n\nrequire (\n{required}\n)\n"

    def check(self, binary: Path) -> None:
        """Ask for its version and its components."""
        version = _output_of(binary, "--version").strip()
        if version != f"{self.file_name} version {self.version}":
            raise BuildError(f"{binary.name} {self.version} calls itself {version!r}")
        if "name: opamp" not in _output_of(binary, "components"):
            raise BuildError(f"{binary.name} {self.version} has no opamp extension")


PROGRAMS: Final[tuple[Program, ...]] = (
    Supervisor("0.149.0"),
    Supervisor("0.158.0"),
    Collector("0.149.0"),
    Collector("0.158.0"),
)


@dataclass(frozen=True, slots=True)
class Go:
    """A Go installation that is new enough."""

    executable: str

    @classmethod
    def find(cls) -> Go:
        """Find Go on the PATH or where its own installer puts it; raise BuildError without."""
        found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
        wanted = ".".join(map(str, OLDEST_GO))
        if found is None:
            raise BuildError(f"Go is missing: the end-to-end tests need Go {wanted} or newer")
        answer = subprocess.run(
            [found, "env", "GOVERSION"], capture_output=True, text=True, check=False
        ).stdout.strip()
        match = re.match(r"go(\d+)\.(\d+)", answer)
        if match is None or (int(match[1]), int(match[2])) < OLDEST_GO:
            version = answer or "of an unknown version"
            raise BuildError(
                f"{found} is {version}: the end-to-end tests need Go {wanted} or newer"
            )
        return cls(found)

    def run(self, *arguments: str, folder: Path) -> None:
        """Run a go command in a scratch folder; raise BuildError with its words when it fails."""
        self.run_tool(Path(self.executable), *arguments, folder=folder)

    def run_tool(self, tool: Path, *arguments: str, folder: Path) -> None:
        """Run a program that was built in the scratch folder, in Go's environment."""
        done = subprocess.run(
            [str(tool), *arguments],
            cwd=folder,
            env=self._environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            tail = "\n".join(done.stdout.strip().splitlines()[-15:])
            raise BuildError(f"{tool.name} {arguments[0]} ended with {done.returncode}:\n{tail}")

    def _environment(self, folder: Path) -> dict[str, str]:
        path = f"{Path(self.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        build = {"CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": architecture()}
        flags = {"GOFLAGS": "-buildvcs=false", "GOWORK": "off", "GOBIN": str(folder / "bin")}
        return {**os.environ, **build, **flags, "PATH": path}


def ensure(program: Program) -> Path:
    """The program's binary, built now when the cache has none; raise BuildError when it cannot.

    Two processes that want the same program do not build it twice: the second one waits.
    """
    if program.path.is_file():
        return program.path
    go = Go.find()
    cache_folder().mkdir(parents=True, exist_ok=True)
    with only_builder():
        if not program.path.is_file():
            _build_into_cache(program, go)
    return program.path


def _build_into_cache(program: Program, go: Go) -> None:
    """Build in a scratch folder, check the binary, move it to its place in one step."""
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=cache_folder()) as name:
        work, finished = Path(name) / "work", Path(name) / "finished"
        work.mkdir()
        finished.mkdir()
        binary = program.build(go, work)
        program.check(binary)
        binary.chmod(0o755)
        binary.rename(finished / program.file_name)
        finished.rename(program.folder)


@contextmanager
def only_builder() -> Iterator[None]:
    """Hold the cache's lock, and clear away what an interrupted build has left."""
    with (cache_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left_over in cache_folder().glob(f"{_SCRATCH}*"):
            shutil.rmtree(left_over, ignore_errors=True)
        yield


def _output_of(binary: Path, *arguments: str) -> str:
    """What the program prints, on either stream; raise BuildError when it fails or hangs."""
    try:
        done = subprocess.run(
            [str(binary), *arguments], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as problem:
        raise BuildError(f"{binary.name} {' '.join(arguments)}: {problem}") from problem
    return done.stdout + done.stderr


def _ensure_and_tell(program: Program) -> None:
    was_there, started = program.path.is_file(), time.monotonic()
    path = ensure(program)
    took = "cached" if was_there else f"built in {time.monotonic() - started:.0f} s"
    size = path.stat().st_size / 1_000_000
    line = f"{program.kind:<10} {program.version}  {size:5.1f} MB  {took}  {path}\n"
    sys.stdout.write(line)
    sys.stdout.flush()


def main() -> int:
    """Build all that is missing; the exit code is 1 when something cannot be built."""
    try:
        if not all(program.path.is_file() for program in PROGRAMS):
            Go.find()
        for program in PROGRAMS:
            _ensure_and_tell(program)
    except BuildError as problem:
        sys.stderr.write(f"e2e: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
