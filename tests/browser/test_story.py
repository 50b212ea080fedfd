"""The story in a browser: from the first start to a collector that follows its fleet, without a reload."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Final

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.collector import Collector
from tests.browser.launching import sign_in
from tests.browser.watch import Watch
from tests.browser.yaml_editor import expect_yaml, write_yaml
from tests.e2e.harness.server import Server

ONE: Final = """\
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
TWO: Final = ONE.replace("debug:\n", "debug:\n    verbosity: detailed\n")
REFUSED: Final = ONE.replace("grpc:\n", "grpc:\n        endpoint: localhost:4319\n")
"""Right as far as anybody can see; on the host another program has the port."""
BROKEN: Final = "receivers:\n  otlp:\n exporters: [\n"
WORDS: Final = "listen tcp 127.0.0.1:4319: bind: address already in use"
AT_ONCE_MS: Final = 15_000
"""For what the server tells an open page: at most one message a second and topic, then a fetch."""
RECEIVED_S: Final = 3
"""From a person's click to the collector, the page's own answer included: a busy machine may be slow."""


@pytest.fixture
def page(browser: Browser, empty_server: Server) -> Iterator[Page]:
    context = browser.new_context(base_url=empty_server.base_url)
    context.set_default_timeout(15_000)
    page = context.new_page()
    watch = Watch(page)
    yield page
    context.close()
    watch.check()


def test_a_collector_is_deployed_and_follows_its_fleet(page: Page, empty_server: Server) -> None:
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("No collectors yet")
    create_configuration(page)
    publish(page)
    create_fleet(page)
    command = quick_deploy(page)
    waiting = page.url
    token = claim(empty_server.base_url, command)
    with Collector(
        empty_server.base_url, token, refuses="localhost:4319", error=WORDS
    ) as collector:
        link = page.locator("#waiting").get_by_role("link", name="edge-1")
        expect(link).to_be_visible(timeout=AT_ONCE_MS)
        expect(page.locator("#deployment-head")).to_contain_text(re.compile(r"1 of \d+ use"))
        assert page.url == waiting
        link.click()
        look_at_collector(page)
        save_version(page, TWO, note="Say more")
        assign_and_watch(page, collector, "v2", TWO, "In sync")
        save_version(page, REFUSED, note="Another port")
        assign_and_watch(page, collector, "v3", REFUSED, "Failed")
        expect(page.locator("#collector-status")).to_contain_text(WORDS)
        retry(page)
    expect(page.locator("#collector-head")).to_contain_text("Disconnected", timeout=AT_ONCE_MS)
    sign_out(page)


def retry(page: Page) -> None:
    """Beside the failure; one question says what will happen, and it leads back."""
    here = page.url
    page.locator("#collector-status").get_by_role("link", name="Retry").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Retry edge gateway v3 on edge-1?")
    expect(page.get_by_role("main")).to_contain_text("edge gateway v2 is offered first")
    page.get_by_role("button", name="Retry 1").click()
    page.wait_for_url(here)
    expect(page.locator("#collector-timeline")).to_contain_text("Retried")


def create_configuration(page: Page) -> None:
    """By pasting; a fault is shown at its place and the text is kept."""
    page.get_by_role("link", name="Write version 1").click()
    page.get_by_label("Name", exact=True).fill("edge gateway")
    write_yaml(page, BROKEN)
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.get_by_text(re.compile(r"line 3", re.IGNORECASE)).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"column \d", re.IGNORECASE)).first).to_be_visible()
    expect_yaml(page, BROKEN)
    expect(page.get_by_label("Name", exact=True)).to_have_value("edge gateway")
    write_yaml(page, ONE)
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("edge gateway")


