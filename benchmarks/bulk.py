"""What changing many collectors at once costs: `make bench-bulk`.

Each step is one call of a service, in the order of a working day. Prints CPU time of this process, elapsed time and
the number of statements, and writes the same as JSON into benchmarks/results/.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.world import scratch_world

if TYPE_CHECKING:
    from benchmarks.seed import Installation

RESULTS: Final = Path(__file__).parent / "results"
FLUSH: Final = 500
"""As many sessions as the write buffer hands over at once."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one step costs."""

    step: str
    cpu_ms: float
    wall_ms: float
    statements: int


def main() -> None:
    """Seed, do, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collectors", type=int, default=10_000)
    options = parser.parse_args()
    with scratch_world():
        # Models exist once Django is set up.
        from django.db import connection

        from benchmarks.seed import make_installation

        made = make_installation(options.collectors)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        costs = [_cost(name, step) for name, step in _steps(made)]
        print("\n".join(_table(costs)))
        RESULTS.mkdir(exist_ok=True)
        content = {
            "collectors": options.collectors,
            "database": connection.vendor,
            "steps": [*map(asdict, costs)],
        }
        file = RESULTS / f"bulk-{connection.vendor}.json"
        file.write_text(json.dumps(content, indent=1) + "\n")


def _steps(made: "Installation") -> Iterator[tuple[str, Callable[[], object]]]:
    """Each is made when the one before is done."""
    from agents.models import Agent, AgentStatus
    from agents.services import label_agents
    from agents.snapshot import ConfigStatus
    from fleets.many import forget_agents, move_agents
    from fleets.models import RenderedConfig
    from fleets.offers import claim_offers
    from fleets.reports import record_patches
    from fleets.rollouts import engine
    from fleets.rollouts.services import start_rollout
    from telflo.base import clock
    from telflo.base.activity import Actor

    actor, uids = Actor.person(made.admin), list(Agent.objects.values_list("pk", flat=True))
    yield (
        f"label {len(uids):,}",
        lambda: label_agents(uids=uids, put={"wave": "1"}, remove=["rack"], actor=actor),
    )
    yield f"move {len(uids):,}", lambda: move_agents(uids=uids, fleet=made.fleet, actor=actor)
    # Only what is connected is offered something.
    AgentStatus.objects.update(connected=True)
    other = RenderedConfig.objects.exclude(version=made.version).order_by("id")[0].version
    yield (
        f"assign to {len(uids):,}",
        lambda: start_rollout(fleet=made.fleet, version=other, actor=actor),
    )
    rollout = made.fleet.rollouts.latest("number")
    yield "advance, release", lambda: engine.advance(rollout.pk, now=clock.now())
    yield "advance again", lambda: engine.advance(rollout.pk, now=clock.now())
    epochs = dict(AgentStatus.objects.values_list("agent_id", "session_epoch"))
    yield f"claim {len(uids):,} offers", lambda: claim_offers(epochs, now=clock.now())
    flush = uids[:FLUSH]
    for name, status in (("applying", ConfigStatus.APPLYING), ("applied", ConfigStatus.APPLIED)):
        digest = AgentStatus.objects.get(agent=flush[0]).desired_hash
        patches = _answers(flush, epochs, status, digest)
        yield f"flush of {FLUSH}, {name}", lambda: record_patches(patches)  # noqa: B023 - done before the next
    patches = _beats(flush, epochs)
    yield f"flush of {FLUSH}, heartbeats", lambda: record_patches(patches)
    patches = _full_states(flush, epochs)
    yield f"flush of {FLUSH}, full states", lambda: record_patches(patches)
    yield "advance, after answers", lambda: engine.advance(rollout.pk, now=clock.now())
    later = clock.now() + timedelta(hours=1)
    yield "expire, nothing due", lambda: engine.expire(later - timedelta(hours=1))
    yield f"forget {len(uids):,}", lambda: forget_agents(uids=uids, actor=actor)


def _answers(uids: Sequence[Any], epochs: dict[Any, int], status: Any, digest: str) -> list[Any]:
    from agents.snapshot import AgentPatch, Fact, FactKind, RemoteConfigReport
    from telflo.base import clock

    now, report = clock.now(), RemoteConfigReport(status, digest)
    facts = (Fact(FactKind.REMOTE_CONFIG, now, remote_config=report),)
    return [AgentPatch(uid, epochs[uid], now, 7, remote_config=report, facts=facts) for uid in uids]


def _beats(uids: Sequence[Any], epochs: dict[Any, int]) -> list[Any]:
    from agents.snapshot import AgentPatch
    from telflo.base import clock

    now = clock.now()
    return [AgentPatch(uid, epochs[uid], now, 8) for uid in uids]


def _full_states(uids: Sequence[Any], epochs: dict[Any, int]) -> list[Any]:
    """As after a restart of the server: who they are, how they are, what they run."""
    from agents.models import Agent
    from agents.snapshot import AgentPatch, ComponentHealth, Description, Fact, FactKind
    from telflo.base import clock

    now, health = clock.now(), ComponentHealth(healthy=True, status="StatusOK")
    told = dict(Agent.objects.filter(pk__in=uids).values_list("pk", "non_identifying"))
    return [
        AgentPatch(
            uid,
            epochs[uid],
            now,
            9,
            description=Description({"service.name": "otelcol"}, told[uid]),
            health=health,
            facts=(Fact(FactKind.FULL_STATE, now), Fact(FactKind.HEALTH, now, health=health)),
        )
        for uid in uids
    ]


def _cost(name: str, step: Callable[[], object]) -> Cost:
    from django.db import connection

    count = 0

    def counting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal count
        count += 1
        return execute(sql, params, many, context)

    cpu, wall = time.process_time(), time.perf_counter()
    with connection.execute_wrapper(counting):
        step()
    return Cost(
        name,
        round(1000 * (time.process_time() - cpu), 1),
        round(1000 * (time.perf_counter() - wall), 1),
        count,
    )


def _table(costs: Sequence[Cost]) -> Iterator[str]:
    width = max(len(cost.step) for cost in costs)
    yield f"{'step':{width}}   CPU ms   elapsed  statements"
    for cost in costs:
        yield f"{cost.step:{width}} {cost.cpu_ms:8.1f}  {cost.wall_ms:8.1f}  {cost.statements:10}"


if __name__ == "__main__":
    main()
