"""`telflo beat`: starts periodic tasks. One for an installation."""

import logging
from typing import Any

from celery.beat import ScheduleEntry, Scheduler, SchedulingError
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from telflo.base.outage import Outage
from telflo.celery import app
from telflo.databases import expect_answers
from telflo.system.celery_counts import BeatCounts
from telflo.system.models import ProcessKind
from telflo.system.reporting import Part, reporting

logger = logging.getLogger("telflo.beat")


class Sweeps(Scheduler):
    """Celery's scheduler, but that it says once that tasks cannot be sent: several are due every 5 s, and Celery logs a
    traceback for each.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        self._sending = Outage(logger, "Tasks cannot be sent; they are tried again.")
        super().__init__(*args, **named)

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send one that is due."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            self._sending.failed(error)
        else:
            self._sending.works()


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
                scheduler_cls=f"{__name__}:Sweeps", loglevel="INFO", quiet=True, max_interval=5
            ).run()
