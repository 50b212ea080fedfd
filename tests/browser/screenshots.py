"""Pictures of the pages, light and dark, for README and docs: `python -m tests.browser.screenshots [FOLDER]`.

A seeded installation of its own is served for it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.launching import launch_options, seed_installation, sign_in
from tests.browser.places import PLACES, ids_of
from tests.e2e.harness.server import ROOT, Server

COLLECTORS: Final = 300
FOLDER: Final = ROOT / "docs" / "images"
DESK: Final = {"width": 1280, "height": 860}
PHONE: Final = {"width": 390, "height": 844}


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: of which place, in which look."""

    name: str
    place: str
    theme: str = "light"
    is_phone: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """Of the browser's context."""
        size = PHONE if self.is_phone else DESK
        return {"viewport": size, "color_scheme": self.theme, "reduced_motion": "reduce"}


SHOTS: Final = tuple(
    Shot(
        f"{name}-{look}",
        place,
        theme="dark" if look == "dark" else "light",
        is_phone=look == "phone",
    )
    for name, place in {
        "overview": "overview",
        "fleet": "fleet",
        "collectors": "collectors",
        "collector": "collector",
        "configuration": "configuration",
        "rollout": "rollout",
        "deploy": "deploy",
        "compare": "compare versions",
        "sign-in": "sign in",
    }.items()
    for look in ("light", "dark", "phone")
)
COMMITTED: Final = (
    "overview-light",
    "overview-dark",
    "collector-light",
    "rollout-light",
    "compare-light",
    "deploy-light",
    "collectors-phone",
)
"""Those that README and docs show."""


def take(browser: Browser, server: Server, shots: Iterable[Shot], folder: Path) -> None:
    """One picture after the other, each in a fresh context with the admin's session."""
    session = browser.new_context(base_url=server.base_url)
    sign_in(session.new_page())
    places = {name: path.format(**ids_of(session)) for name, path in PLACES.items()}
    state = session.storage_state()
    session.close()
    for shot in shots:
        is_outside = shot.place not in places
        context = browser.new_context(
            base_url=server.base_url,
            storage_state=None if is_outside else state,
            **shot.options,
        )
        shoot(
            context,
            "/accounts/login/" if is_outside else places[shot.place],
            folder / f"{shot.name}.png",
        )
        context.close()


def shoot(context: BrowserContext, address: str, file: Path) -> None:
    """What the window shows once the page follows what happens."""
    page = context.new_page()
    page.goto(address)
    lamp = page.locator("live-lamp")
    if lamp.count():
        expect(lamp).to_contain_text("Live")
    page.evaluate("document.fonts.ready")
    page.screenshot(path=file)


def main() -> None:
    """All pictures into the folder given, or those that are committed into docs/images/."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    shots = SHOTS if len(sys.argv) > 1 else [shot for shot in SHOTS if shot.name in COMMITTED]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="telflo-screenshots-") as ground:
        server = Server(Path(ground))
        seed_installation(server, collectors=COLLECTORS)
        server.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(**launch_options())
                take(browser, server, shots, folder)
                browser.close()
        finally:
            server.stop()
    print(f"{len(shots)} pictures in {folder}")  # noqa: T201 - what a person runs it for


if __name__ == "__main__":
    main()
