"""A draft in a browser: it saves itself, shows what is wrong, becomes a version; and two people who edit it at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.launching import sign_in
from tests.browser.test_pages import LOOKS, check
from tests.browser.watch import Watch
from tests.browser.yaml_editor import expect_yaml, write_yaml
from tests.e2e.harness.server import Server

GOOD: Final = """\
receivers:
  otlp:
    protocols:
      grpc:
processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 400
exporters:
  otlp_grpc:
    endpoint: gateway:4317
    sending_queue:
      storage: file_storage
extensions:
  file_storage:
    directory: /var/lib/otel
service:
  extensions: [file_storage]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter]
      exporters: [otlp_grpc]
"""
WRONG: Final = GOOD.replace("[memory_limiter]", "[memory_limter]")


@pytest.fixture
def context(browser: Browser, empty_server: Server) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=empty_server.base_url)
    context.set_default_timeout(15_000)
    sign_in(context.new_page())
    yield context
    context.close()


def opened(context: BrowserContext, name: str) -> Page:
    """The draft of a new configuration, made from a template."""
    page = context.new_page()
    page.goto("/configurations/")
    page.get_by_role("link", name="New configuration").first.click()
    page.get_by_role("link", name="OTLP gateway").click()
    expect_yaml(page, re.compile("memory_limiter"))
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Open in the editor").click()
    page.wait_for_url("**/draft/")
    return page


def test_type_see_a_finding_save_publish_compare(context: BrowserContext) -> None:
    page = opened(context, "typed")
    watch = Watch(page)
    page.evaluate("window.sameDocument = true")
    write_yaml(page, WRONG)
    expect(page.locator("[data-said]")).to_have_text("Saved")
    findings = page.get_by_role("tabpanel", name="Findings")
    finding = findings.get_by_role("listitem").filter(has_text="memory_limter").first
    finding.get_by_role("button", name="Line").click()
    expect(page.locator(".cm-line.cm-activeLine")).to_have_text(re.compile("memory_limter"))
    check(page)
    finding.locator("[data-fix]").first.click()
    expect_yaml(page, GOOD)
    expect(page.locator("[data-said]")).to_have_text("Saved")
    expect(findings).not_to_contain_text("memory_limter")
    assert page.evaluate("window.sameDocument"), "it saved itself"
    page.get_by_label("Note").fill("First of its kind")
    page.get_by_role("button", name="Save and publish").click()
    page.get_by_role("button", name="Publish v1").click()
    page.wait_for_url("**/versions/1/")
    expect(page.locator("#version-head")).to_contain_text("Published")
    page.get_by_role("link", name="New version").click()
    write_yaml(page, GOOD.replace("limit_mib: 400", "limit_mib: 800"))
    expect(page.locator("[data-said]")).to_have_text("Saved")
    page.goto(page.url)
    page.get_by_role("link", name="Compare").click()
    expect(page.locator("#meaning")).to_contain_text("processors::memory_limiter::limit_mib")
    expect(page.locator("#meaning")).to_contain_text("400 → 800")
    page.get_by_role("link", name="Side by side").click()
    expect(page.locator("table.sides td.add")).to_contain_text("limit_mib: 800")
    check(page)
    watch.check()


@pytest.mark.parametrize("look", LOOKS)
def test_two_people_on_one_draft(browser: Browser, empty_server: Server, look: str) -> None:
    context = browser.new_context(base_url=empty_server.base_url, **LOOKS[look])
    context.set_default_timeout(15_000)
    sign_in(context.new_page())
    first = opened(context, f"shared, {look}")
    write_yaml(first, GOOD)
    expect(first.locator("[data-said]")).to_have_text("Saved")
    second = context.new_page()
    second.goto(first.url)
    write_yaml(first, GOOD + "# from the first\n")
    expect(first.locator("[data-said]")).to_have_text("Saved")
    write_yaml(second, GOOD.replace("gateway:4317", "other:4317"))
    expect(second.locator("[data-said]")).to_contain_text("changed this draft meanwhile")
    second.get_by_role("button", name="Compare the two").click()
    clash = second.locator("#clash")
    expect(clash).to_contain_text("# from the first")
    expect(clash).to_contain_text("other:4317")
    check(second)
    clash.get_by_role("button", name="Put both together").click()
    expect(second.get_by_role("status").first).to_be_attached()
    expect_yaml(second, GOOD.replace("gateway:4317", "other:4317") + "# from the first\n")
    context.close()


def test_what_is_typed_while_the_server_is_away_is_sent_later(context: BrowserContext) -> None:
    page = opened(context, "away")
    address = re.compile(r"/api/v1/configurations/.*/draft/")
    page.route(address, lambda route: route.abort())
    write_yaml(page, GOOD)
    expect(page.locator("[data-said]")).to_contain_text("the server does not answer")
    page.unroute(address)
    expect(page.locator("[data-said]")).to_have_text("Saved")


def test_who_is_signed_out_meanwhile_keeps_what_they_wrote(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/configurations/new/")
    page.get_by_label("Name", exact=True).fill("written for long")
    write_yaml(page, GOOD)
    context.clear_cookies()
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.get_by_role("alert")).to_contain_text("Not sent: you are signed out")
    check(page)
    expect_yaml(page, GOOD)
    with context.expect_page() as opened_page:
        page.get_by_role("link", name="Sign in in another tab").click()
    sign_in(opened_page.value)
    page.get_by_role("button", name="Save as version 1").click()
    page.wait_for_url("**/versions/1/")
    expect(page.get_by_role("main")).to_contain_text("otlp_grpc")
