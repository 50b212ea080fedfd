"""Where the supervisor's and the collector's release files are, and how their checksums are published. Pure.

The official files are those of open-telemetry/opentelemetry-collector-releases. A mirror has the same
layout below its own address.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

OFFICIAL_URL: Final = (
    "https://github.com/open-telemetry/opentelemetry-collector-releases/releases/download"
)
FIRST_WITH_SPLIT_CHECKSUMS: Final = (0, 158, 0)
"""From here each asset has its own .sha256 file; before, a release has one list."""
OLDEST: Final = (0, 149, 0)
"""The oldest release that was run; which keys older supervisors know was never measured."""

_VERSION: Final = re.compile(r"(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})")

Version = tuple[int, int, int]
"""Major, minor, patch."""


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A version to offer: the whole story was run with its binaries."""

    version: str


KNOWN_VERSIONS: Final = (KnownVersion("0.158.0"), KnownVersion("0.149.0"))
"""Newest first. Other versions can be typed."""


class Program(Enum):
    """The two programs that a host runs, by the names of their files."""

    SUPERVISOR = "opampsupervisor"
    COLLECTOR = "otelcol-contrib"


@dataclass(frozen=True, slots=True)
class Asset:
    """One release file. `checksum_urls` are to be tried in this order; the first that exists counts."""

    name: str
    url: str
    checksum_urls: tuple[str, ...]


def parse_version(text: str) -> Version:
    """A version such as 0.158.0 as numbers. Raises ValueError for anything that is no released version."""
    found = _VERSION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no version such as {KNOWN_VERSIONS[0].version}.")
    major, minor, patch = found.groups()
    return int(major), int(minor), int(patch)


def asset(program: Program, version: str, platform: str, *, mirror: str = "") -> Asset:
    """The release file of a program for a platform such as "linux_arm64"."""
    release = f"{(mirror or OFFICIAL_URL).rstrip('/')}/{_tag(program, version)}"
    suffix = ".tar.gz" if program is Program.COLLECTOR else ""
    name = f"{program.value}_{version}_{platform}{suffix}"
    listed = f"{release}/{_list_name(program)}"
    split = f"{release}/{name}.sha256"
    newer = parse_version(version) >= FIRST_WITH_SPLIT_CHECKSUMS
    return Asset(name, f"{release}/{name}", (split, listed) if newer else (listed, split))


def _tag(program: Program, version: str) -> str:
    """The release's tag as one segment of a URL: the supervisor's holds slashes."""
    folder = "cmd%2Fopampsupervisor%2F" if program is Program.SUPERVISOR else ""
    return f"{folder}v{version}"


def _list_name(program: Program) -> str:
    if program is Program.SUPERVISOR:
        return "checksums.txt"
    return "opentelemetry-collector-releases_otelcol-contrib_checksums.txt"
