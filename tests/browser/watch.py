"""What a page complained of: console errors, failed requests of its own parts, broken content security policy."""

from __future__ import annotations

import re
from typing import Final

from playwright.sync_api import ConsoleMessage, Page, Request, Response

_NO_FAULT: Final = re.compile(r"status of 422\b|net::ERR_ABORTED|^htmx:(sendAbort|afterRequest),")
"""A refused form (422) is no fault, but Chromium logs it as one; htmx logs a request that a newer one replaced.

htmx:afterRequest also stands beside htmx:sendError, which is told.
"""
_GIVEN_UP: Final = "net::ERR_ABORTED"
_REPORT_VIOLATIONS: Final = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} blocks ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`);
});
"""


class Watch:
    """Collects complaints of one page from now on."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        page.add_init_script(_REPORT_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("response", self._response)
        page.on("requestfailed", self._failed)

    def check(self) -> None:
        """Fail with what was said."""
        assert not self.complaints, "\n".join(self.complaints)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _NO_FAULT.search(message.text):
            self.complaints.append(f"{message.type}: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status != 422:
            self.complaints.append(f"{response.status}: {response.url}")

    def _failed(self, request: Request) -> None:
        """What the page gave up itself, for a newer request or another page, is no fault."""
        if request.failure != _GIVEN_UP:
            self.complaints.append(f"{request.failure}: {request.url}")
