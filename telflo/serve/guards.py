"""uvicorn's protocols with limits that it lacks: it waits for a silent socket for ever, and answers every ping."""

import asyncio
from asyncio import BaseTransport
from http import HTTPStatus
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import SecurityError
from websockets.frames import Frame

from opamp.arrivals import Arrivals
from opamp.consumers import MESSAGE_TOO_BIG, SOCKET
from opamp.door import HEADERS_TOO_LONG, TextAnswer
from opamp.gateway import Gateway
from opamp.pace import SMALL_PART
from opamp.reading import MOST_AT_ONCE, Reading

_FEW: Final = 16
"""So many messages that wait for the application are not counted: mostly it has taken them at once."""
_EVENT_BYTES: Final = 320
"""What a message of some bytes takes that waits for the application: 317 were measured."""
_NO_UPGRADE: Final = (
    "This is not an upgrade to a WebSocket: it has a body, or its head cannot be read."
)


class _Heads(h11.Connection):
    """Heads of requests have a size. h11's own limit holds for heads alone that come in parts."""

    def __init__(self, most: int) -> None:
        super().__init__(h11.SERVER, most)
        self._most = most
        self.is_too_large = False

    def next_event(self) -> Any:
        """As h11's. Raises RemoteProtocolError for a head that is too large."""
        if self.their_state is not h11.IDLE:
            return super().next_event()
        before = len(self.trailing_data[0])
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            self.is_too_large = (
                error.error_status_hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            )
            raise
        if before - len(self.trailing_data[0]) > self._most:
            self.is_too_large = True
            raise h11.RemoteProtocolError(HEADERS_TOO_LONG)
        return event


