"""Every page, light, dark and on a phone: nothing for axe to find, no complaint of the browser, nothing cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from tests.browser.launching import sign_in
from tests.browser.places import PLACES, ids_of
from tests.browser.watch import Watch
from tests.e2e.harness.server import ROOT, Server

AXE: Final = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
LOOKS: Final[dict[str, dict[str, Any]]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {
        "color_scheme": "light",
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
    },
}
_FINDINGS: Final = """async () => {
  const look = async (triesLeft) => {
    try {
      return await axe.run(document);
    } catch (error) {
      // axe stumbles over an element that went away under it, as an editor's do: the page is looked at once it stands.
      if (!triesLeft || !(error instanceof TypeError)) throw error;
      return look(triesLeft - 1);
    }
  };
  const found = await look(3);
  return found.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
}"""


@pytest.fixture(scope="module", params=LOOKS)
def context(
    request: pytest.FixtureRequest,
    browser: Browser,
    seeded_server: Server,
    signed_in: StorageState,
) -> Iterator[BrowserContext]:
    """Of the admin, in one look."""
    context = browser.new_context(
        base_url=seeded_server.base_url,
        storage_state=signed_in,
        reduced_motion="reduce",
        **LOOKS[request.param],
    )
    yield context
    context.close()


@pytest.fixture(scope="module")
def ids(context: BrowserContext) -> dict[str, Any]:
    return ids_of(context)


@pytest.mark.parametrize("name", PLACES)
def test_a_page_is_clean(context: BrowserContext, ids: dict[str, Any], name: str) -> None:
    page = context.new_page()
    watch = Watch(page)
    page.goto(PLACES[name].format(**ids))
    expect(page.locator("live-lamp")).to_contain_text("Live")
    check(page)
    page.close()
    watch.check()


_CUT: Final = """() => [...document.querySelectorAll("#main dt, #main a.name")]
  .filter((element) => element.checkVisibility() && element.scrollWidth > element.clientWidth + 1)
  .map((element) => element.textContent)"""


@pytest.mark.parametrize("name", ["collector", "collectors", "fleet", "rollout"])
def test_keys_and_names_of_collectors_are_shown_whole(
    context: BrowserContext, ids: dict[str, Any], name: str
) -> None:
    page = context.new_page()
    page.goto(PLACES[name].format(**ids))
    assert page.locator("#main dt, #main a.name").count() > 5
    assert page.evaluate(_CUT) == []
    page.close()


def test_the_health_of_a_healthy_collector_is_whole(
    context: BrowserContext, ids: dict[str, Any]
) -> None:
    page = context.new_page()
    page.goto(PLACES["talking collector"].format(**ids))
    expect(page.locator("#collector-health")).to_contain_text("4 components OK")
    page.close()


def test_the_tries_of_a_notice_open_under_it(context: BrowserContext, ids: dict[str, Any]) -> None:
    page = context.new_page()
    watch = Watch(page)
    page.goto(PLACES["notification"].format(**ids))
    page.get_by_text("3 tries").click()
    expect(page.get_by_role("listitem").filter(has_text="10,004 ms")).to_have_count(1)
    check(page)
    page.close()
    watch.check()


def test_the_way_in_is_clean(browser: Browser, seeded_server: Server) -> None:
    for look in LOOKS.values():
        context = browser.new_context(base_url=seeded_server.base_url, **look)
        page = context.new_page()
        watch = Watch(page)
        page.goto("/accounts/login/")
        check(page)
        watch.check()
        context.close()


def test_a_page_that_is_not_there_says_so(context: BrowserContext) -> None:
    page = context.new_page()
    answer = page.goto("/fleets/nonsense/")
    assert answer is not None
    assert answer.status == 404
    check(page)
    page.close()


def test_the_theme_is_kept(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/fleets/")
    for theme in ("dark", "light"):
        page.locator("theme-switch summary").click()
        page.get_by_role("button", name=theme.capitalize()).click()
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        page.goto("/tokens/")
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
    page.locator("theme-switch summary").click()
    page.get_by_role("button", name="System").click()
    assert page.locator("html").get_attribute("data-theme") is None
    page.close()


def test_keys_lead_to_pages_and_to_search(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    for key, address in (("f", "/fleets/"), ("a", "/collectors/"), ("c", "/configurations/")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**{address}")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard")
    page.close()


def test_it_works_without_javascript(browser: Browser, seeded_server: Server) -> None:
    context = browser.new_context(base_url=seeded_server.base_url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.goto("/configurations/new/")
    page.get_by_label("Name", exact=True).fill("without script")
    page.get_by_label("Collector YAML").fill("receivers: [\n")
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("without script")
    page.get_by_label("Collector YAML").fill(
        "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {debug: }\n"
        "service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n"
    )
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("without script")
    page.get_by_role("link", name="Publish", exact=True).click()
    for tick in page.get_by_label("Publish anyway").all():
        tick.check()
    page.get_by_role("button", name="Publish", exact=False).click()
    expect(page.get_by_text("Published").first).to_be_visible()
    page.get_by_role("link", name="New version").click()
    text = page.get_by_label("Collector YAML")
    text.fill(text.input_value().replace("[debug]", "[gone]"))
    page.get_by_role("button", name="Save draft").first.click()
    expect(page.get_by_role("list", name="Findings")).to_contain_text("gone")
    page.get_by_label("Collector YAML").fill(
        text.input_value().replace("[gone]", "[debug]") + "# 2\n"
    )
    page.get_by_role("button", name="Save as v2").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("without script v2")
    context.close()


def check(page: Page) -> None:
    """Axe finds nothing, and the page is as wide as the window."""
    page.evaluate(Path(AXE).read_text("utf-8"))
    findings = page.evaluate(_FINDINGS)
    assert not findings, "\n".join(findings)
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0, f"{wide} px wider than the window"
