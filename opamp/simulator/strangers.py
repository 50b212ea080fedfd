"""Peers that never get as far as a message: they open a connection and say nothing, or a byte a minute."""

import asyncio
from urllib.parse import urlsplit

from opamp.simulator.links import Listener
from opamp.simulator.member import Member


async def linger(listener: Listener, member: Member, *, between_bytes_s: float) -> None:
    """Hold a TCP connection until the server ends it or this is cancelled. between_bytes_s 0: say nothing."""
    address = urlsplit(member.url)
    try:
        reader, writer = await asyncio.open_connection(address.hostname, address.port or 80)
    except OSError as error:
        listener.failed(member, type(error).__name__, 0.0)
        return
    try:
        talking = asyncio.ensure_future(_trickle(writer, address.netloc, between_bytes_s))
        await reader.read()
        talking.cancel()
        listener.trouble("stranger shown the door")
    except OSError:
        listener.trouble("stranger shown the door")
    finally:
        writer.close()


async def _trickle(writer: asyncio.StreamWriter, host: str, between_bytes_s: float) -> None:
    if not between_bytes_s:
        return
    request = f"GET /v1/opamp HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
    for byte in request.encode():
        writer.write(bytes((byte,)))
        await asyncio.sleep(between_bytes_s)
