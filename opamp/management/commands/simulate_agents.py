"""`telflo simulate_agents`: thousands of agents from one core, and what they saw as JSON."""

import asyncio
import json
import resource
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

import uvloop
from django.core.management.base import BaseCommand, CommandError

from opamp.simulator.fleet import Fleet
from opamp.simulator.journal import Journal
from opamp.simulator.options import add_options, plan_of

_PROGRESS_S: Final = 5.0
_SPARE_FILES: Final = 64
_KIB_PER_MIB: Final = 1024


class Command(BaseCommand):
    """Runs until --duration is over or Ctrl+C, then prints the result."""

    help = "Simulate agents against an OpAMP server; prints what they saw as JSON."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options."""
        add_options(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run. Raises CommandError with one line for what cannot be."""
        _check(options)
        result = uvloop.run(self._run(options))
        self.stdout.write(json.dumps(result, indent=2))

    async def _run(self, options: dict[str, Any]) -> dict[str, Any]:
        journal = Journal(Path(options["log"])) if options["log"] else None
        fleet = Fleet(plan_of(options), journal=journal)
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await fleet.start()
        await self._watch(fleet, ended, options["duration"])
        result = fleet.result()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await fleet.stop(gracefully=not options["cut"])
        if journal is not None:
            journal.close()
        return result | {"peak_rss_mib": round(peak / _KIB_PER_MIB, 1)}

    async def _watch(self, fleet: Fleet, ended: asyncio.Event, duration_s: float | None) -> None:
        """Say how it goes every few seconds, until the end."""
        end = fleet.now() + (duration_s if duration_s is not None else float("inf"))
        while (left_s := end - fleet.now()) > 0:
            try:
                await asyncio.wait_for(ended.wait(), min(_PROGRESS_S, left_s))
            except TimeoutError:
                self._say(fleet)
            else:
                return

    def _say(self, fleet: Fleet) -> None:
        measures = fleet.measures
        limit = measures.limit()
        (worst, _), *_ = measures.errors.most_common(1) or [("", 0)]
        self.stderr.write(
            f"{fleet.connected} of {fleet.plan.count} connected, {sum(measures.messages.values())} messages,"
            f" {measures.errors.total()} errors"
            + (f", most of them: {worst}" if worst else "")
            + (f"; the simulator is the limit: {limit}" if limit else "")
        )


def _check(options: dict[str, Any]) -> None:
    if not options["url"].startswith(("ws://", "wss://")):
        raise CommandError("--url has to begin with ws:// or wss://.")
    if options["count"] < 1:
        raise CommandError("--count has to be at least 1.")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = options["count"] + _SPARE_FILES
    if most != resource.RLIM_INFINITY and needed > most:
        raise CommandError(
            f"{options['count']} connections need {needed} open files; the limit here is {most}."
            " Raise it (ulimit -Hn), or start several simulators."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
