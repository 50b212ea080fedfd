"""Who may open a connection: settled before the upgrade (A1), in the same way by every adapter.

Accepting and then closing makes Go clients reconnect in a tight loop; a refused handshake with Retry-After does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from agents.snapshot import Transport
from opamp.auth import Headers, bearer_secret, header
from opamp.errors import ConnectionRefused, Overloaded, TooMany
from opamp.gateway import Gateway
from opamp.ports import Credential

HEADERS_TOO_LONG: Final = "The request's headers are too long."


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """An HTTP answer in plain text; header names in lower case."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """As the last HTTP/1.1 answer of a connection."""
        body = f"{self.text}\n".encode()
        headers = {
            "content-type": "text/plain; charset=utf-8",
            "content-length": str(len(body)),
            "connection": "close",
            **self.headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        status = HTTPStatus(self.status)
        return f"HTTP/1.1 {status.value} {status.phrase}\r\n{lines}\r\n".encode() + body


def refusal_for(error: ConnectionRefused | Overloaded | TooMany) -> TextAnswer:
    """401 for a token that lets nobody in, 429 for one that has all it may have, 503 where too much waits already."""
    if isinstance(error, ConnectionRefused):
        return TextAnswer(401, error.text, {"www-authenticate": "Bearer"})
    status = 429 if isinstance(error, TooMany) else 503
    return TextAnswer(status, str(error), {"retry-after": str(error.retry_after_s)})


async def enter(gateway: Gateway, headers: Headers, address: str) -> Credential | TextAnswer:
    """The credential of an upgrade request (header names in lower case), or how it is refused."""
    try:
        credential = await gateway.authenticate(bearer_secret(headers), address=address)
        gateway.check_connections(credential)
    except ConnectionRefused as refusal:
        user_agent = header(headers, b"user-agent")
        gateway.refused(
            refusal, address=address, transport=Transport.WEBSOCKET.value, user_agent=user_agent
        )
        return refusal_for(refusal)
    except (Overloaded, TooMany) as error:
        return refusal_for(error)
    return credential
