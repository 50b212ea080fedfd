"""What each page costs the server: `make bench-pages`.

Prints CPU time of this process (median), elapsed time (median; on PostgreSQL it holds the database's part), queries
and bytes, and writes the same as JSON into benchmarks/results/.
"""

import argparse
import cProfile
import json
import pstats
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import unescape
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.world import scratch_world

if TYPE_CHECKING:
    from django.test import Client

    from benchmarks.seed import Installation

BUDGET_MS: Final = 100
_NEXT: Final = re.compile(r'href="([^"]*)" rel="next"')
RESULTS: Final = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request costs."""

    page: str
    path: str
    cpu_ms: float
    wall_ms: float
    queries: int
    kilobytes: float


def main() -> None:
    """Seed, ask, print."""
    options = _options()
    with scratch_world():
        # Models exist once Django is set up.
        from django.db import connection
        from django.test import Client

        from benchmarks.seed import make_installation

        made = make_installation(options.collectors)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        client = Client(SERVER_NAME="localhost")
        client.force_login(made.admin)
        pages = {
            name: path
            for name, path in addresses(client, made).items()
            if options.only in f"{name} {path}"
        }
        if options.profile:
            _profile(client, pages)
            return
        costs = [_cost(client, name, path, options.runs) for name, path in pages.items()]
        print("\n".join(_table(costs)))
        _keep(costs, options.collectors, connection.vendor)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collectors", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--only", default="", help="pages whose name or path holds this text")
    parser.add_argument("--profile", action="store_true", help="print where the time goes instead")
    return parser.parse_args()


def addresses(client: "Client", made: "Installation") -> Mapping[str, str]:
    """Every list, overview and detail by a name; deep pages are found by following the pager."""
    return {
        **_of_collectors(client, made),
        **_of_fleets(made),
        **_of_others(made),
        **_of_the_api(made),
    }


def _of_collectors(client: "Client", made: "Installation") -> Mapping[str, str]:
    uid, fleet = made.agent.pk, made.fleet.slug
    return {
        "overview": "/",
        "collectors": "/collectors/",
        "collectors, 5th page": _further(client, "/collectors/", 4),
        "collectors by name": "/collectors/?sort=name",
        "collectors by last seen": "/collectors/?sort=-seen",
        "collectors by health": "/collectors/?sort=health",
        "collectors by fleet": "/collectors/?sort=fleet",
        "collectors by build": "/collectors/?sort=build",
        "collectors of a fleet": f"/collectors/?fleet={fleet}",
        "collectors that failed": "/collectors/?status=failed",
        "collectors unhealthy": "/collectors/?health=unhealthy",
        "collectors of a build": "/collectors/?collector_version=0.158.0",
        "collectors of a version": f"/collectors/?version={made.version.pk}",
        "collectors, search": "/collectors/?q=node-ams",
        "collectors, search none": "/collectors/?q=nothing-of-it",
        "collectors by label": "/collectors/?label.site=ams",
        "collectors by attribute": "/collectors/?attr.os.type=linux",
        "collectors, all filters": f"/collectors/?fleet={fleet}&status=in_sync&os=linux&q=node",
        "collectors by settings": f"/collectors/?fleet={fleet}&settings=waiting",
        "collectors, csv": "/collectors/collectors.csv",
        "collector": f"/collectors/{uid}/",
        "collector, configuration": f"/collectors/{uid}/configuration/",
        "collector, timeline": f"/collectors/{uid}/timeline/",
        "collector, attempts": f"/collectors/{uid}/attempts/",
        "collector, components": f"/collectors/{uid}/components/",
    }


def _of_fleets(made: "Installation") -> Mapping[str, str]:
    fleet, rollout = made.fleet.slug, made.rollout
    return {
        "fleets": "/fleets/",
        "fleet": f"/fleets/{fleet}/",
        "fleet, rollouts": f"/fleets/{fleet}/rollouts/",
        "fleet, deployments": f"/fleets/{fleet}/deployments/",
        "fleet, tokens": f"/fleets/{fleet}/tokens/",
        "fleet, activity": f"/fleets/{fleet}/activity/",
        "fleet, settings": f"/fleets/{fleet}/settings/",
        "fleet, connection": f"/fleets/{fleet}/connection/",
        "fleet, assign": f"/fleets/{fleet}/assign/?version={made.version.pk}",
        "rollouts": "/rollouts/",
        "rollout": f"/rollouts/{rollout.number}/",
        "rollout, last page": f"/rollouts/{rollout.number}/?page=1000",
        "rollout, one state": f"/rollouts/{rollout.number}/?state=succeeded",
        "rollout, search": f"/rollouts/{rollout.number}/?q=node-ams",
    }


def _of_others(made: "Installation") -> Mapping[str, str]:
    configuration = made.version.configuration_id
    return {
        "configurations": "/configurations/",
        "configuration": f"/configurations/{configuration}/",
        "version": f"/configurations/{configuration}/versions/{made.version.number}/",
        "catalog": "/catalog/",
        "component": "/catalog/0.158.0/receivers/otlp/",
        "tokens": "/tokens/",
        "tokens of hosts": "/tokens/?kind=host",
        "refused": "/tokens/refused/",
        "refused, last page": "/tokens/refused/?page=1000",
        "activity": "/activity/",
        "activity, search": "/activity/?q=node-0001",
    }


def _of_the_api(made: "Installation") -> Mapping[str, str]:
    uid, fleet, rollout = made.agent.pk, made.fleet.slug, made.rollout
    api = "/api/v1"
    return {
        "api overview": f"{api}/overview/",
        "api agents": f"{api}/agents/",
        "api agents, 200": f"{api}/agents/?limit=200",
        "api agents of a fleet": f"{api}/agents/?fleet={fleet}",
        "api agents, search": f"{api}/agents/?q=node-ams",
        "api agent": f"{api}/agents/{uid}/",
        "api fleets": f"{api}/fleets/",
        "api fleet": f"{api}/fleets/{made.fleet.pk}/",
        "api rollouts": f"{api}/rollouts/",
        "api rollout": f"{api}/rollouts/{rollout.pk}/",
        "api targets": f"{api}/rollouts/{rollout.pk}/targets/?limit=200",
        "api events": f"{api}/events/",
        "api configurations": f"{api}/configurations/",
    }


def _further(client: "Client", path: str, pages: int) -> str:
    """The address some pages on, if there are so many."""
    query = ""
    for _ in range(pages):
        found = _NEXT.search(client.get(path + query).content.decode())
        query = unescape(found[1]) if found else query
    return path + query


def _cost(client: "Client", name: str, path: str, runs: int) -> Cost:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        size = _ask(client, path)
    queries = len(captured)
    times = [_timed(client, path) for _ in range(runs)]
    return Cost(
        name,
        path,
        cpu_ms=round(1000 * median(cpu for cpu, _ in times), 1),
        wall_ms=round(1000 * median(wall for _, wall in times), 1),
        queries=queries,
        kilobytes=round(size / 1024, 1),
    )


def _timed(client: "Client", path: str) -> tuple[float, float]:
    """CPU and elapsed seconds of one request, with a database connection of its own as under ASGI."""
    from django.db import connection

    connection.close()
    cpu, wall = time.process_time(), time.perf_counter()
    _ask(client, path)
    return time.process_time() - cpu, time.perf_counter() - wall


def _ask(client: "Client", path: str) -> int:
    """The bytes of the answer. Raises AssertionError unless it is a 200."""
    response = client.get(path)
    assert response.status_code == 200, f"{path}: {response.status_code}"
    if response.streaming:
        blocks: Iterable[bytes] = response.streaming_content  # type: ignore[attr-defined]  # streams have it
        return sum(map(len, blocks))
    return len(response.content)


def _table(costs: Sequence[Cost]) -> Iterator[str]:
    width = max(len(cost.page) for cost in costs)
    yield f"{'page':{width}}  CPU ms  elapsed  queries      kB"
    for cost in costs:
        mark = "  over budget" if cost.cpu_ms > BUDGET_MS else ""
        yield (
            f"{cost.page:{width}}  {cost.cpu_ms:6.1f}  {cost.wall_ms:7.1f}  {cost.queries:7}"
            f"  {cost.kilobytes:6.1f}{mark}"
        )


def _keep(costs: Sequence[Cost], collectors: int, vendor: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"pages-{vendor}.json"
    content = {"collectors": collectors, "database": vendor, "pages": [*map(asdict, costs)]}
    file.write_text(json.dumps(content, indent=1) + "\n")


def _profile(client: "Client", pages: Mapping[str, str]) -> None:
    for path in pages.values():
        _ask(client, path)
        with cProfile.Profile() as profile:
            for _ in range(5):
                _ask(client, path)
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)
        pstats.Stats(profile).sort_stats("cumulative").print_stats(50)


if __name__ == "__main__":
    main()
