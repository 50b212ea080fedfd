"""What a page complained of: console errors, failed requests of its own parts, broken content security policy."""

from __future__ import annotations

import re
from typing import Final

from playwright.sync_api import ConsoleMessage, Page, Response

_NO_FAULT: Final = re.compile("422|^htmx:(sendAbort|afterRequest),")
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

    def check(self) -> None:
        """Fail with what was said."""
        assert not self.complaints, "\n".join(self.complaints)

    def _console(self, message: ConsoleMessage) -> None:
        # A refused form (422) is no fault, but Chromium logs it as one; htmx logs a request that a newer one replaced.
        if message.type in {"error", "warning"} and not _NO_FAULT.search(message.text):
            self.complaints.append(f"{message.type}: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status != 422:
            self.complaints.append(f"{response.status}: {response.url}")
