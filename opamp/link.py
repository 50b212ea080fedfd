"""An agent's WebSocket on picows: a frame becomes an answer in one call."""

import asyncio
from typing import Any, Final

from picows import WSFrame, WSMsgType, WSTransport

from opamp.arrivals import Deadlines
from opamp.consumers import MESSAGE_TOO_BIG, TEXT_FRAME, UNSUPPORTED_DATA, too_big
from opamp.frames import FrameListener, read_anew
from opamp.gateway import Gateway
from opamp.pace import SMALL_PART
from opamp.ports import Credential
from opamp.reading import Reading
from opamp.registry import Connection

_NORMAL: Final = 1000
_PROTOCOL_ERROR: Final = 1002
_CLOSE_S: Final = 10.0
_BINARY: Final = WSMsgType.BINARY
RESERVED: Final = "A reserved bit is set, and no extension was agreed upon."


class AgentLink(FrameListener):
    """One agent's WebSocket: opamp.registry.Link, and what picows calls."""

    __slots__ = (
        "_address",
        "_asked_s",
        "_closing_s",
        "_connection",
        "_credential",
        "_gateway",
        "_grown",
        "_heard_s",
        "_loop",
        "_messages",
        "_parts",
        "_reading",
        "_socket",
        "_transport",
        "_user_agent",
        "_writable",
    )

    def __init__(
        self,
        gateway: Gateway,
        messages: Deadlines,
        socket: asyncio.Transport,
        credential: Credential,
        address: str,
        user_agent: str,
    ) -> None:
        self._gateway = gateway
        self._messages = messages
        self._socket = socket
        self._credential = credential
        self._address = address
        self._user_agent = user_agent
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._heard_s = self._loop.time()
        self._asked_s = self._closing_s = 0.0
        self._grown = 0
        self._parts: bytearray | None = None
        self._writable: asyncio.Event | None = None

    # ── what picows calls ──

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is answered; or a new reader goes on with the socket."""
        self._transport = transport
        if self._connection is not None:
            return
        self._connection = self._gateway.connected(
            self,
            credential=self._credential,
            address=self._address,
            user_agent=self._user_agent,
        )
        self._reading = Reading(self._socket, self._connection.pace)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame: mostly a whole message, which is answered here and now."""
        now_s = self._heard_s = self._loop.time()
        grown = 0 if frame.tail_size else self._grown
        self._grown -= grown
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._begin_close(_PROTOCOL_ERROR, RESERVED)
        elif frame.msg_type == _BINARY and frame.fin and self._parts is None:
            self._receive(frame.get_payload_as_bytes(), now_s)
        else:
            self._receive_other(frame, now_s)
        if grown:
            self._shrink(grown)

    def on_grown(self, size: int) -> None:
        """See FrameListener: counted as soon as the socket is left alone."""
        self._grown = size
        self._loop.call_soon(self._hold)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The socket is gone."""
        self._forget_all()
        if self._writable is not None:
            self._writable.set()
        if self._connection is not None:
            if _is_too_big(transport) and not self._closing_s:
                self._gateway.counters.hit("message_bytes")  # picows itself found it
            self._gateway.disconnected(self._connection, _reason(transport))

    def pause_writing(self) -> None:
        """The peer does not read as fast as we write: read nothing more of it, so that nothing more is answered."""
        self._writable = self._writable or asyncio.Event()
        self._writable.clear()
        self._reading.choke()

    def resume_writing(self) -> None:
        """The peer has read."""
        if self._writable is not None:
            self._writable.set()
        self._reading.unchoke()

    # ── opamp.registry.Link ──

    async def send(self, frame: bytes) -> None:
        """See Link."""
        if self._transport.is_disconnected or self._closing_s:
            raise ConnectionResetError("The connection is closed.")
        self._transport.send(_BINARY, frame)
        if self._writable is not None:
            await self._writable.wait()

    async def close(self, code: int, reason: str) -> None:
        """See Link. When the peer does not answer, look() ends it."""
        self._begin_close(code, reason)

    def abort(self) -> None:
        """See Link."""
        self._socket.abort()

    def look(self, now_s: float) -> str:
        """See Link: a peer that was silent for long is asked, and given up when it does not answer.

        One that is not read says nothing by its silence.
        """
        options = self._gateway.options
        if self._closing_s:
            return "It did not close." if now_s - self._closing_s > _CLOSE_S else ""
        if self._reading.is_held or now_s - self._heard_s <= options.ping_s:
            self._asked_s = 0.0
        elif not self._asked_s:
            self._asked_s = now_s
            self._transport.send_ping()
        elif now_s - self._asked_s > options.ping_s:
            return f"It did not answer for {options.ping_s:g} s."
        return ""

    def unsent(self) -> int:
        """See Link."""
        return self._socket.get_write_buffer_size()

    # ── receiving ──

    def _receive(self, data: bytes, now_s: float) -> None:
        if self._transport.is_close_frame_sent or self._connection is None:
            return
        answer = self._gateway.receive(self._connection, data)
        if answer is not None:
            self._transport.send(_BINARY, answer)
        self._spend(now_s, len(data))

    def _receive_other(self, frame: WSFrame, now_s: float) -> None:
        kind = frame.msg_type
        if self._closing_s and kind != WSMsgType.CLOSE:
            return
        if kind == WSMsgType.PING:
            self._transport.send_pong(frame.get_payload_as_bytes())
            self._spend(now_s)
        elif kind == WSMsgType.PONG:
            self._spend(now_s)
        elif kind == WSMsgType.CLOSE:
            self._transport.send_close(_echoed(frame))
            self._transport.disconnect()
        elif kind == WSMsgType.TEXT:
            self._begin_close(UNSUPPORTED_DATA, TEXT_FRAME)
        else:
            self._receive_part(frame, now_s)

    def _receive_part(self, frame: WSFrame, now_s: float) -> None:
        """A part of a message (T2): bounded in size and, by arrivals, in time."""
        if (frame.msg_type == _BINARY) == (self._parts is not None):
            self._begin_close(_PROTOCOL_ERROR, "The parts of a message are out of order.")
            return
        if self._parts is None:
            self._parts = bytearray()
            self._messages.begin(self._socket)
        self._parts += frame.get_payload_as_memoryview()
        most = self._gateway.options.protocol.message_bytes
        if len(self._parts) > most:
            self._forget_parts()
            self._gateway.counters.hit("message_bytes")
            self._begin_close(MESSAGE_TOO_BIG, too_big(most))
        elif frame.fin:
            data = bytes(self._parts)
            self._forget_parts()
            self._receive(data, now_s)
        else:
            if frame.payload_size < SMALL_PART:
                self._spend(now_s)
            self._hold()

    def _forget_parts(self) -> None:
        self._parts = None
        self._messages.done(self._socket)
        self._hold()

    def _forget_all(self) -> None:
        self._grown = 0
        self._forget_parts()

    def _shrink(self, grown: int) -> None:
        """Nothing waits behind a frame for which so much is kept."""
        if self._socket.is_closing():
            return
        if self._transport.is_close_frame_sent:
            self._grown = grown  # until the end, which is near
        else:
            read_anew(self._socket, self, self._gateway.options.protocol.message_bytes)
        self._hold()

    def _hold(self) -> None:
        """Count what is kept of a message that is not complete."""
        unfinished = self._gateway.unfinished
        size = self._grown + len(self._parts or b"")
        if size:
            unfinished.hold(self, size, self._cut_parts, self._credential.id)
        else:
            unfinished.done(self)

    def _cut_parts(self) -> None:
        """So much is unfinished that this one has to go."""
        self._gateway.counters.cut_connections += 1
        self._forget_all()
        self._socket.abort()

    def _spend(self, now_s: float, size: int = 0) -> None:
        """Count against the peer's pace; one that is too fast is read later."""
        assert self._connection is not None
        if self._connection.pace.take(now_s, size):
            self._gateway.counters.slow()
            self._reading.rest()

    def _begin_close(self, code: int, reason: str) -> None:
        if self._closing_s:
            return
        self._closing_s = self._loop.time()
        if self._connection is not None:
            self._connection.close_reason = self._connection.close_reason or reason
        self._transport.send_close(code, reason.encode())  # type: ignore[arg-type]  # takes bytes as well as its enum
        self._reading.free()


def _reason(transport: WSTransport) -> str:
    handshake: Any = transport.close_handshake
    if handshake is None or handshake.recv is None:
        return "closed with code 1005"
    return handshake.recv.reason or f"closed with code {int(handshake.recv.code)}"


def _is_too_big(transport: WSTransport) -> bool:
    handshake: Any = transport.close_handshake
    sent = handshake.sent if handshake is not None else None
    return sent is not None and int(sent.code) == MESSAGE_TOO_BIG


def _echoed(frame: WSFrame) -> Any:
    """The code to answer a closing peer with: its own, and 1000 where it gave none."""
    return frame.get_close_code() if frame.payload_size >= 2 else _NORMAL
