"""Waiting for a condition instead of sleeping, with the logs in the failure's text."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import pytest

T = TypeVar("T")

_PAUSE_S: Final = 0.05
_TAIL_LINES: Final = 25
PATIENCE_S: Final = 60
"""For what takes a moment: on a machine that does much else, a long one. Only a failure waits so long."""

Evidence = Callable[[], str]
"""Says what was seen, for the text of a failure."""


def wait_until(
    condition: Callable[[], T | None], *, what: str, within_s: float, evidence: Evidence
) -> T:
    """Ask until the answer is truthy, and return it. Fails the test with the evidence when time is up."""
    deadline = time.monotonic() + within_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {within_s:.0f} s. Last: {answer!r}\n{evidence()}")
        time.sleep(_PAUSE_S)


def holds_for(
    condition: Callable[[], bool], *, what: str, seconds: float, evidence: Evidence
) -> None:
    """Look again and again for some seconds. Fails the test at the first time that it does not hold."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not condition():
            pytest.fail(f"{what}: no longer so.\n{evidence()}")
        time.sleep(_PAUSE_S)


def tail(file: Path, lines: int = _TAIL_LINES) -> str:
    """The end of a log, under its name."""
    if not file.is_file():
        return f"── {file}: not there"
    text = file.read_text("utf-8", errors="replace").splitlines()[-lines:]
    return "\n".join((f"── {file}", *text))
