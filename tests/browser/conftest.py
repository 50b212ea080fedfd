"""Fixtures: Debian's Chromium, a server for the story, and a seeded one for all other pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.browser.seed import seed_installation
from tests.e2e.harness.server import ADMIN, PASSWORD, Server

CHROMIUM_ARGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def launch_options() -> dict[str, Any]:
    """How to start the system's Chromium; none is downloaded."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "Chromium is missing. On Debian: apt install chromium"
    return {"executable_path": found, "args": [*CHROMIUM_ARGS], "headless": True}


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


def sign_in(page: Page) -> None:
    """As the admin, from wherever the page is."""
    page.goto("/accounts/login/")
    page.get_by_label("User name").fill(ADMIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "login" not in address)