def publish(page: Page) -> None:
    """The version that is shown, in spite of its warnings."""
    page.get_by_role("link", name="Publish", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("No collector changes")
    for tick in page.get_by_label("Publish anyway").all():
        tick.check()
    page.get_by_role("button", name=re.compile("Publish v")).click()
    expect(
        page.locator("main h1 ~ *, main .lamp").filter(has_text="Published").first
    ).to_be_visible()


def create_fleet(page: Page) -> None:
    """With its first token, shown this once."""
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.wait_for_url("**/fleets/")
    page.get_by_role("main").get_by_role(
        "link", name=re.compile("(New|Create) .*fleet|New fleet")
    ).first.click()
    page.get_by_label("Name", exact=True).fill("edge")
    page.get_by_label("Version", exact=True).select_option(label="edge gateway v1")
    page.get_by_role("button", name="Create fleet").click()
    expect(page.locator("[data-secret]")).to_contain_text(re.compile(r"^tlf_e_[\w-]{20,}"))


def quick_deploy(page: Page) -> str:
    """The command, with the page waiting below it."""
    page.get_by_role("link", name="Deploy collectors").click()
    page.get_by_role("button", name="Make the command").click()
    command = page.locator(".cmd code").first
    expect(command).to_contain_text("| sudo sh")
    expect(page.locator("#waiting")).to_contain_text("Waiting for the first collector")
    expect(page.locator("live-lamp")).to_contain_text("Live")
    return command.inner_text()


def claim(base_url: str, command: str) -> str:
    """What the script does on a host: the code for a host token."""
    code = re.search(r"/install/(\w+)", command)
    assert code, command
    answer = httpx.post(f"{base_url}/install/{code[1]}/claim", data={"host": "edge-1"})
    assert answer.status_code == 200, answer.text
    token = re.search(r"^token=(\S+)$", answer.text, re.MULTILINE)
    assert token, answer.text
    return token[1]


def look_at_collector(page: Page) -> None:
    """It runs version 1 and says what is healthy."""
    expect(page.locator("#collector-head")).to_contain_text("In sync", timeout=AT_ONCE_MS)
    expect(page.locator("#collector-head")).to_contain_text("Healthy")
    expect(page.locator("#collector-health")).to_contain_text("receiver:otlp")
    page.get_by_role("link", name="Configuration", exact=True).click()
    expect(page.locator("#collector-effective")).to_contain_text("receivers: [otlp]")


def save_version(page: Page, text: str, *, note: str) -> None:
    """The next version, published."""
    page.goto("/configurations/")
    page.get_by_role("main").get_by_role("link", name="edge gateway").first.click()
    page.get_by_role("link", name="New version").click()
    write_yaml(page, text)
    page.get_by_label("Note").fill(note)
    page.get_by_role("button", name=re.compile("Save as v")).first.click()
    page.wait_for_url("**/versions/*/")
    publish(page)


def assign_and_watch(
    page: Page, collector: Collector, version: str, text: str, status: str
) -> None:
    """The fleet is given it while the collector's page stands open; the page shows what came of it."""
    other = page.context.new_page()
    other.goto("/fleets/edge/assign/")
    expect(other.locator("main")).to_contain_text(f"edge gateway {version}")
    page.goto(f"/collectors/{collector.uid}/")
    expect(page.locator("live-lamp")).to_contain_text("Live")
    page.evaluate("window.sameDocument = true")
    other.get_by_role("button", name="All at once").click()
    expect(other.get_by_role("button", name="All at once")).to_have_attribute(
        "aria-pressed", "true"
    )
    for tick in other.get_by_label("Start anyway").all():
        tick.check()
    clicked = time.monotonic()
    other.get_by_role("button", name="Start with 1 collector").click()
    other.wait_for_url("**/rollouts/*/")
    expect(page.locator("#collector-head")).to_contain_text(version, timeout=AT_ONCE_MS)
    expect(page.locator("#collector-head")).to_contain_text(status, timeout=AT_ONCE_MS)
    assert collector.received[-1] == text
    assert collector.received_at - clicked < RECEIVED_S
    assert page.evaluate("window.sameDocument")
    other.close()


def sign_out(page: Page) -> None:
    """By the person's menu; the pages are closed then."""
    page.locator("summary.avatar").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
    page.goto("/fleets/")
    page.wait_for_url("**/accounts/login/?next=/fleets/")
