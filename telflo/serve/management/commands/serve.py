"""`telflo serve`: the web application and the OpAMP server."""

from argparse import ArgumentParser
from itertools import chain
from socket import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from telflo.databases import close_connections
from telflo.serve.embedded import EmbeddedCelery
from telflo.serve.firststart import prepare, surroundings, welcome
from telflo.serve.processes import Processes
from telflo.serve.run import run_here
from telflo.serve.sockets import bind, url_of


class Command(BaseCommand):
    """Serves pages, API and OpAMP on HOST:PORT until Ctrl+C or SIGTERM."""

    help = "Serve pages, API and OpAMP on HOST:PORT. --embedded runs the worker and the clock in the same process."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --embedded and --processes."""
        parser.add_argument("--embedded", action="store_true", help="everything in one process")
        parser.add_argument(
            "--processes", type=int, default=1, help="server processes (needs Redis)"
        )

    def handle(self, *_args: Any, embedded: bool, processes: int, **_options: Any) -> None:
        """Check what was asked for, then serve. Raises CommandError with one line for what cannot be."""
        _check(embedded=embedded, processes=processes)
        try:
            sock = bind(settings.HOST, settings.PORT, shared=processes > 1)
        except OSError as error:
            raise CommandError(
                f"{settings.HOST}:{settings.PORT} cannot be used: {error.strerror}. Set HOST or PORT."
            ) from error
        for line in chain(surroundings(), prepare() if embedded else welcome()):
            self.stdout.write(line)
            self.stdout.flush()
        if processes == 1:
            celery = EmbeddedCelery() if embedded else None
            run_here(sock, celery=celery, announce=lambda: self._announce(sock))
            return
        self._announce(sock)
        # The parent keeps its socket, which never listens: the port stays ours while children come and go.
        host, port = sock.getsockname()[:2]
        close_connections()
        code = Processes(processes, lambda: run_here(bind(host, port, shared=True))).run()
        if code:
            raise CommandError("The server processes do not stay up.", returncode=code)

    def _announce(self, sock: socket) -> None:
        self.stdout.write(f"Telflo is at {settings.BASE_URL or url_of(sock)}")
        self.stdout.flush()


def _check(*, embedded: bool, processes: int) -> None:
    if processes < 1:
        raise CommandError("--processes has to be at least 1.")
    if embedded and processes > 1:
        raise CommandError("--embedded is one process: leave out --embedded or --processes.")
    if not embedded and not settings.REDIS_URL:
        raise CommandError(
            "Without REDIS_URL nothing reaches the workers. Set REDIS_URL, or run `telflo serve --embedded`."
        )
