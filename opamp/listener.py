"""The WebSocket side of /v1/opamp on picows, for thousands of agents: `telflo gateway`.

A Door reads the request and settles who comes in; then the socket is handed to picows, and a frame becomes an answer
in one call, without a task or an event of its own. Plain HTTP is not served here but for /healthz and /readyz.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, cast

from opamp.arrivals import Arrivals
from opamp.auth import header
from opamp.door import HEADERS_TOO_LONG, TextAnswer, enter
from opamp.frames import read_frames
from opamp.gateway import Gateway
from opamp.link import AgentLink
from opamp.ports import Credential
from opamp.requests import BadRequest, Request, read_request

logger = logging.getLogger(__name__)

PATHS: Final = ("/v1/opamp", "/v1/opamp/")
WHAT_THIS_IS: Final = (
    "This is Telflo's OpAMP port. Agents connect by WebSocket to /v1/opamp;"
    " plain HTTP is served on the web port."
)
Page = Callable[[], Awaitable[TextAnswer]]
Locate = Callable[[str, Request], Awaitable[str]]


class OpampPort:
    """Serves the connections of one process. pages: answers to GET by path. locate: whose address a request is."""

    def __init__(
        self, gateway: Gateway, *, pages: Mapping[str, Page], locate: Locate | None = None
    ) -> None:
        self.gateway = gateway
        self.pages = pages
        self.locate = locate or _as_the_socket_says
        self.doors: set[Door] = set()
        self.arrivals = Arrivals(gateway.options, gateway.counters, self._count)

    def make_door(self) -> "Door":
        """The protocol of a new socket."""
        return Door(self)

    def stop(self) -> None:
        """Wait no longer for sockets that have not said what they want."""
        self.arrivals.heads.cut_all()

    def _count(self) -> int:
        return len(self.doors) + self.gateway.registry.connection_count


class Door(asyncio.Protocol):
    """One socket until its request is answered, or handed to picows."""

    __slots__ = ("_head", "_port", "_task", "_transport")

    def __init__(self, port: OpampPort) -> None:
        self._port = port
        self._head = bytearray()
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A socket was accepted."""
        self._transport = cast(
            "asyncio.Transport", transport
        )  # uvloop's is one by its methods only
        self._port.doors.add(self)
        self._port.arrivals.open(self._transport)

    def data_received(self, data: bytes) -> None:
        """Collect the request's head."""
        if self._task is not None:
            return
        self._head += data
        head, end, early = bytes(self._head).partition(b"\r\n\r\n")
        if len(head) > self._port.gateway.options.header_bytes:
            self._port.gateway.counters.hit("header_bytes")
            self._answer(TextAnswer(431, HEADERS_TOO_LONG))
        elif end:
            self._port.arrivals.heads.done(self._transport)
            self._transport.pause_reading()
            self._task = asyncio.create_task(self._decide(head, early))

    def connection_lost(self, _error: Exception | None) -> None:
        """The socket is gone before it was handed over."""
        self._port.doors.discard(self)
        self._port.arrivals.closed(self._transport)
        if self._task is not None:
            self._task.cancel()

    async def _decide(self, head: bytes, early: bytes) -> None:
        try:
            request = read_request(head)
            if (answer := await self._page(request)) is not None:
                self._answer(answer)
                return
            peer = self._transport.get_extra_info("peername")
            address = await self._port.locate(str(peer[0]) if peer else "", request)
            entered = await enter(self._port.gateway, request.headers, address)
            if isinstance(entered, TextAnswer):
                self._answer(entered)
            elif not self._transport.is_closing():
                self._hand_over(request, early, entered, address)
        except BadRequest as error:
            self._answer(TextAnswer(400, str(error)))
        except Exception:
            logger.exception("A request could not be answered.")
            self._answer(TextAnswer(500, "The server could not answer this request."))

    async def _page(self, request: Request) -> TextAnswer | None:
        """The answer to what is no WebSocket of an agent; None when it is one."""
        if request.path in PATHS and request.wants_websocket:
            return None
        page = self._port.pages.get(request.path)
        if page is not None and request.method == "GET":
            return await page()
        if request.path in PATHS:
            return TextAnswer(426, WHAT_THIS_IS, {"upgrade": "websocket"})
        return TextAnswer(404, WHAT_THIS_IS)

    def _answer(self, answer: TextAnswer) -> None:
        """Send it, and read no more."""
        self._transport.write(answer.encode())
        self._transport.close()

    def _hand_over(
        self, request: Request, early: bytes, credential: Credential, address: str
    ) -> None:
        gateway = self._port.gateway
        agent = AgentLink(
            gateway,
            self._port.arrivals.messages,
            self._transport,
            credential,
            address,
            header(request.headers, b"user-agent"),
        )
        self._port.doors.discard(self)
        most_bytes = gateway.options.protocol.message_bytes
        read_frames(self._transport, agent, most_bytes, request.upgrade() + early)
        self._transport.resume_reading()


async def _as_the_socket_says(address: str, _request: Request) -> str:
    return address
