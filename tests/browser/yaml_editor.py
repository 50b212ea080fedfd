"""The editor of configurations, as a person uses it."""

from __future__ import annotations

import re
from typing import Final

from playwright.sync_api import Locator, Page, expect

_PASTE: Final = """(content, text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  content.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def content_of(page: Page) -> Locator:
    """Where the text is typed, once the editor is there."""
    return page.locator("config-editor .cm-content")


def write_yaml(page: Page, text: str) -> None:
    """Paste a text in the place of what is there."""
    content = content_of(page)
    content.click()
    page.keyboard.press("Control+a")
    if text:
        content.evaluate(_PASTE, text)
    else:
        page.keyboard.press("Delete")
    expect_yaml(page, text)


def expect_yaml(page: Page, text: str | re.Pattern[str]) -> None:
    """The form holds this text."""
    expect(page.locator("config-editor textarea")).to_have_value(text)
