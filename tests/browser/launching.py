"""Starting what a look at the pages needs: Chromium, a seeded data folder, a person who is signed in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Any, Final

from playwright.sync_api import Page

from tests.e2e.harness.server import ADMIN, PASSWORD, ROOT, Server

CHROMIUM_ARGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SEEDING_S: Final = 300


def launch_options() -> dict[str, Any]:
    """How to start the system's Chromium; none is downloaded."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "Chromium is missing. On Debian: apt install chromium"
    return {"executable_path": found, "args": [*CHROMIUM_ARGS], "headless": True}


def seed_installation(server: Server, *, collectors: int) -> None:
    """Fill the data folder of a server that does not run yet, in a process with its settings."""
    server.data.mkdir(parents=True, exist_ok=True)
    code = f"from tests.browser.seed import fill; fill({collectors})"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
        cwd=ROOT,
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SEEDING_S,
    )
    assert done.returncode == 0, done.stderr


def sign_in(page: Page) -> None:
    """As the admin, from wherever the page is."""
    page.goto("/accounts/login/")
    page.get_by_label("User name").fill(ADMIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "login" not in address)
