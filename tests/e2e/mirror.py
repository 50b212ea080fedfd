"""A mirror of the official release files, filled with the binaries that the tests have built.

The files lie as they do below ``…/opentelemetry-collector-releases/releases/download/``: one folder
for each tag, in it the assets and their checksums. Up to 0.157 a release has one list of checksums,
from 0.158 one ``<asset>.sha256`` for each asset. :func:`serve` serves such a folder on loopback; its
``base_url`` is a value for ``TELFLO_ARTIFACTS_URL``. It can serve damaged files on demand, and
answers as the official site does, with a redirect to where the bytes are.
"""

from __future__ import annotations

import enum
import hashlib
import io
import shutil
import tarfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from socketserver import BaseServer
from typing import Final
from urllib.parse import unquote

from tests.e2e.binaries import Collector, Program, Supervisor, architecture, ensure

FIRST_WITH_SPLIT_CHECKSUMS: Final = (0, 158)
SUPERVISOR_LIST: Final = "checksums.txt"
COLLECTOR_LIST: Final = "opentelemetry-collector-releases_otelcol-contrib_checksums.txt"

_STORE: Final = "/store"
_FALSE_DIGEST: Final = hashlib.sha256(b"another file").hexdigest()


class Fault(enum.Enum):
    """What is wrong with an asset as it is served."""

    CORRUPT = "its last byte is another one"
    TRUNCATED = "the connection closes after half of it"
    WRONG_CHECKSUM = "its published checksum is that of another file"
    MISSING = "it answers 404"


def tag(program: Program) -> str:
    """The tag of the release that holds the program; the supervisor's has slashes in it."""
    prefix = "cmd/opampsupervisor/" if _is_supervisor(program) else ""
    return f"{prefix}v{program.version}"


def asset_name(program: Program, arch: str) -> str:
    """The asset's name: the supervisor is a bare binary, the collector a tar archive."""
    name = f"{program.file_name}_{program.version}_linux_{arch}"
    return name if _is_supervisor(program) else f"{name}.tar.gz"


def lay_out(
    root: Path,
    programs: Iterable[Program],
    *,
    architectures: Sequence[str] = (),
    bare_digests: bool = True,
) -> None:
    """Write the release files of these programs below ``root``, building what is missing.

    Every architecture (this machine's when none is named) gets the same binary, so a script that
    is told another machine name still finds its files. ``bare_digests`` says whether a
    ``.sha256`` file holds the digest alone or the asset's name beside it.
    """
    for program in programs:
        release = root / tag(program)
        release.mkdir(parents=True, exist_ok=True)
        names = [asset_name(program, arch) for arch in architectures or (architecture(),)]
        for name in names:
            _write_asset(program, release / name)
        _write_checksums(program, release, names, bare_digests=bare_digests)


@dataclass(slots=True)
class Mirror:
    """A served mirror."""

    root: Path
    base_url: str = ""
    requests: list[str] = field(default_factory=list)
    """The path of every request for an asset, as it was sent (so with its ``%2F``)."""
    faults: dict[str, Fault] = field(default_factory=dict)

    @contextmanager
    def fault(self, asset: str, fault: Fault) -> Iterator[None]:
        """Serve this asset wrongly inside the block."""
        self.faults[asset] = fault
        try:
            yield
        finally:
            del self.faults[asset]

    def content(self, path: str) -> bytes | None:
        """What to serve for a decoded path, or None when there is no such file."""
        file = self.root / path.lstrip("/")
        fault = self.faults.get(file.name)
        inside = file.resolve().is_relative_to(self.root.resolve())
        if fault is Fault.MISSING or not inside or not file.is_file():
            return None
        content = file.read_bytes()
        if file.name.endswith((".sha256", "checksums.txt")):
            return self._with_wrong_checksums(file.parent, content)
        return _corrupted(content) if fault is Fault.CORRUPT else content

    def is_truncated(self, path: str) -> bool:
        """Whether only half of the file at this path is sent."""
        return self.faults.get(Path(path).name) is Fault.TRUNCATED

    def _with_wrong_checksums(self, release: Path, content: bytes) -> bytes:
        wrong = (name for name, fault in self.faults.items() if fault is Fault.WRONG_CHECKSUM)
        for asset in (release / name for name in wrong):
            if asset.is_file():
                content = content.replace(_digest(asset).encode(), _FALSE_DIGEST.encode())
        return content


@contextmanager
def serve(root: Path, *, host: str = "127.0.0.1") -> Iterator[Mirror]:
    """Serve a laid-out folder on a free port until the block ends."""
    mirror = Mirror(root)
    with ThreadingHTTPServer((host, 0), partial(_Handler, mirror)) as server:
        mirror.base_url = f"http://{host}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield mirror
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Redirects a request for an asset to the store, and serves the store."""

    def __init__(
        self, mirror: Mirror, request: socket, address: tuple[str, int], server: BaseServer
    ) -> None:
        self.mirror = mirror
        super().__init__(request, address, server)

    def do_GET(self) -> None:
        """Answer one request."""
        if self.path.startswith(f"{_STORE}/"):
            self._send_from_store(unquote(self.path.removeprefix(_STORE)))
            return
        self.mirror.requests.append(self.path)
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", f"{_STORE}{self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Stay silent: the requests are kept in the mirror."""

    def _send_from_store(self, path: str) -> None:
        content = self.mirror.content(path)
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = self.mirror.is_truncated(path)
        self.wfile.write(content[: len(content) // 2] if half else content)


def _is_supervisor(program: Program) -> bool:
    return isinstance(program, Supervisor)


def _write_asset(program: Program, asset: Path) -> None:
    if isinstance(program, Collector):
        _write_archive(program, asset)
    else:
        shutil.copyfile(ensure(program), asset)


def _write_archive(program: Program, archive: Path) -> None:
    """The official archive holds a README beside the binary."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        readme = b"# OpenTelemetry Collector Contrib Distro\n"
        about = tarfile.TarInfo("README.md")
        about.size = len(readme)
        tar.addfile(about, io.BytesIO(readme))
        tar.add(ensure(program), program.file_name)


def _write_checksums(
    program: Program, release: Path, names: Sequence[str], *, bare_digests: bool
) -> None:
    digests = {name: _digest(release / name) for name in names}
    if tuple(map(int, program.version.split(".")[:2])) >= FIRST_WITH_SPLIT_CHECKSUMS:
        for name, digest in digests.items():
            line = digest if bare_digests else f"{digest}  {name}"
            (release / f"{name}.sha256").write_text(f"{line}\n")
        return
    list_name = SUPERVISOR_LIST if _is_supervisor(program) else COLLECTOR_LIST
    (release / list_name).write_text(_list_of(digests))


def _list_of(digests: dict[str, str]) -> str:
    """A release's list; a real one also names packages whose names begin like the asset's."""
    lines = []
    for name, digest in digests.items():
        lines += [f"{_FALSE_DIGEST}  {name}.sbom.json", f"{digest}  {name}"]
        lines.append(f"{_FALSE_DIGEST}  {name.removesuffix('.tar.gz')}.deb")
    return "\n".join(lines) + "\n"


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _corrupted(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 0xFF])
