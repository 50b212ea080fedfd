"""`telflo demo`: an embedded server with simulated collectors and a history, in a data folder of its own."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from telflo.demo.hosts import FEWEST
from telflo.demo.run import Demo, NotOurs, renew
from telflo.serve.sockets import bind


class Command(BaseCommand):
    """Makes everything anew at each start, then serves until Ctrl+C."""

    help = "Serve an installation full of simulated collectors. Its data folder (TELFLO_DATA) is made anew."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --collectors."""
        parser.add_argument("--collectors", type=int, default=300, help="how many (default 300)")

    def handle(self, *_args: Any, collectors: int, **_options: Any) -> None:
        """Check, then serve. Raises CommandError with one line for what cannot be."""
        if settings.REDIS_URL or connection.vendor != "sqlite":
            raise CommandError(
                "The demo has its own SQLite database: unset DATABASE_URL and REDIS_URL."
            )
        if collectors < FEWEST:
            raise CommandError(
                f"--collectors has to be at least {FEWEST}: its story needs so many."
            )
        try:
            sock = bind(settings.HOST, settings.PORT)
        except OSError as error:
            raise CommandError(
                f"{settings.HOST}:{settings.PORT} cannot be used: {error.strerror}. Set HOST or PORT."
            ) from error
        try:
            renew(settings.DATA_DIR)
        except NotOurs as error:
            sock.close()
            raise CommandError(
                f"{error} holds an installation that is no demo. Set TELFLO_DATA to a folder of its own."
            ) from error
        self._say("Making an installation with a history; this takes up to a minute.")
        demo = Demo(sock, collectors=collectors, say=self._say)
        demo.run()
        if demo.has_failed:
            raise CommandError("The demo ended before it was complete; the lines above say why.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
