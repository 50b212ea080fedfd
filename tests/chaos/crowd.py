"""The simulated agents of a run, what their fleets were given, and what is so on each."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from agents.configmap import configmap_sha256
from agents.snapshot import ConfigFile
from opamp.simulator.behaviour import Behaviour
from opamp.simulator.fleet import Fleet
from opamp.simulator.journal import Journal
from opamp.simulator.plan import Amount, Plan
from opamp.simulator.report import Truth
from tests.chaos.persistent import PersistentApi
from tests.chaos.schedule import FLEETS, Change, Person, Wish
from tests.chaos.stages import PLAN, Staged, may_go_back_to

HEARTBEAT_S: Final = 3.0
APPLY_S: Final = 0.5
BACKOFF_S: Final = 2.0
_FAILING: Final = 0.05
_OVER_HTTP: Final = 0.04
_ACKNOWLEDGING: Final = 0.5
_BAD: Final = "some-cannot"
RESTLESS_S: Final = 0.1
PAUSED_S: Final = 4.0
_TEXT: Final = """\
receivers:
  otlp: {{protocols: {{grpc: {{}}}}}}
processors:
  attributes:
    actions: [{{key: chaos, value: {word}-{number}, action: upsert}}]
exporters:
  debug: {{}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [attributes], exporters: [debug]}}
