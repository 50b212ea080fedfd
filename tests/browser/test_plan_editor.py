"""The plan editor in a browser: the preview follows what is typed, buttons change the stages, ticks let it start."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, StorageState, expect

from tests.browser.test_pages import LOOKS, check
from tests.browser.watch import Watch
from tests.e2e.harness.server import Server

HERE = "/fleets/edge-us/assign/"
LOOK_DELAY_S = 0.15
"""After so long what was typed is looked at (templates/fleets/assign.html)."""


@pytest.fixture(params=LOOKS)
def page(
    request: pytest.FixtureRequest,
    browser: Browser,
    seeded_server: Server,
    signed_in: StorageState,
) -> Iterator[Page]:
    """The Assign page in one look."""
    context = browser.new_context(
        base_url=seeded_server.base_url,
        storage_state=signed_in,
        reduced_motion="reduce",
        **LOOKS[request.param],
    )
    page = context.new_page()
    page.goto(HERE)
    yield page
    context.close()


def test_the_plan_is_edited_and_looked_at_without_a_reload(page: Page) -> None:
    watch = Watch(page)
    page.evaluate("window.sameDocument = true")
    share = page.get_by_label("Share, stage 1", exact=True)
    kind = page.get_by_label("Kind of share, stage 1")
    start = page.locator("button[value=start]")
    page.get_by_role("button", name="Add a stage").click()
    expect(page.locator("input[name=stages]")).to_have_value("5")
    expect(page.get_by_text("Own", exact=True)).to_be_visible()
    kind.select_option("selector")
    share.fill("nobody=here")
    share.press("Tab")
    expect(page.locator("#preflight")).to_contain_text("A stage selects no collector")
    bake = page.get_by_label("Bake, stage 2")
    bake.fill("soon")
    bake.press("Tab")
    expect(page.get_by_text("Write a time as 90 s, 5 min, 2 h or 1 d.")).to_be_visible()
    expect(start).to_be_disabled()
    check(page)
    page.get_by_role("button", name="Remove stage 2").click()
    expect(page.locator("input[name=stages]")).to_have_value("4")
    expect(start).to_be_enabled()
    page.get_by_role("button", name="One by one").click()
    expect(page.get_by_role("button", name="One by one")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("input[name=stages]")).to_have_value("1")
    assert page.evaluate("window.sameDocument")
    check(page)
    watch.check()


def test_enter_in_a_field_neither_starts_nor_resets_the_plan(page: Page) -> None:
    page.get_by_role("button", name="All at once").click()
    expect(page.locator("input[name=stages]")).to_have_value("1")
    page.get_by_label("Soak").fill("3 min")
    page.get_by_label("Soak").press("Enter")
    expect(page.get_by_label("Soak")).to_have_value("3 min")
    expect(page.locator("input[name=stages]")).to_have_value("1")
    assert re.search(HERE, page.url)


def test_a_button_that_is_pressed_right_after_a_field_was_changed_is_not_lost(page: Page) -> None:
    """Leaving the field asks for a look too, a moment later: on a slow server before the button's answer is there."""

    def answer_late(route: Route) -> None:
        time.sleep(2 * LOOK_DELAY_S)
        route.continue_()

    page.route(f"**{HERE}", answer_late)
    page.get_by_label("Bake, stage 2").fill("7 min")
    page.get_by_role("button", name="Add a stage").click()
    expect(page.locator("input[name=stages]")).to_have_value("5")
    expect(page.get_by_label("Bake, stage 2")).to_have_value("7 min")
