"""Hints are recorded, and what waits for a commit runs when a test says so."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from agents import notify


@pytest.fixture
def hints() -> Iterator[notify.RecordingPort]:
    """What would be sent on the channel layer."""
    port = notify.RecordingPort()
    before = notify.set_port(port)
    yield port
    notify.set_port(before)


@pytest.fixture
def committed(
    hints: notify.RecordingPort,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[list[Any]]],
) -> Callable[[], AbstractContextManager[list[Any]]]:
    """`with committed():` runs tasks and hints at its end, as a commit does."""
    return lambda: django_capture_on_commit_callbacks(execute=True)
