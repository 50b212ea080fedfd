"""What a page's watch tells of, and what it leaves out: a request that a newer one replaced is no fault."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, StorageState

from tests.browser.watch import Watch
from tests.e2e.harness.server import Server


@pytest.fixture
def page_on_collectors(page: Page, seeded_server: Server, signed_in: StorageState) -> Page:
    """The list of collectors, signed in."""
    page.context.add_cookies(signed_in["cookies"])  # type: ignore[arg-type]  # the same cookies
    page.goto(f"{seeded_server.base_url}/collectors/")
    return page


@pytest.mark.parametrize(("how", "is_told"), [("aborted", False), ("connectionreset", True)])
def test_only_requests_that_the_page_gave_up_itself_are_left_out(
    page_on_collectors: Page, how: str, is_told: bool
) -> None:
    page = page_on_collectors
    watch = Watch(page)
    page.route("**/nowhere", lambda route: route.abort(how))
    page.evaluate("fetch('/nowhere').catch(() => console.log('over'))")
    with page.expect_console_message(lambda message: message.text == "over again"):
        page.evaluate("fetch('/nowhere').catch(() => console.log('over again'))")
    assert bool(watch.complaints) is is_told
