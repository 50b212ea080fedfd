"""`telflo gateway`: agents' WebSockets alone, on a port of their own, for thousands of them."""

from argparse import ArgumentParser
from functools import partial
from itertools import chain
from socket import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from telflo.databases import close_connections
from telflo.serve.firststart import check_store, surroundings
from telflo.serve.opamp_port import run_gateway
from telflo.serve.processes import Processes
from telflo.serve.sockets import bind, url_of


class Command(BaseCommand):
    """Serves agents' WebSockets on HOST:4320 until Ctrl+C or SIGTERM."""

    help = "Serve agents' WebSockets on HOST:TELFLO_OPAMP_PORT (4320), beside `telflo serve`. Needs Redis."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --port and --processes."""
        parser.add_argument("--port", type=int, default=settings.OPAMP_PORT, help="0: a free one")
        parser.add_argument("--processes", type=int, default=1, help="one for each core")

    def handle(self, *_args: Any, port: int, processes: int, **_options: Any) -> None:
        """Check what was asked for, then serve. Raises CommandError with one line for what cannot be."""
        if processes < 1:
            raise CommandError("--processes has to be at least 1.")
        if not settings.REDIS_URL:
            raise CommandError(
                "Without REDIS_URL nothing reaches the workers. Set REDIS_URL, or run `telflo serve --embedded`."
            )
        try:
            sock = bind(settings.HOST, port, shared=processes > 1)
        except OSError as error:
            raise CommandError(
                f"{settings.HOST}:{port} cannot be used: {error.strerror}. Set HOST or --port."
            ) from error
        for line in chain(surroundings(), check_store()):
            self.stdout.write(line)
        if processes == 1:
            run_gateway(sock, announce=partial(self._announce, sock))
            return
        self._announce(sock)
        # The parent keeps its socket, which never listens: the port stays ours while children come and go.
        host, port = sock.getsockname()[:2]
        close_connections()
        code = Processes(processes, lambda: run_gateway(bind(host, port, shared=True))).run()
        if code:
            raise CommandError("The gateway processes do not stay up.", returncode=code)

    def _announce(self, sock: socket) -> None:
        self.stdout.write(f"Telflo's gateway is at {url_of(sock, scheme='ws')}/v1/opamp")
        self.stdout.flush()
