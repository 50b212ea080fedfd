"""The WebSocket of one simulated agent, on picows: no task and no queue for an open connection."""

import logging
import math
from typing import Final

from picows import (
    WSCloseCode,
    WSFrame,
    WSHandshakeError,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)

from opamp.simulator.behaviour import Quirk
from opamp.simulator.links import Listener
from opamp.simulator.member import Member

_BARE: Final = 19
"""The size of an answer that holds only a header byte and the instance_uid."""
_BUFFER: Final = 1024
_HANDSHAKE_S: Final = 30.0
_LARGEST: Final = 64 * 1024 * 1024

# picows tells of every connection; the fleet counts them.
_SILENT: Final = logging.getLogger("opamp.simulator.websocket")
_SILENT.setLevel(logging.CRITICAL + 1)


class WebSocketLink(WSListener):
    """Reports to its fleet; is the Link that the fleet sends by."""

    __slots__ = ("_fragments", "_is_deaf", "_listener", "_member", "_transport", "_why")

    def __init__(self, listener: Listener, member: Member) -> None:
        super().__init__()
        self._listener = listener
        self._member = member
        self._transport: WSTransport | None = None
        self._fragments = b""
        self._is_deaf = member.agent.behaviour.quirk is Quirk.HALF_OPEN
        self._why = "connection lost"

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The upgrade was accepted."""
        self._transport = transport
        if self._member.agent.behaviour.quirk is Quirk.DEAF:
            transport.underlying_transport.pause_reading()
        self._listener.opened(self._member, self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame: most are bare answers, which are not even copied."""
        if frame.msg_type is WSMsgType.BINARY and frame.fin and frame.payload_size <= _BARE:
            self._listener.heard_bare(self._member)
        elif frame.msg_type in (WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._collect(frame)
        elif frame.msg_type is WSMsgType.CLOSE:
            self._why = f"closed with {int(frame.get_close_code().value)}"
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is over."""
        self._listener.closed(self._member, self._why)

    @property
    def is_behind(self) -> bool:
        """Nothing waits for an answer here."""
        return False

    @property
    def is_accepted(self) -> bool:
        """The upgrade was."""
        return True

    def send(self, frame: bytes) -> None:
        """Send one message."""
        if self._transport is not None:
            self._transport.send(WSMsgType.BINARY, frame)

    def close(self) -> None:
        """Close frame, then the end."""
        self._why = ""
        if self._transport is not None:
            self._transport.send_close(WSCloseCode.OK)
            self._transport.disconnect()

    def cut(self) -> None:
        """End the connection without a close frame."""
        self._why = "cut"
        if self._transport is not None:
            self._transport.underlying_transport.abort()

    def _collect(self, frame: WSFrame) -> None:
        data = self._fragments + frame.get_payload_as_bytes()
        self._fragments = b"" if frame.fin else data
        if frame.fin and not self._is_deaf:
            self._listener.heard(self._member, data[1:])


async def connect(listener: Listener, member: Member) -> None:
    """Try once; the listener hears how it went. Raises nothing but cancellation."""
    try:
        opened: tuple[WSTransport, WSListener | None] = await ws_connect(
            lambda: WebSocketLink(listener, member),
            member.url,
            extra_headers={
                "Authorization": member.authorization,
                "User-Agent": "Go-http-client/1.1",
            },
            websocket_handshake_timeout=_HANDSHAKE_S,
            enable_auto_pong=member.agent.behaviour.quirk is not Quirk.HALF_OPEN,
            logger_name=_SILENT,
            max_frame_size=_LARGEST,
            max_redirects=0,
            read_buffer_init_size=_BUFFER,
        )
        if opened[1] is None:
            # How picows tells that the connection was over before the answer to the upgrade was there.
            listener.failed(member, "no upgrade", 0.0)
    except WSHandshakeError as error:
        response = error.response
        status = f"refused with {int(response.status)}" if response else "no upgrade"
        wish = response.headers.get("Retry-After") if response else None
        listener.failed(member, status, seconds(wish))
    except (OSError, TimeoutError) as error:
        listener.failed(member, type(error).__name__, 0.0)


def seconds(text: str | None) -> float:
    """A Retry-After in seconds; 0 when there is none or it is a date."""
    try:
        value = float(text or 0)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0
