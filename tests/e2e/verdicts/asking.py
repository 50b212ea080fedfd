"""Asking a real collector: does it take a configuration, and does it start with it?"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Final

AT_ONCE: Final = 2
_PATIENCE: Final = 120
"""Seconds for one answer, on a busy machine."""
_READY: Final = "Everything is ready"


@dataclass(frozen=True, slots=True)
class Verdict:
    """code: 0 when the collector takes it · words: what it complained about."""

    code: int
    words: str

    @property
    def is_refused(self) -> bool:
        """Whether it does not take it."""
        return self.code != 0


def verdicts(binary: Path, texts: Iterable[str]) -> list[Verdict]:
    """What `validate` says about each text, in order; a few at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda text: verdict(binary, text), texts))


def verdict(binary: Path, text: str) -> Verdict:
    """In a folder of its own: a configuration can name files that `validate` creates."""
    with tempfile.TemporaryDirectory(prefix="telflo-verdict-") as folder:
        done = subprocess.run(
            [binary, "validate", f"--config={_written(folder, text)}"],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    return Verdict(done.returncode, (done.stderr + done.stdout).strip())


def starts(binary: Path, text: str) -> bool:
    """Whether the collector gets as far as running; it is ended then."""
    with tempfile.TemporaryDirectory(prefix="telflo-verdict-") as folder:
        process = subprocess.Popen(
            [binary, f"--config={_written(folder, text)}"],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        with process:
            assert process.stderr is not None
            patience = Timer(_PATIENCE, process.kill)
            patience.start()
            # It ends by itself when it cannot start, and then its words end, too.
            is_running = any(_READY in line for line in process.stderr)
            patience.cancel()
            process.kill()
    return is_running


def _written(folder: str, text: str) -> Path:
    file = Path(folder) / "config.yaml"
    file.write_text(text)
    return file


def _environment() -> dict[str, str]:
    """Nothing that a configuration could refer to."""
    return {"PATH": os.environ.get("PATH", os.defpath)}
