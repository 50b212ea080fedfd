"""A simulated agent over plain HTTP on its connections."""

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from opamp.simulator.polling import PollingLink

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def test_a_connection_that_the_server_ended_while_idle_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered: asyncio.Queue[None] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"message")
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    listener = Mock()
    listener.heard_bare.side_effect = lambda _member: answered.put_nowait(None)
    agent = SimpleNamespace(draw=lambda: None, uid="1")
    member: Any = SimpleNamespace(
        agent=agent, url=f"http://127.0.0.1:{port}/v1/opamp", authorization="Bearer x"
    )
    link = PollingLink(listener, member, backoff_max_s=1)
    opened: list[asyncio.StreamReader] = []
    open_connection = link._open

    async def noting() -> asyncio.StreamReader:
        opened.append(await open_connection())
        return opened[-1]

    monkeypatch.setattr(link, "_open", noting)
    running = asyncio.ensure_future(link.run())
    async with server, asyncio.timeout(20):
        for count in (1, 2):
            link.send(b"\x00message")
            await answered.get()
            assert len(opened) == count
            assert await opened[-1].read() == b"", "the server's end has come"
        link.close()
        await running
    listener.broke.assert_not_called()
    listener.trouble.assert_not_called()


async def test_it_counts_as_connected_while_its_last_message_was_taken() -> None:
    answers = ("401 Unauthorized", "200 OK", "403 Forbidden", "200 OK")
    answered: asyncio.Queue[None] = asyncio.Queue()
    is_over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"message")
            writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        await reader.read()
        writer.close()
        await writer.wait_closed()
        is_over.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    listener = Mock()
    listener.heard_bare.side_effect = lambda _member: answered.put_nowait(None)
    listener.trouble.side_effect = lambda _why: answered.put_nowait(None)
    agent = SimpleNamespace(draw=lambda: None, uid="1")
    member: Any = SimpleNamespace(
        agent=agent, url=f"http://127.0.0.1:{port}/v1/opamp", authorization="Bearer x"
    )
    link = PollingLink(listener, member, backoff_max_s=1)
    running = asyncio.ensure_future(link.run())
    async with server, asyncio.timeout(20):
        seen = [link.is_accepted]
        for _ in range(4):
            link.send(b"\x00message")
            await answered.get()
            seen.append(link.is_accepted)
        assert seen == [False, False, True, False, True]
        link.close()
        await running
        await is_over.wait()
