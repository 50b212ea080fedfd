"""Versions that some agents cannot run, in rollouts that take themselves back: how soon, and whom they touch."""

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from agents.configmap import configmap_sha256
from agents.snapshot import ConfigFile
from benchmarks.scale.load import Load, plan, until
from benchmarks.scale.prepare import configuration, mark_of
from benchmarks.scale.product import cancel_rollout, rows, seen, start_rollout
from benchmarks.scale.servers import Telflo
from benchmarks.scale.takebacks import PLAN, StageSeen, Takeback
from opamp.simulator.member import Member

SHARES: Final = (0.01, 0.2, 1.0)
"""Of the agents that cannot run a version, one version after the other."""
_APPLY_S: Final = 0.5
_FIRST, _OTHER, _BAD = 0, 1, 2
"""Prepared versions: of all, of one half, and the first bad one."""
_HALF: Final = {
    "stages": [{"percent": 50, "bake_seconds": 3600}, {"percent": 100}],
    "soak_seconds": 0,
}
_STATE: Final = "SELECT count(*) FROM fleets_rollout WHERE id = '{}' AND state IN ({})"
_STAGES: Final = """
    SELECT name, (SELECT count(*) FROM fleets_target WHERE stage_id = stage.id), state,
        started_at IS NOT NULL
    FROM fleets_stage AS stage WHERE rollout_id = '{}' ORDER BY stage.index
"""
_KNOWN: Final = """
    SELECT count(*) FROM agents_agentstatus WHERE remote_config_hash = '{}' AND remote_config_status = 1
"""
_LOOK_S: Final = 0.02
_APPLIED: Final = 1
_SEED: Final = 1

Answer = TypeVar("Answer")


class TakingBack:
    """One server on PostgreSQL, with agents that take half a second to apply."""

    def __init__(self, url: str, token: str, telflo: Telflo, agents: int) -> None:
        wanted = plan(url, token, agents)
        behaviour = replace(wanted.behaviour, apply_delay_s=_APPLY_S)
        self._load = Load(replace(wanted, behaviour=behaviour))
        self._telflo = telflo
        self._pool = ThreadPoolExecutor(2)
        self._rng = random.Random(_SEED)

    async def measure(self) -> list[Takeback]:
        """All of them."""
        await self._load.start()
        await self._until(lambda: self._load.connected == self._load.plan.count, "all connected")
        await self._give_two_versions()
        found = []
        for number, share in enumerate(SHARES):
            found.append(await self._take_back(_BAD + number, share))
        await self._load.stop(gracefully=False)
        self._pool.shutdown()
        return found

    async def _give_two_versions(self) -> None:
        """One to all, then another one to half of them."""
        first = await self._ask(start_rollout, self._telflo, _FIRST)
        await self._ask(seen, self._telflo, _STATE.format(first, "'succeeded'"), 1)
        other, half = await self._ask(start_rollout, self._telflo, _OTHER, _HALF), _hash_of(_OTHER)
        members = self._load.members
        await self._until(
            lambda: 2 * sum(_runs(one, half) for one in members) >= len(members), "half moved"
        )
        # What the server does not know yet it cannot give back.
        await self._ask(seen, self._telflo, _KNOWN.format(half), len(members) // 2)
        await self._ask(cancel_rollout, self._telflo, other)

    async def _take_back(self, version: int, share: float) -> Takeback:
        failing = self._fail(version, share)
        before = {one.agent.uid: one.agent.runs_hash.hex() for one in self._load.members}
        bad = _hash_of(version)
        self._load.begin()
        rollout = await self._ask(start_rollout, self._telflo, version, PLAN)
        back = "'rolling_back', 'rolled_back'"
        decided = await self._ask(seen, self._telflo, _STATE.format(rollout, back), 1)
        recover_s = math.inf
        with suppress(TimeoutError):  # then it is told as never
            await self._until(lambda: self._are_back(before), "all back on their own version")
            recover_s = self._load.now() - decided
            await self._ask(seen, self._telflo, _STATE.format(rollout, "'rolled_back'"), 1)
        touched = [one for one in self._load.members if bad in one.agent.offered]
        return Takeback(
            agents=len(before),
            failing=failing,
            stages=[StageSeen(*row) for row in await self._stages(rollout)],
            detect_s=decided - self._load.measures.offers[bad].first_failed,
            touched=len(touched),
            recover_s=recover_s,
        )

    def _fail(self, version: int, share: float) -> int:
        """Let a share of the agents, drawn anew, fail this version; answers how many."""
        members, marker = self._load.members, mark_of(version)
        chosen = set(self._rng.sample(range(len(members)), round(share * len(members))))
        for member in members:
            agent = member.agent
            agent.behaviour = replace(
                agent.behaviour, fails=member.number in chosen, fail_marker=marker
            )
        return len(chosen)

    def _are_back(self, before: dict[UUID, str]) -> bool:
        return all(_runs(one, before[one.agent.uid]) for one in self._load.members)

    async def _stages(self, rollout: str) -> Sequence[Sequence[Any]]:
        return await self._ask(rows, self._telflo, _STAGES.format(rollout))

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        await until(holds, what, every_s=_LOOK_S)

    async def _ask(self, work: Callable[..., Answer], *arguments: Any) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, partial(work, *arguments)
        )


def _runs(member: Member, config_hash: str) -> bool:
    """Whether it runs that, and says so."""
    agent = member.agent
    said = (agent.remote_hash.hex(), agent.remote_status)
    return agent.runs_hash.hex() == config_hash and said == (config_hash, _APPLIED)


def _hash_of(version: int) -> str:
    return configmap_sha256([ConfigFile("", configuration(version).encode(), "text/yaml")])
