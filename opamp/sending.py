"""Answers over plain HTTP that the peer takes, or does not (A5)."""

import asyncio
from collections.abc import Awaitable

from opamp.options import GatewayOptions
from opamp.registry import LEAST_BYTES_PER_S


async def taken(
    last: Awaitable[None], transport: asyncio.Transport, size: int, options: GatewayOptions
) -> bool:
    """Wait for the last part of an answer of so many bytes; False for a peer that was cut, since it took nothing for
    send_timeout_s, or all of it too slowly.
    """
    loop = asyncio.get_running_loop()
    ends_at_s = loop.time() + options.send_timeout_s + size / LEAST_BYTES_PER_S
    sending = asyncio.ensure_future(last)
    unsent = transport.get_write_buffer_size()
    try:
        while not (await asyncio.wait({sending}, timeout=options.send_timeout_s))[0]:
            before, unsent = unsent, transport.get_write_buffer_size()
            if unsent >= before or loop.time() > ends_at_s:
                transport.abort()
                return False
        await sending
    finally:
        sending.cancel()
    return True
