"""`telflo worker`: runs background tasks."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from telflo.celery import app
from telflo.databases import close_connections, expect_answers
from telflo.serve.firststart import check_store
from telflo.system.celery_counts import TaskCounts
from telflo.system.models import ProcessKind
from telflo.system.reporting import Part, reporting


class Command(BaseCommand):
    """A Celery worker with Telflo's settings. SIGTERM lets running tasks finish."""

    help = "Run background tasks until SIGTERM (running tasks finish) or a second signal."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --concurrency and --pool."""
        parser.add_argument(
            "--concurrency", type=int, default=4, help="tasks at a time (default 4)"
        )
        parser.add_argument("--pool", choices=("prefork", "threads"), default="prefork")

    def handle(self, *_args: Any, concurrency: int, pool: str, **_options: Any) -> None:
        """Work until a signal. Raises CommandError without REDIS_URL."""
        if not settings.REDIS_URL:
            raise CommandError(
                "A worker needs REDIS_URL. Without Redis, tasks run inside `telflo serve --embedded`."
            )
        for line in check_store():
            self.stdout.write(line)
        close_connections()
        expect_answers()
        worker = app.Worker(
            pool_cls=pool, concurrency=concurrency, loglevel="INFO", quiet=True, without_gossip=True
        )
        counts = TaskCounts()
        counts.connect()
        self.stdout.write("Telflo's worker runs.")
        self.stdout.flush()
        with reporting(Part(ProcessKind.WORKER, counts.numbers)):
            worker.start()
        if worker.exitcode:
            raise CommandError("The worker ended with an error.", returncode=worker.exitcode)
