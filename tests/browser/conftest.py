"""Fixtures: Debian's Chromium, a server for the story, and a seeded one for all other pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, StorageState, expect

from tests.browser.launching import launch_options, seed_installation, sign_in
from tests.e2e.harness.server import Server
from tests.e2e.harness.waiting import PATIENCE_S

# An expectation ends as soon as it holds; the 5 s of the default are for a machine with nothing else to do.
expect.set_options(timeout=PATIENCE_S * 1_000)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Of pytest-playwright."""
    return launch_options()


@pytest.fixture(scope="module")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A first start."""
    server = Server(tmp_path_factory.mktemp("empty"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def seeded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A small installation in the middle of its life."""
    server = Server(tmp_path_factory.mktemp("seeded"))
    seed_installation(server, collectors=60)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def signed_in(browser: Browser, seeded_server: Server) -> StorageState:
    """Cookies of the admin on the seeded server."""
    context = browser.new_context(base_url=seeded_server.base_url)
    sign_in(context.new_page())
    state = context.storage_state()
    context.close()
    return state
