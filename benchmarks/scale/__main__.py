"""`make bench`: ours and opamp-go's server in turn, under the same load; the table, JSON and docs/benchmarks.md.

Needs PostgreSQL and Redis (tests/with-services starts them), Go, and two cores.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.scale import machine
from benchmarks.scale.database import ROOT, Template, make_template
from benchmarks.scale.document import Result, document, result_lines
from benchmarks.scale.measuring import BEATS_PER_S, SCENARIOS, Measuring, Run
from benchmarks.scale.profiles import Profiles
from benchmarks.scale.servers import LOAD_CPU, Kind, running
from benchmarks.scale.takebacks import Takeback
from benchmarks.scale.taking_back import TakingBack
from benchmarks.scale.targets import FEW, REFERENCE, TARGETED, growth_of, medians, verdicts

DOCUMENT: Final = ROOT / "docs" / "benchmarks.md"
RESULTS: Final = ROOT / "benchmarks" / "results"
TAKEBACK: Final = "takeback"
_GROWING: Final = (Kind.REFERENCE, Kind.GATEWAY, Kind.SERVE)
PROFILED: Final = tuple(kind for kind in Kind if kind in TARGETED - {REFERENCE})
_TAKES_BACK: Final = Kind.SERVE


@dataclass(slots=True)
class Session:
    """All runs of one call. total: how many there will be."""

    templates: Mapping[bool, Template]
    seconds: float
    total: int
    loads: list[float] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def measure(
        self,
        kind: Kind,
        agents: int,
        scenarios: Iterable[str],
        *,
        profiled: bool = False,
        per_s: float = BEATS_PER_S,
    ) -> Run:
        """One fresh server, one load."""
        with running(kind, self.templates, profiled=profiled) as subject:
            measuring = Measuring(subject, agents, seconds=self.seconds, per_s=per_s)
            run = uvloop.run(measuring.measure(tuple(scenarios)))
        limits = [f"{kind}, {agents:,} agents, {name}: {why}" for name, why in run.limits.items()]
        self.limits += [line for line in limits if line not in self.limits]
        self._tell(f"{kind}, {agents:,} agents{', sampled' if profiled else ''}")
        for line in limits:
            print(f"  the simulator is the limit: {line}", flush=True)
        return run

    def take_back(self, kind: Kind, agents: int) -> Sequence[Takeback]:
        """Bad versions on a fresh server."""
        with running(kind, self.templates) as subject:
            assert subject.telflo is not None
            taking = TakingBack(subject.url, subject.token, subject.telflo, agents)
            found = uvloop.run(taking.measure())
        self._tell(f"{kind}, {agents:,} agents, bad versions taken back")
        return found

    def _tell(self, what: str) -> None:
        self.loads.append(machine.load_average())
        minutes = (time.monotonic() - self.begun) / 60
        progress = f"{len(self.loads)} of {self.total}, {minutes:.1f} min"
        print(f"{progress}: {what}; load average {self.loads[-1]:.1f}", flush=True)


def main() -> int:
    """Run, print, write."""
    options = _options()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory(prefix="telflo-bench-") as scratch:
        plan = list(_runs(options))
        is_whole = not options.scenario
        takes_back = is_whole or TAKEBACK in options.scenario
        few = options.repeats * len(_GROWING) if is_whole and options.agents > FEW else 0
        extra = len(PROFILED) if is_whole else 0
        total = len(plan) + few + extra + takes_back
        session = Session(_templates(Path(scratch)), options.seconds, total)
        # Those that are started say themselves where they run.
        os.sched_setaffinity(0, [LOAD_CPU])
        result = _compare(session, options, plan)
        if few:
            result = _grow(session, result)
        if is_whole:
            result = replace(result, profiles=_profile(session, options))
        if takes_back:
            agents = min(FEW, options.agents)
            result = replace(result, takebacks=session.take_back(_TAKES_BACK, agents))
        result = replace(result, loads=session.loads, limits=session.limits)
    print("\n".join(result_lines(result)))
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
    parser.add_argument("--seconds", type=float, default=20.0, help="of heartbeats for each number")
    parser.add_argument("--scenario", action="append", choices=["connect", *SCENARIOS, TAKEBACK])
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


def _runs(options: argparse.Namespace) -> Iterator[Kind]:
    """All servers in turn, so that each meets the same state of the machine; those without a target once."""
    if options.scenario == [TAKEBACK]:
        return
    kinds = [Kind(name) for name in options.server or list(Kind)]
    for number in range(options.repeats):
        yield from (kind for kind in kinds if number == 0 or kind in TARGETED)


def _compare(session: Session, options: argparse.Namespace, plan: Iterable[Kind]) -> Result:
    scenarios = [name for name in SCENARIOS if name in (options.scenario or SCENARIOS)]
    runs: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    for kind in plan:
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


def _grow(session: Session, result: Result) -> Result:
    """What one agent costs among few, beside what it costs among all; each sends a heartbeat as often as there."""
    pace = BEATS_PER_S * FEW / result.agents
    few: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    for _ in range(result.repeats):
        for kind in _GROWING:
            run = session.measure(kind, FEW, ["heartbeats"], per_s=pace)
            few[kind.value].append(run.values)
    found, numbers = medians(few), dict(result.numbers)
    for name, values in found.items():
        if name in numbers:
            numbers[name] = {**numbers[name], **growth_of(values, numbers[name])}
    growth = {name: {FEW: found[name], result.agents: numbers[name]} for name in found}
    return replace(result, numbers=numbers, verdicts=verdicts(numbers), growth=growth)


def _profile(session: Session, options: argparse.Namespace) -> Profiles:
    """Runs whose numbers are not used."""
    return {
        kind.value: session.measure(kind, options.agents, SCENARIOS, profiled=True).profiles
        for kind in PROFILED
    }


if __name__ == "__main__":
    sys.exit(main())
