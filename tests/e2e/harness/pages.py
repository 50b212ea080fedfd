"""The pages as a browser without JavaScript would read them."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Self

import httpx

from tests.e2e.harness.server import ADMIN, PASSWORD

SIGN_IN = "/accounts/login/"


class Pages:
    """A session of the admin, signed in with the password of the first start."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=20)
        page = self.read(SIGN_IN)
        [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        form = {"username": ADMIN, "password": PASSWORD, "csrfmiddlewaretoken": token}
        answer = self._client.post(SIGN_IN, data=form)
        assert (answer.status_code, answer.headers.get("location")) == (302, "/"), answer.text

    def __enter__(self) -> Self:
        """Use it in a block."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Let go of its connections."""
        self._client.close()

    def read(self, path: str) -> str:
        """A page's HTML, its entities resolved."""
        answer = self._client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return html.unescape(answer.text)

    def load_assets(self, path: str) -> list[str]:
        """Load what a page refers to, as a browser would; answers the addresses."""
        links = _Links()
        links.feed(self._client.get(path).text)
        for link in links.found:
            assert self._client.get(link).status_code == 200, link
        return links.found


class _Links(HTMLParser):
    """The scripts, styles and pictures of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect addresses."""
        wanted = {"script": "src", "link": "href", "img": "src"}.get(tag)
        self.found += [value for name, value in attrs if value and name == wanted]
