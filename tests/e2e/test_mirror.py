"""The mirror lays releases out as the official site does, and serves what it is told to serve."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import IncompleteRead

import pytest

from tests.e2e.binaries import PROGRAMS, Program, ensure
from tests.e2e.mirror import Fault, Mirror, asset_name, lay_out, serve, tag

OLD_SUPERVISOR, NEW_SUPERVISOR, OLD_COLLECTOR, NEW_COLLECTOR = PROGRAMS


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """A served mirror of all programs."""
    root = tmp_path_factory.mktemp("mirror")
    lay_out(root, PROGRAMS, architectures=("amd64", "arm64"))
    with serve(root) as served:
        yield served


def _get(mirror: Mirror, program: Program, name: str) -> bytes:
    escaped = tag(program).replace("/", "%2F")
    with urllib.request.urlopen(f"{mirror.base_url}/{escaped}/{name}") as answer:
        content: bytes = answer.read()
    return content


def test_a_supervisor_is_served_as_a_bare_binary(mirror: Mirror) -> None:
    served = _get(mirror, OLD_SUPERVISOR, "opampsupervisor_0.149.0_linux_amd64")
    assert served == ensure(OLD_SUPERVISOR).read_bytes()
    path = "/cmd%2Fopampsupervisor%2Fv0.149.0/opampsupervisor_0.149.0_linux_amd64"
    assert mirror.requests[-1] == path


@pytest.mark.parametrize(
    ("program", "list_name"),
    [
        (OLD_SUPERVISOR, "checksums.txt"),
        (OLD_COLLECTOR, "opentelemetry-collector-releases_otelcol-contrib_checksums.txt"),
    ],
)
def test_an_old_release_has_one_list_of_checksums(
    mirror: Mirror, program: Program, list_name: str
) -> None:
    name = asset_name(program, "amd64")
    digest = hashlib.sha256(_get(mirror, program, name)).hexdigest()
    lines = _get(mirror, program, list_name).decode().splitlines()
    assert [line for line in lines if line.endswith(f" {name}")] == [f"{digest}  {name}"]


@pytest.mark.parametrize("program", [NEW_SUPERVISOR, NEW_COLLECTOR])
def test_a_new_release_has_a_checksum_file_for_each_asset(mirror: Mirror, program: Program) -> None:
    name = asset_name(program, "arm64")
    digest = hashlib.sha256(_get(mirror, program, name)).hexdigest()
    assert _get(mirror, program, f"{name}.sha256").decode() == f"{digest}\n"


def test_a_fault_lasts_as_long_as_its_block(mirror: Mirror) -> None:
    name = asset_name(NEW_COLLECTOR, "amd64")
    whole = _get(mirror, NEW_COLLECTOR, name)
    with mirror.fault(name, Fault.CORRUPT):
        assert _get(mirror, NEW_COLLECTOR, name) != whole
    with mirror.fault(name, Fault.TRUNCATED), pytest.raises(IncompleteRead):
        _get(mirror, NEW_COLLECTOR, name)
    with mirror.fault(name, Fault.MISSING), pytest.raises(urllib.error.HTTPError):
        _get(mirror, NEW_COLLECTOR, name)
    assert _get(mirror, NEW_COLLECTOR, name) == whole


@pytest.mark.parametrize(
    ("program", "file"),
    [
        (OLD_COLLECTOR, "opentelemetry-collector-releases_otelcol-contrib_checksums.txt"),
        (NEW_COLLECTOR, "otelcol-contrib_0.158.0_linux_amd64.tar.gz.sha256"),
    ],
)
def test_a_wrong_checksum_is_published_in_either_layout(
    mirror: Mirror, program: Program, file: str
) -> None:
    name = asset_name(program, "amd64")
    digest = hashlib.sha256(_get(mirror, program, name)).hexdigest()
    with mirror.fault(name, Fault.WRONG_CHECKSUM):
        assert digest not in _get(mirror, program, file).decode()
    assert digest in _get(mirror, program, file).decode()


def test_a_path_outside_the_mirror_is_not_served(mirror: Mirror) -> None:
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{mirror.base_url}/..%2F..%2F..%2Fetc%2Fpasswd")
