"""The WebSocket side of /v1/opamp: a consumer with its own receive loop, one task and no thread hop per message.

Who may speak is settled before the upgrade (A1): accepting and then closing makes Go clients reconnect in a tight loop.
Agents send no Origin header, so this endpoint stands outside every origin check (T10).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from opamp.auth import bearer_secret, header
from opamp.errors import ConnectionRefused, Overloaded
from opamp.gateway import Gateway
from opamp.ports import Credential
from opamp.registry import Connection, Send

logger = logging.getLogger(__name__)

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]

UNSUPPORTED_DATA: Final = 1003
MESSAGE_TOO_BIG: Final = 1009
SERVER_ERROR: Final = 1011
_REFUSALS: Final = "websocket.http.response"


class OpampConsumer:
    """An ASGI application for WebSocket connections of agents."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection until it ends."""
        await receive()  # websocket.connect
        credential = await self._admit(scope, send)
        if credential is None:
            return
        await send({"type": "websocket.accept"})
        connection = self._gateway.connected(
            send, credential=credential, address=client_address(scope)
        )
        reason = ""
        try:
            reason = await self._serve(connection, receive)
        except asyncio.CancelledError:
            if not connection.aborted:
                raise
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
        except Exception:
            logger.exception("A connection of %s failed.", connection.address)
            await connection.close(SERVER_ERROR, "The server could not go on with this connection.")
        finally:
            self._gateway.disconnected(connection, reason)

    async def _serve(self, connection: Connection, receive: Receive) -> str:
        """The receive loop; answers why it ended."""
        most = self._gateway.options.protocol.message_bytes
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                return str(event.get("reason") or f"closed with code {event.get('code', 1005)}")
            data = event.get("bytes")
            if data is None:
                await connection.close(
                    UNSUPPORTED_DATA, "OpAMP messages are binary; this one was text."
                )
            elif len(data) > most:
                await connection.close(MESSAGE_TOO_BIG, f"The message is larger than {most} bytes.")
            else:
                await self._gateway.receive(connection, data)
                continue
            return connection.close_reason

    async def _admit(self, scope: Scope, send: Send) -> Credential | None:
        """The credential of the upgrade request, or None after it was refused."""
        headers = scope["headers"]
        try:
            credential = await self._gateway.authenticate(bearer_secret(headers))
            self._check_connections(credential)
        except ConnectionRefused as refusal:
            self._gateway.refused(
                refusal,
                address=client_address(scope),
                transport="ws",
                user_agent=header(headers, b"user-agent"),
            )
            challenge = (b"www-authenticate", b"Bearer")
            await _refuse(scope, send, 401, refusal.text, [challenge])
        except Overloaded as overload:
            wait = (b"retry-after", str(overload.retry_after_s).encode())
            await _refuse(scope, send, 503, str(overload), [wait])
        else:
            return credential
        return None

    def _check_connections(self, credential: Credential) -> None:
        options = self._gateway.options
        if self._gateway.registry.held_by(credential.id) >= options.connections_per_token:
            self._gateway.counters.limits["connections_per_token"] += 1
            raise Overloaded(options.retry_after_s)


def client_address(scope: Scope) -> str:
    """The peer's address as the server (or the proxy in front of it) names it, without its port."""
    client = scope.get("client")
    return str(client[0]) if client else ""


async def _refuse(
    scope: Scope, send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]]
) -> None:
    """Answer the upgrade with a status and a plain text; 403 without either where the server cannot (daphne)."""
    if _REFUSALS not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    body = f"{text}\n".encode()
    fixed = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    start = {"type": f"{_REFUSALS}.start", "status": status, "headers": [*fixed, *headers]}
    await send(start)
    await send({"type": f"{_REFUSALS}.body", "body": body})
