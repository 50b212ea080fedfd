"""Around every HTTP request for Django: its id in logs and answer, its count, a span. One for the process."""

import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from telflo.base import logs, tracing
from telflo.base.measures import SECONDS, Histogram, Numbers, by_label, families, sample

Application = Callable[..., Awaitable[None]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

FAMILIES: Final = families(
    "telflo_http_",
    counters={"requests": "HTTP requests for pages and the API, by class of status."},
    histograms={"request_seconds": "Time until a page or a call is answered."},
)
_HEADER: Final = b"x-request-id"
_GIVEN: Final = re.compile(rb"[A-Za-z0-9-]{8,64}")


class Observed:
    """An ASGI application around another one. What is no HTTP request passes through."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._statuses: Counter[str] = Counter()
        self._seconds = Histogram(SECONDS)

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        request_id = _id_of(scope)
        about = {"http.request.method": scope["method"], "url.path": scope["path"]}
        with logs.about(request=request_id), tracing.span("http.request", **about) as current:
            await self._application(scope, receive, self._noting(send, request_id, current))

    def _noting(self, send: Send, request_id: str, current: Any) -> Send:
        """`send`, which counts the answer and adds the id to its headers."""
        began_s = time.perf_counter()

        async def noting(event: MutableMapping[str, Any]) -> None:
            if event["type"] == "http.response.start":
                self._statuses[f"{event['status'] // 100}xx"] += 1
                self._seconds.observe(time.perf_counter() - began_s)
                event["headers"] = [*event.get("headers", ()), (_HEADER, request_id.encode())]
                if current is not None:
                    current.set_attribute("http.response.status_code", event["status"])
                    current.set_attribute("telflo.request", request_id)
            await send(event)

        return noting

    def numbers(self) -> Numbers:
        """Requests so far. Any thread."""
        return {
            "telflo_http_requests": by_label("status", self._statuses),
            "telflo_http_request_seconds": [sample(self._seconds.value())],
        }


def _id_of(scope: Mapping[str, Any]) -> str:
    """The id that the proxy gave the request when it looks like one, else a new one."""
    given: bytes = next((value for name, value in scope["headers"] if name == _HEADER), b"")
    return given.decode() if _GIVEN.fullmatch(given) else logs.new_request_id()
