"""uvicorn's protocols with limits that it lacks: it waits for a silent socket for ever, and answers every ping."""

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from opamp.arrivals import Arrivals
from opamp.consumers import SOCKET
from opamp.gateway import Gateway
from opamp.pace import Pace

_SMALL: Final = 1024
"""Fragments below this count against the pace: Go clients split at 4 KiB, nobody needs a million of one byte."""


class GuardedHttp(H11Protocol):
    """A request's head and its body have to arrive in time."""

    def __init__(self, *args: Any, arrivals: Arrivals, **named: Any) -> None:
        super().__init__(*args, **named)
        self._arrivals = arrivals

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn types its own narrower
        """A socket was accepted: its time for a request starts."""
        super().connection_made(transport)
        self._arrivals.open(transport)

    def data_received(self, data: bytes) -> None:
        """Take it, then see what it has come to."""
        super().data_received(data)
        if self.transport.get_protocol() is not self:  # it is a WebSocket by now
            self._arrivals.heads.done(self.transport)
            return
        state = self.conn.their_state
        if state is h11.IDLE:
            if self.conn.trailing_data[0]:
                self._arrivals.heads.begin(self.transport)
            return
        self._arrivals.heads.done(self.transport)
        if state is h11.SEND_BODY:
            self._arrivals.bodies.begin(self.transport)
        else:
            self._arrivals.bodies.done(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._arrivals.closed(self.transport)
        super().connection_lost(exc)


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """A message has to end in time, pings are answered at a pace, and a peer that does not read is not read."""

    def __init__(self, *args: Any, arrivals: Arrivals, gateway: Gateway, **named: Any) -> None:
        super().__init__(*args, **named)
        options = gateway.options
        self._arrivals = arrivals
        self._counters = gateway.counters
        self._pace = Pace(options.messages_per_s, options.message_burst, self.loop.time())
        self._is_choked = False

    def handle_connect(self, event: Any) -> None:
        """Show the application the socket: it cuts a peer that does not read."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][SOCKET] = {"transport": self.transport}

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._arrivals.closed(self.transport)
        super().connection_lost(exc)

    def handle_bytes(self, event: Frame) -> None:
        """A message, or its first part."""
        if not event.fin:
            self._arrivals.messages.begin(self.transport)
        super().handle_bytes(event)

    def handle_text(self, event: Frame) -> None:
        """The same."""
        if not event.fin:
            self._arrivals.messages.begin(self.transport)
        super().handle_text(event)

    def handle_cont(self, event: Frame) -> None:
        """A further part. Small ones are put together at once: a list of them would outweigh the message many times."""
        if event.fin:
            self._arrivals.messages.done(self.transport)
        elif len(event.data) < _SMALL:
            self._spend()
        super().handle_cont(event)
        if len(self.frames) > _SMALL:
            self.frames = [b"".join(self.frames)]

    def handle_ping(self) -> None:
        """Answer it, and count it."""
        super().handle_ping()
        self._spend()

    def handle_pong(self, event: Frame) -> None:
        """Count it: nobody has to be asked to send one."""
        super().handle_pong(event)
        self._spend()

    def pause_writing(self) -> None:
        """The peer does not read: read nothing more of it, so that nothing more is answered."""
        super().pause_writing()
        self._is_choked = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer has read."""
        super().resume_writing()
        self._is_choked = False
        self._read_on()

    def _spend(self) -> None:
        if pause_s := self._pace.take(self.loop.time()):
            self._counters.slowed_messages += 1
            self.transport.pause_reading()
            self.loop.call_later(pause_s, self._read_on)

    def _read_on(self) -> None:
        if not (self._is_choked or self.read_paused or self.transport.is_closing()):
            self.transport.resume_reading()
