"""The machine that a run was made on, for the document."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psycopg

from benchmarks import opamp_go

_LIBRARIES: Final = ("django", "uvicorn", "uvloop", "picows", "protobuf", "psycopg")


def describe() -> Mapping[str, str]:
    """CPU, cores, memory, versions and the date."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "CPU": _first(Path("/proc/cpuinfo").read_text(), r"model name\s*: (.*)"),
        "cores": str(os.cpu_count()),
        "memory": f"{int(_first(Path('/proc/meminfo').read_text(), r'MemTotal: *([0-9]+)')) // 2**20} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_version()}; {libraries}",
        "PostgreSQL": _postgres(),
        "Redis": _first(_said("redis-server", "--version"), r"v=(\S+)"),
        "reference": f"opamp-go {opamp_go.VERSION}, {_said('go', 'version').removeprefix('go version ')}",
    }


def load_average() -> float:
    """How many processes wanted a core in the last minute: more than there are cores, and times mean little."""
    return os.getloadavg()[0]


def _postgres() -> str:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else "unknown"


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def _first(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[1].strip() if found else "unknown"
