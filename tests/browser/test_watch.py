"""What a page's watch tells of, and what it leaves out: a request that the page gave up itself is no fault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.watch import Watch

HERE = "http://pages.test/"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page, without a server."""
    context = browser.new_context()
    page = context.new_page()
    page.route(HERE, lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto(HERE)
    yield page
    context.close()


@pytest.mark.parametrize(("how", "is_told"), [("aborted", False), ("connectionreset", True)])
def test_what_the_page_gave_up_is_left_out_and_what_failed_is_told(
    page: Page, how: str, is_told: bool
) -> None:
    watch = Watch(page)
    page.route(f"{HERE}nowhere", lambda route: route.abort(how))
    page.evaluate("fetch('/nowhere').catch(() => {})")
    assert bool(watch.complaints) is is_told
