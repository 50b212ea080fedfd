"""Fixtures: Debian's Chromium, a server for the story, and a seeded one for all other pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.seed import Names, seed_installation
from tests.browser.watch import Watch
from tests.e2e.harness.server import ADMIN, PASSWORD, Server

CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """Where Chromium is."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "Chromium is missing. On Debian: apt install chromium"
    return found


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Of pytest-playwright: the system's Chromium, not one that is downloaded."""
    return {"executable_path": chromium(), "args": [*CHROMIUM_ARGS], "headless": True}


@pytest.fixture(scope="module")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A first start."""
    yield from _running(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="session")
def names() -> Names:
    """What the seed calls things."""
    return Names()


@pytest.fixture(scope="session")
def seeded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A small installation in the middle of its life."""
    server = Server(tmp_path_factory.mktemp("seeded"))
    seed_installation(server, collectors=60)
    yield from _running(server.folder, server)


def _running(folder: Path, server: Server | None = None) -> Iterator[Server]:
    server = server or Server(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def signed_in(browser: Browser, seeded_server: Server) -> Any:
    """Cookies of the admin on the seeded server."""
    context = browser.new_context(base_url=seeded_server.base_url)
    page = context.new_page()
    sign_in(page)
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


def watched(context: BrowserContext) -> Page:
    """A page whose errors fail the test at its end; see watch_is_clean()."""
    page = context.new_page()
    Watch.on(page)
    return page
