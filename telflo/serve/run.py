"""One server process: the ASGI application on a socket, with or without Celery inside."""

import asyncio
import socket

from channels.layers import get_channel_layer
from django.conf import settings

from agents.notify import EmbeddedPort, set_port
from telflo import asgi
from telflo.serve.embedded import EmbeddedCelery
from telflo.serve.server import TelfloServer, make_config


def run_here(sock: socket.socket, *, celery: EmbeddedCelery | None = None) -> None:
    """Serve on the bound socket until a signal. Blocks. One call a process: the gateway is the process's own."""

    def started(loop: asyncio.AbstractEventLoop) -> None:
        # Any thread here sends by way of the server's loop, which has the Redis connection already.
        set_port(EmbeddedPort(loop, get_channel_layer()))
        if celery is not None:
            celery.start()

    config = make_config(asgi.application, message_bytes=settings.OPAMP_MESSAGE_BYTES)
    server = TelfloServer(config, on_started=started, before_stop=asgi.gateway.stop)
    try:
        server.run(sockets=[sock])
    finally:
        if celery is not None:
            celery.stop()