class GuardedHttp(H11Protocol):
    """A request's head has a size, and it and its body have to arrive in time."""

    conn: _Heads

    def __init__(self, *args: Any, arrivals: Arrivals, **named: Any) -> None:
        super().__init__(*args, **named)
        self._arrivals = arrivals
        assert self.config.h11_max_incomplete_event_size is not None
        self.conn = _Heads(self.config.h11_max_incomplete_event_size)
        self._is_answered_early = False
        self._answer = self.app
        self.app = self._show_the_socket

    async def _show_the_socket(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand the request on to the application, which cuts a peer that does not read."""
        scope.setdefault("extensions", {})[SOCKET] = {"transport": self.transport}
        await self._answer(scope, receive, send)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn types its own narrower
        """A socket was accepted: its time for a request starts."""
        super().connection_made(transport)
        self._arrivals.open(transport)

    def data_received(self, data: bytes) -> None:
        """Take it, then see what it has come to."""
        super().data_received(data)
        if self.transport.get_protocol() is not self:
            return  # GuardedWebSocket answers it
        state = self.conn.their_state
        if self._is_answered_early:
            if state is h11.SEND_BODY:
                return
            self._is_answered_early = False
            self._arrivals.heads.done(self.transport)
        if state is h11.IDLE:
            if self.conn.trailing_data[0]:
                self._arrivals.heads.begin(self.transport)
            return
        self._arrivals.heads.done(self.transport)
        if state is h11.SEND_BODY:
            self._arrivals.bodies.begin(self.transport)
        else:
            self._arrivals.bodies.done(self.transport)

    def on_response_complete(self) -> None:
        """Who is answered before the request is complete, as one who is not let in, counts as having said nothing."""
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self._is_answered_early = True
            self._arrivals.bodies.done(self.transport)
            self._arrivals.heads.begin(self.transport)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with a request that cannot be read."""
        if not self.conn.is_too_large:
            super().send_400_response(msg)
            return
        self._arrivals.too_large()
        headers = [("content-type", "text/plain; charset=utf-8"), ("connection", "close")]
        for event in (
            h11.Response(status_code=HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, headers=headers),
            h11.Data(data=f"{HEADERS_TOO_LONG}\n".encode()),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._arrivals.closed(self.transport)
        super().connection_lost(exc)


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """An upgrade is answered, a message has to end in time, pings are answered at a pace, and a peer that does not
    read is not read.
    """

    def __init__(self, *args: Any, arrivals: Arrivals, gateway: Gateway, **named: Any) -> None:
        super().__init__(*args, **named)
        self._arrivals = arrivals
        self._counters = gateway.counters
        self._unfinished = gateway.unfinished
        self._parts_bytes = 0
        self._pace = gateway.options.pace(self.loop.time())
        self._is_held = False
        self._unfed = b""
        self._fed_bytes = 0
        """What was taken since the application had nothing left to do."""
        self._socket: dict[str, Any] = {}

    def connection_made(self, transport: BaseTransport) -> None:
        """The socket is ours."""
        super().connection_made(transport)
        self._reading = Reading(self.transport, self._pace, self._feed)

    def data_received(self, data: bytes) -> None:
        """Take it, as far as the peer's pace goes."""
        self._unfed += data
        self._feed()

    async def receive(self) -> Any:
        """See ASGI. uvicorn reads on when all is taken; that alone is no reason to."""
        event = await super().receive()
        self._reading.hold()
        if self.queue.empty():
            self._fed_bytes = 0
            if self._is_held:
                self._weigh()
        return event

    def _feed(self) -> bool:
        """Take what has come, a little at a time; answers whether more may be read."""
        data, self._unfed, start = self._unfed, b"", 0
        while start < len(data) and not (self._reading.is_held or self.transport.is_closing()):
            size = MOST_AT_ONCE if self.handshake_initiated else len(data)
            self._take(data[start : start + size])
            start += size
        self._unfed = data[start:]
        self._weigh()
        return not (self._unfed or self.read_paused)

    def _take(self, data: bytes) -> None:
        """What comes first is the whole head of the upgrade: uvicorn leaves one that cannot be read open."""
        super().data_received(data)
        self._fed_bytes += len(data)
        if not self.handshake_initiated:
            self._refuse_upgrade()

    def _weigh(self) -> None:
        """Count what was read and is not answered: of a message that is not complete, and of those that wait for the
        peer's pace.
        """
        size = self._parts_bytes + len(self.conn.reader.buffer) + len(self._unfed)
        if (waiting := self.queue.qsize()) > _FEW:
            size += self._fed_bytes + waiting * _EVENT_BYTES
        if size:
            self._is_held = True
            self._unfinished.hold(self, size, self._cut, self._socket.get("holder"))
        elif self._is_held:
            self._let_go()

    def handle_connect(self, event: Any) -> None:
        """Show the application the socket: it cuts a peer that does not read."""
        self._arrivals.heads.done(self.transport)
        super().handle_connect(event)
        if self.response.status_code == 101:
            self._socket["transport"] = self.transport
            extensions: Any = self.scope["extensions"]
            extensions[SOCKET] = self._socket

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._arrivals.closed(self.transport)
        super().connection_lost(exc)
        # What is complete is still worked on.
        self._unfed, self._parts_bytes = b"", 0
        self.conn.reader.buffer.clear()
        self._weigh()

    def handle_bytes(self, event: Frame) -> None:
        """A message, or its first part."""
        if not event.fin or self._is_held:
            self._begin(event)
        super().handle_bytes(event)
        _let_go_of(event)

    def handle_text(self, event: Frame) -> None:
        """The same."""
        if not event.fin or self._is_held:
            self._begin(event)
        super().handle_text(event)
        _let_go_of(event)

    def handle_cont(self, event: Frame) -> None:
        """A further part. Small ones are put together at once: a list of them would outweigh the message many times."""
        self._parts_bytes += len(event.data)
        if event.fin:
            self._parts_bytes = 0
            self._arrivals.messages.done(self.transport)
            self._let_go()
        elif len(event.data) < SMALL_PART:
            self._spend()
        super().handle_cont(event)
        _let_go_of(event)
        if len(self.frames) > SMALL_PART:
            self.frames = [b"".join(self.frames)]

    def handle_ping(self) -> None:
        """Answer it, and count it."""
        super().handle_ping()
        self._spend()

    def handle_pong(self, event: Frame) -> None:
        """Count it: nobody has to be asked to send one."""
        super().handle_pong(event)
        self._spend()

    def handle_parser_exception(self) -> None:
        """What came is no WebSocket's, or too large."""
        if self.conn.close_sent is not None and self.conn.close_sent.code == MESSAGE_TOO_BIG:
            self._counters.hit("message_bytes")
        super().handle_parser_exception()

    def keepalive_timeout(self) -> None:
        """The peer did not answer a ping; one that is not read may have."""
        if self._reading.is_held or self.read_paused:
            assert self.ping_timeout is not None
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
            return
        if not (self.close_sent or self.transport.is_closing()):
            self._counters.cut_connections += 1
            self._counters.hit("ping_s")
        super().keepalive_timeout()

    def pause_writing(self) -> None:
        """The peer does not read: read nothing more of it, so that nothing more is answered."""
        super().pause_writing()
        self._reading.choke()

    def resume_writing(self) -> None:
        """The peer has read."""
        super().resume_writing()
        self._reading.unchoke()

    def _begin(self, event: Frame) -> None:
        if not event.fin:
            self._parts_bytes = len(event.data)
            self._arrivals.messages.begin(self.transport)
        else:
            self._let_go()

    def _let_go(self) -> None:
        """A message is complete: what has come of the next one is younger than what others began before."""
        self._unfinished.done(self)
        self._is_held = False

    def _cut(self) -> None:
        """So much is unfinished that this one has to go, and what it said: that would wait on for its pace."""
        self._counters.cut_connections += 1
        self._is_held = False
        for event in [self.queue.get_nowait() for _ in range(self.queue.qsize())]:
            if event["type"] != "websocket.receive":
                self.queue.put_nowait(event)
        self.transport.abort()

    def _refuse_upgrade(self) -> None:
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        is_too_large = isinstance(self.conn.handshake_exc, SecurityError)
        if is_too_large:
            self._arrivals.too_large()
        answer = TextAnswer(431, HEADERS_TOO_LONG) if is_too_large else TextAnswer(400, _NO_UPGRADE)
        self.transport.write(answer.encode())
        self.transport.close()

    def _spend(self) -> None:
        if self._pace.take(self.loop.time()):
            self._counters.slow()
            self._reading.rest()


def _let_go_of(event: Frame) -> None:
    """It is handed on: the parser remembers the last frame until the next one comes, with all that was in it."""
    event.data = b""