"""


@dataclass
class Given:
    """A fleet by its id, its configuration, its token, and the hashes of all that it was ever given.

    interval_s, telemetry: connection settings, 0 and nothing while it was given none. staged: the rollout that began
    last, if it goes in stages. last: that rollout, however it goes. coming: the hash of the version given last, "" when it was taken back.
    """

    fleet: str
    configuration: str
    token: str
    hashes: set[str] = field(default_factory=set)
    interval_s: int = 0
    telemetry: dict[str, str] = field(default_factory=dict)
    staged: str = ""
    last: str = ""
    coming: str = ""


@dataclass
class Crowd:
    """All agents on one loop. They go on at any of the addresses when they lose their connection."""

    api: PersistentApi
    given: list[Given]
    fleet: Fleet
    journal: Journal
    rng: random.Random
    versions: int = 0
    troubles: int = 0
    builds: int = 0
    staged: dict[str, Staged] = field(default_factory=dict)
    """Rollouts in stages, by their ids."""

    @classmethod
    def make(
        cls,
        api: PersistentApi,
        urls: Sequence[str],
        polled: Sequence[str],
        agents: int,
        seed: int,
        log: Path,
    ) -> Crowd:
        """Fleets, configurations and tokens by the API, and agents that are not started yet.

        urls, polled: for WebSockets, and for those that poll.
        """
        given = [_make_fleet(api, number) for number in range(FLEETS)]
        plan = Plan(
            url=urls[0],
            others=urls[1:],
            polled=polled,
            tokens=[one.token for one in given],
            count=agents,
            seed=seed,
            backoff_max_s=BACKOFF_S,
            behaviour=Behaviour(heartbeat_s=HEARTBEAT_S, apply_delay_s=APPLY_S, fail_marker=_BAD),
            failing=Amount(share=_FAILING),
            http=Amount(share=_OVER_HTTP),
            acknowledging=Amount(share=_ACKNOWLEDGING),
        )
        journal = Journal(log)
        return cls(api, given, Fleet(plan, journal=journal), journal, random.Random(seed))

    def change(self, change: Change) -> str:
        """Publish the next version and give it to a fleet; answers the rollout's id. Blocks."""
        given = self.given[change.fleet]
        self.versions += 1
        text = _TEXT.format(word=_BAD if change.is_bad else "all-can", number=self.versions)
        version = self.api.publish(given.configuration, text)
        made, known = _hash_of(text), frozenset(given.hashes)
        given.hashes.add(made)
        staged = Staged(made, self._before(given, known))
        body = {"fleet": given.fleet, "version": version.id, "accept_warnings": True}
        plan = {"plan": PLAN} if change.is_staged else {}
        rollout = str(self.api.post("/rollouts/", body | plan)["id"])
        given.coming, given.last = made, rollout
        given.staged = rollout if change.is_staged else ""
        if change.is_staged:
            self.staged[rollout] = staged
        return rollout

    def taken_back(self, rollout: str) -> None:
        """What this rollout brought does not come any more."""
        for given in self.given:
            if given.staged == rollout:
                given.coming = ""

    def act(self, rollout: str, person: Person) -> None:
        """A person takes a rollout back, or pauses it for a moment. Blocks. It may be over already."""
        path, reason = f"/rollouts/{rollout}", {"reason": "chaos"}
        if person is Person.ROLL_BACK:
            self.api.post_if_possible(f"{path}/rollback/", reason)
        elif self.api.post_if_possible(f"{path}/pause/", reason):
            paused_at = time.time()
            time.sleep(PAUSED_S)
            self.staged[rollout].paused.append((paused_at, time.time()))
            self.api.post_if_possible(f"{path}/resume/", reason)

    def wish(self, wish: Wish) -> None:
        """Give a fleet connection settings. Blocks."""
        given = self.given[wish.fleet]
        endpoint = wish.metrics and f"http://127.0.0.1:9/{wish.metrics}/v1/metrics"
        telemetry = {"metrics": {"endpoint": endpoint} if endpoint else None}
        body = {"heartbeat_s": wish.interval_s, "own_telemetry": telemetry}
        self.api.patch(f"/fleets/{given.fleet}/connection-settings/", body)
        given.interval_s = wish.interval_s
        given.telemetry = {"metrics": endpoint} if endpoint else {}

    def differ(self, described: float, upgraded: float) -> None:
        """Shares of the agents get another description, another build of their collector."""
        members = self.fleet.members
        self.builds += 1
        for member in self.rng.sample(members, self._number(described)):
            # Another each time: what says nothing new is stored as late as a heartbeat.
            attributes = {**member.agent.host.attributes, "rack": str(self.builds)}
            self.fleet.describe(member, attributes)
        for member in self.rng.sample(members, self._number(upgraded)):
            version = member.agent.host.version.rpartition(".")[0]
            self.fleet.upgrade(member, f"{version}.{self.builds}")

    def _before(self, given: Given, known: Collection[str]) -> dict[UUID, Collection[str]]:
        """By agent. What a rollout under way brought may not be stored yet: then also what was before it."""
        earlier = self.staged.get(given.staged)
        before = {} if earlier is None or earlier.has_ended else earlier.before
        return {
            truth.uid: {
                *may_go_back_to(truth, known, given.coming),
                *before.get(truth.uid, ()),
            }
            for truth, to in self.truths()
            if to is given
        }

    def truths(self) -> Iterator[tuple[Truth, Given]]:
        """What is so on each agent, and what its fleet was given."""
        for member, truth in zip(self.fleet.members, self.fleet.truths(), strict=True):
            yield truth, self.given[member.number % len(self.given)]

    @property
    def polling(self) -> set[UUID]:
        """Those that ask by themselves, over plain HTTP."""
        return {member.agent.uid for member in self.fleet.members if member.over_http}

    @property
    def slower_s(self) -> float:
        """By how much longer than HEARTBEAT_S these wait between two polls at most, since their fleet was told so."""
        return max(0.0, *(given.interval_s - HEARTBEAT_S for given in self.given))

    def cut(self, share: float, url: str = "") -> int:
        """Break connections: a share of all, but only those to an address if one is given."""
        open_ones = [
            member
            for member in self.fleet.members
            if member.link is not None and _is_at(member.url, url)
        ]
        chosen = self.rng.sample(open_ones, min(len(open_ones), self._number(share)))
        for member in chosen:
            if member.link is not None:
                member.link.cut()
        return len(chosen)

    @asynccontextmanager
    async def restless(self, number: int, every_s: float, words: int) -> AsyncIterator[None]:
        """While the block runs so many agents at a time, others each time, say a new error of their health.

        words: so many characters of it are the same.
        """
        ill: set[int] = set()
        trouble = asyncio.create_task(self._trouble(number, every_s, words, ill))
        try:
            yield
        finally:
            trouble.cancel()
            await asyncio.gather(trouble, return_exceptions=True)
            for one in ill:
                self.fleet.fall_ill(self.fleet.members[one], "")

    async def stop(self) -> None:
        """End all connections."""
        await self.fleet.stop(gracefully=False)
        self.journal.close()
        self.api.close()

    def _number(self, share: float) -> int:
        return round(share * len(self.fleet.members))

    async def _trouble(self, number: int, every_s: float, words: int, ill: set[int]) -> None:
        while True:
            for one in self.rng.sample(range(len(self.fleet.members)), number):
                link = self.fleet.members[one].link
                if link is not None and link.is_behind:
                    # Over plain HTTP a real client merges what it could not send yet; ours would queue each for itself.
                    continue
                self.troubles += 1
                ill.add(one)
                self.fleet.fall_ill(
                    self.fleet.members[one],
                    f"trouble {self.troubles}{' ' * bool(words)}{'.' * words}",
                )
            await asyncio.sleep(every_s)


def _is_at(url: str, server: str) -> bool:
    """Whether an address is of this server ("": any), by whichever transport."""
    return not server or urlsplit(url).netloc == urlsplit(server).netloc


def _make_fleet(api: PersistentApi, number: int) -> Given:
    configuration = api.create_configuration(f"Configuration {number}")
    text = _TEXT.format(word="first", number=number)
    version = api.publish(configuration, text)
    fleet = api.create_fleet(f"Fleet {number}", version)
    token = api.post(f"/fleets/{fleet}/tokens/", {"name": "chaos", "expires": "never"})["secret"]
    return Given(str(UUID(fleet)), configuration, token, {_hash_of(text)})


def _hash_of(text: str) -> str:
    """The hash under which a version of this text is offered."""
    return configmap_sha256([ConfigFile("", text.encode(), "text/yaml")])
