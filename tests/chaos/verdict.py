"""After a round: does the server believe what is so, and does its timeline tell what was said?"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple
from uuid import UUID

import psycopg

from tests.chaos.belief import Belief, differences, lags, strays, wrongs
from tests.chaos.crowd import Crowd
from tests.chaos.database import Database, Event
from tests.chaos.facts import WINDOW_S, Death, compare, surplus
from tests.chaos.installation import Broken, Installation
from tests.chaos.logbook import (
    HEALTH,
    REMOTE_CONFIG,
    SETTINGS,
    SETTINGS_SENT,
    AgentLog,
    Logbook,
    told_health,
    told_status,
)
from tests.chaos.stages import ENDED, ROLLED_BACK, breaches, not_back

STAGED_S: Final = 150.0
"""So long a rollout in stages takes at most, also when its worker is away for a minute."""
RIGHT_WITHIN_S: Final = 10.0
"""From when all parts are up."""
_EVENTS_BACK_S: Final = 60.0
_PAUSE_S: Final = 0.25
_SHOWN: Final = 3
_WORDS: Final = 100
_WEBSOCKET: Final = "ws"
_TOLD: Final = {REMOTE_CONFIG: told_status, HEALTH: told_health, SETTINGS: told_status}

Problems = dict[UUID, list[str]]


@dataclass(slots=True)
class Tally:
    """What was compared so far."""

    facts: int = 0
    lost: int = 0
    sessions: int = 0
    staged: Counter[str] = field(default_factory=Counter)
    """Rollouts in stages, by how they ended."""
    slowest_s: float = 0.0


class Verdict(NamedTuple):
    """All holds, after so many seconds. last: what was wrong to the last, "" when all held at once."""

    took_s: float
    last: str

    def __str__(self) -> str:
        last = f" ({self.last[:_WORDS]})" if self.last else ""
        return f"right after {self.took_s:.1f} s{last}"


@dataclass
class Judge:
    """Compares again and again until all holds, or time is up."""

    crowd: Crowd
    installation: Installation
    logbook: Logbook
    tally: Tally = field(default_factory=Tally)
    _told: set[UUID] = field(default_factory=set)
    """Timeline entries that were compared already."""
    _course: dict[UUID, dict[str, float]] = field(default_factory=dict)
    """Of each agent what was wrong with it in this round, and how many seconds after its beginning at the latest."""
    _wrong_since: dict[UUID, float] = field(default_factory=dict)
    """Of each agent that is wrong now, how many seconds after the beginning it was found so, at all looks since."""

    @property
    def _database(self) -> Database:
        return self.installation.database

    async def judge(self, since: float, within_s: float = RIGHT_WITHIN_S) -> Verdict:
        """Wait until everything holds. since: when the round began (Unix time).

        Raises Broken with all that explains it when it does not hold in time; agents that poll, and the rollouts that wait
        for them, have as much more as their fleet's interval is longer than the one of the beginning.
        """
        started = time.monotonic()
        within_s *= self.installation.factor
        # A collector that crashes again and again says something new all the time: each agent has to be right once.
        unbelieved = {truth.uid for truth, _ in self.crowd.truths()}
        untold = set(unbelieved)
        last = ""
        self._course, self._wrong_since = {}, {}
        while True:
            problems, general = await self._look(unbelieved, untold, since - _EVENTS_BACK_S)
            took_s = time.monotonic() - started
            self._note(took_s, problems)
            if not problems and not general:
                break
            late_s = took_s - within_s
            overdue = self._overdue(took_s) - self.crowd.polling
            if (late_s > 0 and overdue) or late_s > self.crowd.slower_s:
                raise Broken(self._explain(problems, general, took_s))
            last = [*general, *chain(*problems.values())][0]
            await asyncio.sleep(_PAUSE_S)
        await self._look_for_what_must_never_be(since)
        self.tally.slowest_s = max(self.tally.slowest_s, took_s)
        return Verdict(took_s, last)

    def _note(self, took_s: float, problems: Problems) -> None:
        for uid, found in problems.items():
            self._course.setdefault(uid, {}).update(dict.fromkeys(found, took_s))
        self._wrong_since = {uid: self._wrong_since.get(uid, took_s) for uid in problems}

    def _overdue(self, took_s: float) -> set[UUID]:
        """What was said just now may be on its way, also when time is up: a rollout in stages goes on meanwhile."""
        return {uid for uid, since in self._wrong_since.items() if took_s - since > WINDOW_S}

    # ── belief ──

    async def _look(
        self, unbelieved: set[UUID], untold: set[UUID], since: float
    ) -> tuple[Problems, list[str]]:
        try:
            late = since - STAGED_S * self.installation.factor
            general = await asyncio.to_thread(self._database.unsettled, late)
            staged = await asyncio.to_thread(self._database.staged, late)
            succeeded = await asyncio.to_thread(self._database.succeeded)
            # The last of all: agents go on talking, and what they say after this is not believed yet.
            beliefs = await asyncio.to_thread(self._database.beliefs)
            self.logbook.read()
            back = {one.id for one in staged if one.state == ROLLED_BACK}
            problems = dict(self._disbeliefs(unbelieved, beliefs, back, succeeded))
            unbelieved &= problems.keys()
            if not problems and not general:
                events = await asyncio.to_thread(self._database.events, since)
                self.logbook.read()
                problems = dict(self._omissions(untold, events))
        except psycopg.Error as error:
            return {}, [f"the database does not answer: {error}"]
        return problems, general

    def _disbeliefs(
        self,
        unbelieved: set[UUID],
        beliefs: Mapping[UUID, Belief],
        back: Collection[str],
        succeeded: Collection[str],
    ) -> Iterator[tuple[UUID, list[str]]]:
        for truth, given in self.crowd.truths():
            if truth.uid not in unbelieved:
                continue
            belief = beliefs.get(truth.uid)
            number = self.logbook.agents[truth.uid].number
            problems = [*differences(truth, number, belief)]
            if belief is not None:
                problems += lags(truth, belief, given.interval_s, given.telemetry)
                if str(belief.fleet) != given.fleet:
                    problems.append("it is in the other fleet")
                if given.last in succeeded:
                    problems += strays(belief, given.coming)
            if given.staged in back:
                problems += not_back(self.crowd.staged[given.staged], truth)
            if problems:
                yield truth.uid, problems

    # ── facts ──

    def _omissions(
        self, untold: set[UUID], events: Mapping[UUID, Sequence[Event]]
    ) -> Iterator[tuple[UUID, list[str]]]:
        deaths = self.installation.deaths
        for uid in sorted(untold):
            told = [event for event in events.get(uid, ()) if event.id not in self._told]
            problems = self._compare(self.logbook.agents[uid], told, deaths)
            if problems:
                yield uid, problems
            else:
                untold.discard(uid)
                self._told.update(event.id for event in told)

    def _compare(self, log: AgentLog, told: Sequence[Event], deaths: Sequence[Death]) -> list[str]:
        """What the timeline does not tell, or tells of nothing. With no problem the log is settled up to here."""
        entries = {
            kind: [tells(event.data) for event in told if event.kind == kind]
            for kind, tells in _TOLD.items()
        }
        found = {
            kind: compare(log.said(kind, deaths), entries[kind], log.before.get(kind))
            for kind in _TOLD
        }
        problems = [f"{kind}: {one.problem}" for kind, one in found.items() if one.problem]
        log.sent |= {event.data["hash"] for event in told if event.kind == SETTINGS_SENT}
        problems += log.unsent()
        opened = [event.at for event in told if event.kind == "connected"]
        problems += log.missing_sessions(opened)
        begun = [event.at for event in told if event.data.get("transport") == _WEBSOCKET]
        if one_too_many := surplus(log.sockets(), begun):
            problems.append(one_too_many)
        if problems:
            return problems
        for kind, one in found.items():
            self.tally.facts += one.found
            self.tally.lost += one.lost
            log.settle(kind, entries[kind][-1] if entries[kind] else None)
        self.tally.sessions += len(opened)
        log.settle_connections(opened)
        return []

    # ── always ──

    async def _look_for_what_must_never_be(self, since: float) -> None:
        found = {
            truth.uid: problems
            for truth, given in self.crowd.truths()
            if (problems := [*wrongs(truth, given.hashes)])
        }
        general = await asyncio.to_thread(self._database.offered_twice)
        late = since - STAGED_S * self.installation.factor
        for rollout in await asyncio.to_thread(self._database.staged, late):
            staged = self.crowd.staged[rollout.id]
            general += breaches(rollout, staged, self.logbook.arrivals)
            if rollout.state == ROLLED_BACK:
                self.crowd.taken_back(rollout.id)
            if rollout.state in ENDED and not staged.has_ended:
                staged.has_ended = True
                self.tally.staged[rollout.state] += 1
        if found or general:
            raise Broken(self._explain(found, general, 0.0))

    def _explain(self, problems: Problems, general: Sequence[str], took_s: float) -> str:
        """All that explains a failure: agents with their logs and rows, and the logs of the processes."""
        count = len(problems)
        lines = [f"not right after {took_s:.1f} s: {count} agents", *general]
        for truth, _ in self.crowd.truths():
            if truth.uid not in problems or len(lines) > _SHOWN * 8:
                continue
            lines += [f"\n── {truth.uid}", *problems[truth.uid], "what was wrong until when:"]
            lines += [
                f"{until:6.1f} s {what}" for what, until in self._course.get(truth.uid, {}).items()
            ]
            lines += [str(truth), "its log:"]
            lines += [self.logbook.lines_of(truth.uid), "its row and timeline:"]
            lines += self._stored(truth.uid)
        return "\n".join([*lines, self.installation.logs()])

    def _stored(self, uid: UUID) -> list[str]:
        try:
            events = self._database.events(time.time() - 2 * _EVENTS_BACK_S).get(uid, [])
            return [
                str(self._database.beliefs().get(uid)),
                *(f"{event.at:.3f} {event.kind} {dict(event.data)}" for event in events[-40:]),
                "session:",
                self._database.session(uid),
                "attempts:",
                self._database.attempts(uid),
            ]
        except psycopg.Error as error:
            return [f"the database does not answer: {error}"]
