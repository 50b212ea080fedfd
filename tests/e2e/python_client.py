"""The third-party OpAMP client for Python, in a virtual environment of its own, which the cache keeps.

It is a pre-release that is used here as it is: nothing of ours runs in its process but a small
program around its documented interface (third_party_client.py).
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.e2e.binaries import cache_folder, only_builder

REQUIREMENTS: Final = ("opentelemetry-opamp-client==0.5b0", "protobuf==7.36.2")
PROGRAM: Final = Path(__file__).parent / "third_party_client.py"

_DONE: Final = "installed"


def folder() -> Path:
    """The virtual environment of exactly these requirements and this Python."""
    recipe = "\n".join((*REQUIREMENTS, sys.version))
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    return cache_folder() / f"python-client-{digest}"


def ensure() -> Path:
    """Its Python, installed now when the cache has none; raises CalledProcessError when pip fails."""
    place = folder()
    if not (place / _DONE).is_file():
        cache_folder().mkdir(parents=True, exist_ok=True)
        with only_builder():
            _install(place)
    return place / "bin" / "python"


def _install(place: Path) -> None:
    """A virtual environment cannot be moved: a mark says that it is whole."""
    if (place / _DONE).is_file():
        return
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", *REQUIREMENTS], check=True)
    (place / _DONE).touch()


def main() -> int:
    """Install it when it is missing; the exit code is 1 when it cannot be."""
    try:
        ensure()
    except subprocess.CalledProcessError as problem:
        sys.stderr.write(f"e2e: the Python client cannot be installed: {problem}\n")
        return 1
    return 0
