"""`telflo beat`: starts periodic tasks. One for an installation."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from telflo.celery import app
from telflo.databases import expect_answers
from telflo.system.celery_counts import BeatCounts
from telflo.system.models import ProcessKind
from telflo.system.reporting import Part, reporting


class Command(BaseCommand):
    """Celery's beat with Telflo's schedule; it keeps nothing on disk, since every task is a sweep."""

    help = "Start periodic tasks until SIGTERM. Run one for an installation."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Tick until a signal. Raises CommandError without REDIS_URL."""
        if not settings.REDIS_URL:
            raise CommandError(
                "beat needs REDIS_URL. Without Redis it is a part of `telflo serve --embedded`."
            )
        self.stdout.write("Telflo's beat runs.")
        self.stdout.flush()
        expect_answers()
        counts = BeatCounts()
        counts.connect()
        with reporting(Part(ProcessKind.BEAT, counts.numbers)):
            app.Beat(
                scheduler_cls="celery.beat:Scheduler", loglevel="INFO", quiet=True, max_interval=5
            ).run()
