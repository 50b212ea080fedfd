"""The editor in a browser: typing, completing, explaining, findings and their fixes, by pointer and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, StorageState, expect

from tests.browser.small_catalog import give_catalog
from tests.browser.test_pages import LOOKS, check
from tests.browser.watch import Watch
from tests.browser.yaml_editor import content_of, expect_yaml, write_yaml
from tests.e2e.harness.server import Server

HERE: Final = "/configurations/new/"
GOOD: Final = """\
receivers:
  otlp:
    protocols:
      grpc:
exporters:
  debug:
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [debug]
"""
UNUSED: Final = GOOD.replace("exporters:\n", "# 😀 emoji before\nexporters:\n", 1).replace(
    "[debug]", "[debug, debug]"
)
"""One exporter twice in a list: a warning with a fix, behind a character that browsers count as two."""
_TAKES_KEYS: Final = """(list) => new Promise((done) => {
  const seen = Date.now();
  const look = () => {
    const isReady = Date.now() - seen >= 75 && !list.matches(".cm-tooltip-autocomplete-disabled");
    if (isReady) done();
    else requestAnimationFrame(look);
  };
  look();
})"""
"""CodeMirror takes no key for a list that it opened less than 75 ms ago (interactionDelay), lest somebody meant the
text. It reads the same clock, and opens the list before it can be seen.
"""


@pytest.fixture(scope="module", params=LOOKS)
def context(
    request: pytest.FixtureRequest, browser: Browser, seeded_server: Server, signed_in: StorageState
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


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """The page of a new configuration; nothing of it complains."""
    page = context.new_page()
    watch = Watch(page)
    give_catalog(page)
    page.goto(HERE)
    content_of(page).wait_for()
    yield page
    page.close()
    watch.check()


def accept(page: Page, key: str = "Enter") -> None:
    """Take the first option, once the list takes keys."""
    page.locator(".cm-tooltip-autocomplete").evaluate(_TAKES_KEYS)
    page.keyboard.press(key)


def findings(page: Page, text: str) -> None:
    """The list of findings says this."""
    expect(page.get_by_role("tabpanel", name="Findings")).to_contain_text(text)


def test_it_is_styled_under_a_policy_without_inline_styles(page: Page) -> None:
    policy = page.request.get(HERE).headers["content-security-policy"]
    assert "style-src 'self';" in f"{policy};"
    assert "unsafe" not in policy
    write_yaml(page, GOOD)
    scroller, key = page.locator(".cm-scroller"), page.locator(".cm-line span").first
    assert scroller.evaluate("(one) => getComputedStyle(one).display") == "flex"
    ink = content_of(page).evaluate("(one) => getComputedStyle(one).color")
    assert key.evaluate("(one) => getComputedStyle(one).color") != ink


def test_what_is_typed_is_in_the_form_and_findings_follow(page: Page) -> None:
    content_of(page).click()
    page.keyboard.type("receivers:")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.keyboard.type("nop:")
    expect_yaml(page, "receivers:\n  nop:")
    findings(page, "There are no exporters")
    write_yaml(page, GOOD)
    expect(page.get_by_role("tab", name="Findings")).to_be_visible()
    check(page)


def test_components_settings_values_and_ids_are_completed(page: Page) -> None:
    options = page.locator(".cm-tooltip-autocomplete")
    content_of(page).click()
    page.keyboard.type("exporters:")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.keyboard.type("deb")
    expect(options).to_contain_text("debug")
    expect(options).to_contain_text("beta")
    accept(page)
    expect_yaml(page, "exporters:\n  debug:\n    ")
    page.keyboard.type("verb")
    expect(options).to_contain_text("verbosity")
    accept(page)
    expect(options).to_contain_text("detailed")
    check(page)
    page.keyboard.type("det")
    expect(options).not_to_contain_text("basic")
    accept(page)
    expect_yaml(page, "exporters:\n  debug:\n    verbosity: detailed")
    write_yaml(page, GOOD.replace("exporters: [debug]", "exporters: "))
    page.keyboard.press("Control+End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("[de")
    expect(options).to_contain_text("debug")
    accept(page, "Tab")
    expect_yaml(page, GOOD.replace("exporters: [debug]", "exporters: [debug"))


def test_the_collector_version_decides_what_is_offered(page: Page) -> None:
    options = page.locator(".cm-tooltip-autocomplete")
    for version, has_it in (("0.158.0", True), ("0.149.0", False)):
        page.get_by_label("Collector version").select_option(version)
        write_yaml(page, "receivers:\n  ")
        page.keyboard.press("Control+End")
        page.keyboard.press("Control+Space")
        expect(options).to_contain_text("otlp")
        assert ("host_metrics" in options.inner_text()) is has_it
        page.keyboard.press("Escape")


def test_a_word_is_explained_by_pointer_and_by_key(page: Page) -> None:
    write_yaml(page, GOOD.replace("debug:\n", "debug:\n    verbosity: basic\n"))
    about = page.locator(".cm-about")
    word = page.locator(".cm-line span", has_text=re.compile("^verbosity$"))
    word.hover()
    expect(about).to_contain_text("basic, normal, detailed")
    expect(about.get_by_role("link", name="Documentation")).to_have_attribute(
        "href", "https://docs.example/debug"
    )
    check(page)
    page.mouse.move(0, 0)
    expect(about).to_have_count(0)
    word.click()
    page.mouse.move(0, 0)
    page.keyboard.press("Control+Shift+Space")
    expect(about).to_contain_text("default")
    page.keyboard.press("Escape")
    expect(about).to_have_count(0)


def test_a_finding_is_gone_to_and_fixed_and_the_fix_undone(page: Page) -> None:
    write_yaml(page, UNUSED)
    panel = page.get_by_role("tabpanel", name="Findings")
    expect(panel.get_by_role("button", name=re.compile("^Line 12$"))).to_be_visible()
    check(page)
    page.keyboard.press("Control+Home")
    panel.get_by_role("button", name="Line 12").click()
    expect(page.locator(".cm-activeLineGutter").first).to_have_text("12")
    panel.locator("[data-fix]").first.click()
    expect_yaml(page, UNUSED.replace("[debug, debug]", "[debug]"))
    page.keyboard.press("Control+z")
    expect_yaml(page, UNUSED)


def test_findings_are_walked_and_fixed_by_keyboard(page: Page) -> None:
    write_yaml(page, UNUSED)
    expect(page.locator(".cm-signs svg:visible").first).to_be_visible()
    findings(page, "Line 12")
    page.keyboard.press("Control+Home")
    for _ in range(8):
        page.keyboard.press("F8")
        if page.locator(".cm-line.cm-activeLine").inner_text().strip().startswith("exporters: ["):
            break
    page.keyboard.press("Control+.")
    expect_yaml(page, UNUSED.replace("[debug, debug]", "[debug]"))
    page.get_by_role("tab", name="Findings").focus()
    page.keyboard.press("Shift+F8")
    expect(content_of(page)).to_be_focused()


def test_syntax_is_judged_at_once_and_a_server_that_is_away_is_said_quietly(
    context: BrowserContext,
) -> None:
    page = context.new_page()
    give_catalog(page)
    page.route("**/api/v1/validate/", lambda route: route.abort())
    page.goto(HERE)
    write_yaml(page, "receivers:\n  otlp: [1, 2\n")
    findings(page, "not closed")
    expect(page.get_by_role("region", name="Findings and outline")).to_contain_text(
        "Not checked: the server does not answer."
    )
    check(page)
    page.close()


def test_a_late_answer_about_an_older_text_is_dropped(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/validate/", hold)
    write_yaml(page, "receivers: {}\n")
    while not held:
        page.wait_for_timeout(20)
    write_yaml(page, GOOD)
    while len(held) < 2:
        page.wait_for_timeout(20)
    place = {"line": 1, "column": 1, "end_line": 1, "end_column": 2, "doc_url": "", "fixes": []}
    for route, message in zip(held[:2], ("of the old text", "of the new text"), strict=True):
        finding = {"rule": "X", "severity": "error", "message": message, **place}
        route.fulfill(json={"valid": False, "findings": [finding]})
    findings(page, "of the new text")
    expect(page.get_by_role("tabpanel", name="Findings")).not_to_contain_text("of the old text")


def test_tab_indents_and_escape_then_tab_leaves(page: Page) -> None:
    content_of(page).click()
    page.keyboard.type("a")
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    expect_yaml(page, "  a")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(content_of(page)).not_to_be_focused()
    expect_yaml(page, "  a")


def test_shortcuts_of_the_page_are_letters_here(page: Page) -> None:
    content_of(page).click()
    page.keyboard.type("# g/?jx gf")
    expect_yaml(page, "# g/?jx gf")
    assert page.url.endswith(HERE)


def test_the_outline_leads_to_its_places(page: Page) -> None:
    write_yaml(page, GOOD)
    page.get_by_role("tab", name="Outline").click()
    outline = page.get_by_role("tabpanel", name="Outline")
    outline.get_by_role("button", name="traces").click()
    expect(page.locator(".cm-activeLineGutter").first).to_have_text("9")
    expect(outline.get_by_role("button", name="traces")).to_have_attribute(
        "aria-current", "location"
    )
    check(page)


def test_text_is_searched_and_folded(page: Page) -> None:
    write_yaml(page, GOOD)
    page.keyboard.press("Control+Home")
    page.keyboard.press("Control+Shift+BracketLeft")
    expect(page.locator(".cm-foldPlaceholder")).to_be_visible()
    page.keyboard.press("Control+Shift+BracketRight")
    page.get_by_role("button", name="Search", exact=True).click()
    page.keyboard.type("debug")
    expect(page.locator(".cm-searchMatch")).to_have_count(2)
    check(page)
    page.keyboard.press("Escape")


def test_another_script_may_put_a_text_into_the_textarea(page: Page) -> None:
    write_yaml(page, GOOD)
    page.locator("config-editor textarea").evaluate(
        "(area) => { area.value = area.value.replace('otlp:', 'otlp/x:');"
        " area.dispatchEvent(new Event('change')); }"
    )
    expect(content_of(page)).to_contain_text("otlp/x:")
    page.keyboard.press("Control+z")
    expect_yaml(page, GOOD)


def test_a_text_that_may_not_be_changed_can_be_read_and_searched(context: BrowserContext) -> None:
    page = context.new_page()
    watch = Watch(page)
    give_catalog(page)
    page.add_init_script(
        "new MutationObserver(() => document.querySelector('config-editor')?.setAttribute('data-readonly', ''))"
        ".observe(document, { childList: true, subtree: true });"
    )
    page.goto(HERE)
    content_of(page).focus()
    page.keyboard.type("no")
    expect_yaml(page, "")
    page.locator("config-editor textarea").evaluate(
        f"(area) => {{ area.value = {UNUSED!r}; area.dispatchEvent(new Event('change')); }}"
    )
    findings(page, "Line 12")
    expect(page.locator("[data-fix]")).to_have_count(0)
    page.keyboard.press("F8")
    expect(content_of(page)).to_be_focused()
    check(page)
    page.close()
    watch.check()
