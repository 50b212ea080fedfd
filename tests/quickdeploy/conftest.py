"""Fixtures of the quick-deploy tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.quickdeploy.sandbox import Host, Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    """A server to install from."""
    with serving() as running:
        yield running


@pytest.fixture
def host(server: Server, tmp_path: Path) -> Host:
    """A fresh host."""
    return Host(server, tmp_path)
