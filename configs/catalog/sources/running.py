"""The one place where programs are run: git, go, a collector."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from configs.catalog.errors import CatalogError


class Ran(NamedTuple):
    """How a program ended and what it said."""

    code: int
    out: bytes
    words: str

    @property
    def text(self) -> str:
        """Its output as text."""
        return self.out.decode(errors="replace")


def run(
    program: str | Path,
    words: Sequence[str],
    *,
    folder: str | Path,
    seconds: int,
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Run a program in a folder, without a shell. environment: in place of this process's own.

    Raises CatalogError when it cannot be started, or takes too long.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a list of words, which nobody but the caller writes
            [str(program), *words],
            cwd=folder,
            env=dict(os.environ if environment is None else environment),
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise CatalogError(f"{program} did not end well: {fault}.") from fault
    return Ran(done.returncode, done.stdout, done.stderr.decode(errors="replace"))
