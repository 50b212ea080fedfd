"""One server process: the ASGI application on a socket, with or without Celery inside."""

import asyncio
import socket
from collections.abc import Callable

from channels.layers import get_channel_layer
from django.urls import get_resolver

from telflo import asgi
from telflo.base.hints import EmbeddedPort, set_port
from telflo.databases import PAGES, hurry, use_pool
from telflo.serve.embedded import EmbeddedCelery
from telflo.serve.memory import settle
from telflo.serve.server import TelfloServer, make_config
from telflo.system.models import ProcessKind
from telflo.system.reporting import Part, Reporter


def run_here(
    sock: socket.socket,
    *,
    celery: EmbeddedCelery | None = None,
    announce: Callable[[], None] | None = None,
) -> None:
    """Serve on the bound socket until a signal; `announce` is called when connections are accepted. Blocks.

    One call a process: the gateway is the process's own.
    """
    use_pool(asgi.gateway.options.all_threads + PAGES)
    web = Part(ProcessKind.WEB, lambda: asgi.gateway.numbers() | asgi.observed.numbers())
    reporter = Reporter([web, *(celery.parts() if celery is not None else ())])

    def on_loop(loop: asyncio.AbstractEventLoop) -> None:
        reporter.loop = loop
        # Any thread here sends by way of the server's loop, which has the Redis connection already.
        set_port(EmbeddedPort(loop, get_channel_layer()))

    def on_started() -> None:
        if celery is not None:
            celery.start()
        reporter.start()
        settle()
        if announce is not None:
            announce()

    async def before_stop() -> None:
        hurry()
        if celery is not None:
            celery.ask_to_stop()
        await asgi.gateway.stop()

    load_pages()
    gateway = asgi.gateway
    server = TelfloServer(
        make_config(asgi.application, options=gateway.options),
        gateway,
        on_loop=on_loop,
        on_started=on_started,
        before_stop=before_stop,
    )
    try:
        server.run(sockets=[sock])
    finally:
        reporter.stop()
        if celery is not None:
            celery.stop()


def load_pages() -> None:
    """Import all that pages need. Django would do it with the first request, on the loop: agents wait for a second."""
    _ = get_resolver().url_patterns
