"""The WebSocket side of /v1/opamp: a consumer with its own receive loop, one task and no thread hop per message.

Agents send no Origin header, so this endpoint stands outside every origin check (T10).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from opamp.auth import header
from opamp.door import TextAnswer, enter
from opamp.gateway import Gateway
from opamp.registry import Connection

logger = logging.getLogger(__name__)

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

UNSUPPORTED_DATA: Final = 1003
MESSAGE_TOO_BIG: Final = 1009
SERVER_ERROR: Final = 1011
TEXT_FRAME: Final = "OpAMP messages are binary; this one was text."
CANNOT_GO_ON: Final = "The server could not go on with this connection."
SOCKET: Final = "telflo.socket"
"""An extension of ours in the scope: {"transport": the asyncio.Transport below the WebSocket}, to which "holder" is
added, the id of the credential by which it was let in.
"""
_REFUSALS: Final = "websocket.http.response"


class AsgiLink:
    """opamp.registry.Link behind ASGI's send. The server sends pings itself. Make it in the task that receives."""

    __slots__ = ("_send", "_socket", "_task", "is_aborted")

    def __init__(self, send: Send, socket: asyncio.Transport | None) -> None:
        self._send = send
        self._socket = socket
        self._task = asyncio.current_task()
        self.is_aborted = False

    async def send(self, frame: bytes) -> None:
        """See Link."""
        await self._send({"type": "websocket.send", "bytes": frame})

    async def close(self, code: int, reason: str) -> None:
        """See Link."""
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    def abort(self) -> None:
        """End the receive loop, and the socket where the server lets us."""
        self.is_aborted = True
        if self._task is not None:
            self._task.cancel()
        if self._socket is not None:
            self._socket.abort()

    def unsent(self) -> int:
        """See Link."""
        return 0 if self._socket is None else self._socket.get_write_buffer_size()

    def look(self, now_s: float) -> str:
        """Nothing to do here."""
        return ""


class OpampConsumer:
    """An ASGI application for WebSocket connections of agents."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection until it ends."""
        await receive()  # websocket.connect
        address = client_address(scope)
        credential = await enter(self._gateway, scope["headers"], address)
        if isinstance(credential, TextAnswer):
            await refuse(scope, send, credential)
            return
        generation = self._gateway.verifier.generation
        await send({"type": "websocket.accept"})
        socket = socket_of(scope)
        socket["holder"] = credential.id
        link = AsgiLink(send, socket.get("transport"))
        connection = self._gateway.connected(
            link,
            credential=credential,
            address=address,
            user_agent=header(scope["headers"], b"user-agent"),
        )
        if generation != self._gateway.verifier.generation:  # a token was revoked meanwhile
            self._gateway.intent.look_at_credential(connection)
        reason = ""
        try:
            reason = await self._serve(connection, receive)
        except asyncio.CancelledError:
            if not link.is_aborted:
                raise
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
        except Exception:
            logger.exception("A connection of %s failed.", address)
            await connection.close(SERVER_ERROR, CANNOT_GO_ON)
        finally:
            self._gateway.disconnected(connection, reason)

    async def _serve(self, connection: Connection, receive: Receive) -> str:
        """The receive loop; answers why it ended. It keeps no message while it waits for the next one."""
        while (reason := await self._take(connection, await receive())) is None:
            pass
        return reason

    async def _take(self, connection: Connection, event: Mapping[str, Any]) -> str | None:
        """Answer a message; or, at the end of the connection, why it ended."""
        most = self._gateway.options.protocol.message_bytes
        if event["type"] == "websocket.disconnect":
            return str(event.get("reason") or f"closed with code {event.get('code', 1005)}")
        data = event.get("bytes")
        if data is None:
            await connection.close(UNSUPPORTED_DATA, TEXT_FRAME)
        elif len(data) > most:
            self._gateway.counters.hit("message_bytes")
            await connection.close(MESSAGE_TOO_BIG, too_big(most))
        else:
            await self._answer(connection, data)
            return None
        return connection.close_reason

    async def _answer(self, connection: Connection, data: bytes) -> None:
        now_s = asyncio.get_running_loop().time()
        frame = self._gateway.receive(connection, data)
        if frame is not None and not await connection.reply(frame):
            self._gateway.counters.lost_sends += 1
        if connection.pace.take(now_s, len(data)):
            self._gateway.counters.slow()
            await self._rest(connection)

    async def _rest(self, connection: Connection) -> None:
        """Until the peer owes nothing: the server reads on when the next event is asked for."""
        loop = asyncio.get_running_loop()
        while (rest_s := connection.pace.rest(loop.time())) and not connection.close_reason:  # noqa: ASYNC110 - its end comes by time
            await asyncio.sleep(rest_s)


def client_address(scope: Scope) -> str:
    """The peer's address as the server (or the proxy in front of it) names it, without its port."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def too_big(most: int) -> str:
    """What a peer is told whose message has more than `most` bytes (T3)."""
    return f"The message is larger than {most} bytes."


def socket_of(scope: Scope) -> dict[str, Any]:
    """What the server shows of the socket; nothing where it is not ours."""
    return (scope.get("extensions") or {}).get(SOCKET) or {}


async def refuse(scope: Scope, send: Send, refusal: TextAnswer) -> None:
    """Answer the upgrade with a status and a plain text; 403 without either where the server cannot (daphne)."""
    if _REFUSALS not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    body = f"{refusal.text}\n".encode()
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "content-length": str(len(body)),
        **refusal.headers,
    }
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": f"{_REFUSALS}.start", "status": refusal.status, "headers": pairs})
    await send({"type": f"{_REFUSALS}.body", "body": body})
