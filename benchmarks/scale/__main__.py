"""`make bench`: ours and opamp-go's server in turn, under the same load; the table, JSON and docs/benchmarks.md.

Needs PostgreSQL and Redis (tests/with-services starts them), Go, and two cores.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.scale import machine
from benchmarks.scale.database import ROOT, Template, make_template
from benchmarks.scale.document import Result, document, number_lines, target_lines
from benchmarks.scale.measuring import SCENARIOS, Measuring, Run
from benchmarks.scale.servers import LOAD_CPU, Kind, running
from benchmarks.scale.targets import medians, verdicts

DOCUMENT: Final = ROOT / "docs" / "benchmarks.md"
RESULTS: Final = ROOT / "benchmarks" / "results"
GROWTH: Final = (1_000, 3_000)
_GROWING: Final = (Kind.REFERENCE, Kind.GATEWAY, Kind.SERVE)
_PROFILED: Final = Kind.GATEWAY


@dataclass(slots=True)
class Session:
    """All runs of one call."""

    templates: Mapping[bool, Template]
    seconds: float
    loads: list[float] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)

    def measure(
        self, kind: Kind, agents: int, scenarios: Iterable[str], *, profiled: bool = False
    ) -> Run:
        """One fresh server, one load."""
        with running(kind, self.templates, profiled=profiled) as subject:
            measuring = Measuring(subject, agents, seconds=self.seconds)
            run = uvloop.run(measuring.measure(tuple(scenarios)))
        self.loads.append(machine.load_average())
        limits = [f"{kind}, {agents:,} agents, {name}: {why}" for name, why in run.limits.items()]
        self.limits += [line for line in limits if line not in self.limits]
        print(f"{kind}, {agents:,} agents; load average {self.loads[-1]:.1f}", flush=True)
        for line in limits:
            print(f"  the simulator is the limit: {line}", flush=True)
        return run


def main() -> int:
    """Run, print, write."""
    options = _options()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory(prefix="telflo-bench-") as scratch:
        session = Session(_templates(Path(scratch)), options.seconds)
        # Those that are started say themselves where they run.
        os.sched_setaffinity(0, [LOAD_CPU])
        is_whole = not options.scenario
        result = _compare(session, options)
        if is_whole:
            result = replace(
                result, growth=_grow(session, result), profiles=_profile(session, options)
            )
        result = replace(result, loads=session.loads, limits=session.limits)
    print("\n".join([*number_lines(result.numbers), "", *target_lines(result)]))
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / ("scale.json" if is_whole else "scale-part.json")
    file.write_text(json.dumps(asdict(result), indent=1) + "\n")
    if is_whole:
        DOCUMENT.write_text(document(result))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="of heartbeats for each number")
    parser.add_argument("--scenario", action="append", choices=["connect", *SCENARIOS])
    parser.add_argument("--server", action="append", choices=list(Kind), help="instead of all")
    return parser.parse_args()


def _templates(scratch: Path) -> Mapping[bool, Template]:
    if "DATABASE_URL" not in os.environ or "REDIS_URL" not in os.environ:
        sys.exit("Run it by `make bench`: it needs a PostgreSQL and a Redis of its own.")
    url, redis = os.environ["DATABASE_URL"], os.environ["REDIS_URL"]
    return {
        False: make_template(scratch / "sqlite", url="", redis=""),
        True: make_template(scratch / "postgres", url=url, redis=redis),
    }


def _compare(session: Session, options: argparse.Namespace) -> Result:
    """All servers in turn, so that each meets the same state of the machine."""
    scenarios = [name for name in SCENARIOS if name in (options.scenario or SCENARIOS)]
    kinds = [Kind(name) for name in options.server or list(Kind)]
    runs: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    for _ in range(options.repeats):
        for kind in kinds:
            runs[kind.value].append(session.measure(kind, options.agents, scenarios).values)
    numbers = medians(runs)
    return Result(
        agents=options.agents,
        repeats=options.repeats,
        machine=machine.describe(),
        loads=session.loads,
        numbers=numbers,
        verdicts=verdicts(numbers),
    )


def _grow(session: Session, result: Result) -> dict[str, dict[int, Mapping[str, float]]]:
    """What one agent costs among fewer."""
    growth: dict[str, dict[int, Mapping[str, float]]] = {}
    for kind in _GROWING:
        sizes = growth[kind.value] = dict(_sizes(session, kind, result.agents))
        sizes[result.agents] = result.numbers[kind.value]
    return growth


def _sizes(session: Session, kind: Kind, below: int) -> Iterator[tuple[int, Mapping[str, float]]]:
    for agents in GROWTH:
        if agents < below:
            yield agents, session.measure(kind, agents, ["heartbeats"]).values


def _profile(session: Session, options: argparse.Namespace) -> dict[str, Mapping[str, float]]:
    """A run whose numbers are not used."""
    scenarios = ("heartbeats", "push", "rollout")
    return session.measure(_PROFILED, options.agents, scenarios, profiled=True).profiles


if __name__ == "__main__":
    sys.exit(main())
