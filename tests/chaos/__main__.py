"""Kills, stops and cuts at random, and looks whether all is right afterwards: `python -m tests.chaos --rounds 200`.

The same seed does the same to the same parts at the same times. A failure prints what explains it, and ends with 1.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvloop

from tests.chaos.crowd import RESTLESS_S, Crowd
from tests.chaos.installation import Broken, Installation
from tests.chaos.logbook import Logbook
from tests.chaos.persistent import PersistentApi
from tests.chaos.schedule import SERVERS, WEBS, Blow, Change, How, Round, Wish, make_round
from tests.chaos.verdict import RIGHT_WITHIN_S, Judge, Verdict
from tests.e2e.harness.outages import parts
from tests.e2e.harness.server import free_port, make_api_token

FACTOR: Final = "TELFLO_CHAOS_FACTOR"
"""Environment: by how much this machine may be slower than RIGHT_WITHIN_S says (default 1)."""
_REPORTS_PER_S: Final = 1_250
"""Of all agents together, while they fill the write buffers."""
_LONG: Final = 2_000
"""Characters of what each of them says then."""
_ALL_IN_S: Final = 60.0
_LOOK_S: Final = 0.2
_DIFFER_AFTER_S: Final = 1.0


class Run:
    """An installation, its agents, and one round after another."""

    def __init__(self, judge: Judge, seed: int) -> None:
        self._judge = judge
        self._crowd = judge.crowd
        self._installation = judge.installation
        self._seed = seed
        self._done: Counter[str] = Counter()

    async def begin(self) -> None:
        """All agents connect and run the first version."""
        started = time.time()
        await self._crowd.fleet.start()
        verdict = await self._judge.judge(started, within_s=_ALL_IN_S)
        _say(f"{len(self._crowd.fleet.members)} agents are in after {verdict.took_s:.1f} s")
        self._judge.tally.slowest_s = 0.0

    async def round(self, number: int) -> None:
        """Change versions, do harm, and see whether all is right."""
        this = make_round(self._seed, number)
        started = time.time()
        async with self._crowd.restless(*_unrest(this, self._crowd)):
            blows = [self._strike(blow) for blow in this.blows]
            differ = self._differ(this)
            await asyncio.gather(
                self._change(this.changes), self._wish(this.wishes), differ, *blows
            )
        away_s = time.time() - started
        revived = await self._installation.until_up()
        if fallen := fallen_in(this, revived):
            raise Broken(f"{', '.join(fallen)} ended without a blow\n{self._installation.logs()}")
        up_s = time.time() - started
        verdict = await self._judge.judge(started)
        self._installation.calm()
        _say(_line(this, revived, away_s, up_s - away_s, verdict))

    def summary(self, seconds: float) -> str:
        """What was done and seen."""
        tally, logbook = self._judge.tally, self._judge.logbook
        done = ", ".join(f"{what} {count}" for what, count in sorted(self._done.items()))
        staged = ", ".join(f"{how} {count}" for how, count in sorted(tally.staged.items()))
        return (
            f"done: {done}\n{self._crowd.versions} versions; {logbook.connects} connections,"
            f" {tally.sessions} sessions in the timelines; {logbook.reports} reports,"
            f" {tally.facts} as told, {tally.lost} missing as they may;"
            f" {logbook.refused} messages refused\n"
            f"in stages: {staged}\n"
            f"right after at most {tally.slowest_s:.1f} s; {seconds:.0f} s in all, seed {self._seed}"
        )

    async def _change(self, changes: Sequence[Change]) -> None:
        """One after another, each when it is due or as soon as somebody can do it."""
        started = time.monotonic()
        async with asyncio.TaskGroup() as persons:
            for change in changes:
                await asyncio.sleep(change.after_s - (time.monotonic() - started))
                rollout = await asyncio.to_thread(self._crowd.change, change)
                if change.person:
                    persons.create_task(self._act(rollout, change))

    async def _act(self, rollout: str, change: Change) -> None:
        await asyncio.sleep(change.person_s)
        await asyncio.to_thread(self._crowd.act, rollout, change.person)

    async def _wish(self, wishes: Sequence[Wish]) -> None:
        for wish in wishes:
            await asyncio.sleep(wish.after_s)
            await asyncio.to_thread(self._crowd.wish, wish)

    async def _differ(self, this: Round) -> None:
        await asyncio.sleep(_DIFFER_AFTER_S)
        self._crowd.differ(this.described, this.upgraded)

    async def _strike(self, blow: Blow) -> None:
        await asyncio.sleep(blow.after_s)
        self._done[f"{blow.target} {blow.how}"] += 1
        if blow.how is How.CUT:
            self._crowd.cut(blow.share)
            return
        how = How.STOP if blow.how is How.FILL else blow.how
        async with self._installation.without(blow.target, how):
            if blow.share:
                self._crowd.cut(blow.share, self._installation.opamp_url(blow.target))
            await (self._until_full(blow) if blow.how is How.FILL else asyncio.sleep(blow.for_s))

    async def _until_full(self, blow: Blow) -> None:
        """Until somebody is refused. Raises Broken when nobody is."""
        logbook, deadline = self._judge.logbook, time.monotonic() + blow.for_s
        logbook.read()
        before = logbook.refused
        while logbook.refused == before:
            if time.monotonic() > deadline:
                raise Broken(f"The write buffers were not full after {blow.for_s:g} s.")
            await asyncio.sleep(_LOOK_S)
            logbook.read()


def fallen_in(this: Round, ended: Sequence[str]) -> list[str]:
    """Servers that ended by themselves: an outage beside them is nothing to end for, and their agents were cut off."""
    killed = {blow.target for blow in this.blows if blow.how is How.KILL}
    return [name for name in ended if name in SERVERS and name not in killed]


def _unrest(this: Round, crowd: Crowd) -> tuple[int, float, int]:
    """How many agents speak at a time, how often (seconds), and how long their words are."""
    if any(blow.how is How.FILL for blow in this.blows):
        agents = len(crowd.fleet.members)
        return agents, agents / _REPORTS_PER_S, _LONG
    return this.restless, RESTLESS_S, 0


def _line(this: Round, revived: list[str], away_s: float, up_s: float, verdict: Verdict) -> str:
    versions = "".join(f"{change} version; " for change in this.changes)
    versions += "".join("settings; " for _ in this.wishes)
    blows = " and ".join(map(str, this.blows))
    again = f"; {', '.join(revived)} ended and was started again" if revived else ""
    return (
        f"{this.number:>3}  {versions}{blows}{again}"
        f" · {away_s:.1f} s, up after {up_s:.1f} s, {verdict}"
    )


async def run(asked: argparse.Namespace, installation: Installation) -> None:
    """Everything on one loop. Raises Broken."""
    await installation.start()
    token = make_api_token(installation.environment)
    api = PersistentApi(installation.base_urls, token)
    urls, polled = ([installation.opamp_url(name) for name in names] for names in (SERVERS, WEBS))
    log = installation.folder / "agents.log"
    crowd = Crowd.make(api, urls, polled, asked.agents, asked.seed, log)
    started = time.monotonic()
    running = Run(Judge(crowd, installation, Logbook(log)), asked.seed)
    try:
        await running.begin()
        for number in range(asked.first, asked.first + asked.rounds):
            await running.round(number)
        _say(running.summary(time.monotonic() - started))
    finally:
        await crowd.stop()


def main() -> int:
    """The command."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    folder = Path(tempfile.mkdtemp(prefix="telflo-chaos-"))
    _say(f"seed {asked.seed}; logs in {folder}, kept after a failure")
    with parts() as services:
        installation = Installation(
            services,
            folder,
            {name: free_port() for name in SERVERS},
            float(os.environ.get(FACTOR, "1")),
        )
        try:
            uvloop.run(run(asked, installation))
        except Broken as broken:
            _say(f"{broken}\nFAILED; again: --seed {asked.seed} --rounds {asked.rounds}")
            return 1
        finally:
            codes = installation.end()
    if any(codes):
        _say(f"FAILED: exit codes of an orderly stop: {codes}")
        return 1
    shutil.rmtree(folder)
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=f"{__doc__} It has to be right {RIGHT_WITHIN_S:g} s after all parts are up.",
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--agents", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=1, help="begin with this round")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
