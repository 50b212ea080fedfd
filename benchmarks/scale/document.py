"""PURE. The result of a run as lines for the terminal and as docs/benchmarks.md."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.scale.profiles import Profiles, held_by, profile_lines
from benchmarks.scale.takebacks import Takeback, takeback_lines
from benchmarks.scale.targets import FEW, FLAT, OURS, REFERENCE, TARGETED, Numbers, Verdict

_ROWS: Final = (
    ("connect_us", "CPU to connect and report 8 kB, µs an agent"),
    ("connect_database_us", "… of PostgreSQL beside it"),
    ("stored_s", "all connected and stored, s"),
    ("memory_kb", "memory, kB an agent"),
    ("beat_us", "CPU of a heartbeat at 1,000/s, µs"),
    ("beat_database_us", "… of PostgreSQL beside it"),
    ("beat_p99_ms", "p99 of its answer, ms"),
    ("saturated_us", "CPU of a heartbeat, saturated, µs"),
    ("saturated_per_s", "… so many a second"),
    ("page_p99_ms", "p99 beside a page with a 2 s query, ms"),
    ("push_s", "10 kB to all, s from the commit"),
    ("push_us", "… CPU, µs an agent"),
    ("applied_s", "rollout: Start to the last APPLIED, s"),
    ("succeeded_s", "… to the rollout's success, s"),
    ("rollout_us", "… CPU, µs an agent"),
    ("rollout_database_us", "… of PostgreSQL beside it"),
)
_MEANT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Result:
    """All of one `make bench`. growth: by server and number of agents. limits: where the simulator was the limit."""

    agents: int
    repeats: int
    machine: Mapping[str, str]
    loads: Sequence[float]
    numbers: Numbers
    verdicts: Sequence[Verdict]
    growth: Mapping[str, Mapping[int, Mapping[str, float]]] = field(default_factory=dict)
    limits: Sequence[str] = ()
    profiles: Profiles = field(default_factory=dict)
    takebacks: Sequence[Takeback] = ()


def document(result: Result) -> str:
    """docs/benchmarks.md."""
    return "\n".join(_lines(result)) + "\n"


def result_lines(result: Result) -> list[str]:
    """For the terminal: the numbers, the targets, and what came of bad versions."""
    parts = []
    if result.numbers:
        parts += [number_lines(result.numbers), target_lines(result)]
    if result.takebacks:
        parts.append(takeback_lines(result.takebacks))
    return [line for part in parts for line in ["", *part]]


def _lines(result: Result) -> Iterator[str]:
    yield "# Benchmarks"
    yield ""
    yield "Written by `make bench`; what is measured and how is in [operations.md](operations.md#measuring)."
    yield from _about(result)
    targets = target_lines(result)
    if result.agents < _MEANT:
        targets = [
            f"The targets are meant for {_MEANT:,} agents; this run had fewer.",
            "",
            *targets,
        ]
    yield from _section("Targets", targets)
    missed = [verdict for verdict in result.verdicts if not verdict.is_met]
    if missed and result.profiles:
        yield from _section(
            "What holds those that are missed", _held_lines(missed, result.profiles)
        )
    if result.takebacks:
        yield from _section("Taking a bad version back", takeback_lines(result.takebacks))
    yield from _section("All numbers", number_lines(result.numbers))
    if result.growth:
        yield from _section("From few agents to many", growth_lines(result.growth))
    if result.profiles:
        yield from _section("Where the CPU goes", profile_lines(result.profiles))
    if result.limits:
        yield from _section(
            "Where the load had no reserve", [f"- {line}" for line in result.limits]
        )


def _about(result: Result) -> Iterator[str]:
    yield ""
    yield f"{result.agents:,} simulated agents, medians of {result.repeats} ({_once()}: one run)."
    yield "Ours stores everything in SQLite or PostgreSQL (fsync on); the reference accepts everybody and stores"
    yield "nothing. A server of one process has a core to itself, the load the other; PostgreSQL, Redis and workers run"
    yield "where there is room."
    yield ""
    yield "| | |"
    yield "|---|---|"
    for name, value in result.machine.items():
        yield f"| {name} | {value} |"
    low, high = min(result.loads), max(result.loads)
    yield f"| load average | {low:.1f} to {high:.1f} |"
    if high > 2 * int(result.machine["cores"]):
        yield ""
        yield "**The machine was busy with other work**: trust CPU and ratios; times on the clock are upper bounds."


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield from lines


def _once() -> str:
    return " and ".join(name for name in OURS if name not in TARGETED)


def _held_lines(missed: Iterable[Verdict], profiles: Profiles) -> Iterator[str]:
    """For each missed target what its server did in the phase that is measured."""
    yield "From a run of each server that was sampled; all of it is below."
    yield ""
    for verdict in missed:
        target = verdict.target
        profile = profiles.get(target.server, {}).get(target.phase)
        held = held_by(profile) if profile else "not profiled"
        yield f"- {target.server}, {target.title} ({verdict.missed_by}): {held}"


def target_lines(result: Result) -> list[str]:
    """A table of what should be and what is. Times of a whole fleet prove nothing about a larger one."""
    lines = ["| what | server | target | measured | |", "|---|---|---|---|---|"]
    for verdict in result.verdicts:
        target = verdict.target
        if target.is_ratio:
            wanted = f"≤ {target.most:g} x opamp-go"
            shown = f"{verdict.value:.2f} x ({verdict.measured:.0f} to {verdict.reference:.0f} {target.unit})"
        else:
            wanted, shown = f"≤ {target.most:g} {target.unit}", f"{verdict.value:.3g} {target.unit}"
        outcome = "met" if verdict.is_met else f"**missed: {verdict.missed_by}**"
        if verdict.is_met and target.unit == "s" and result.agents < _MEANT:
            outcome = f"not proven: {result.agents:,} agents"
        if _had_no_reserve(result, verdict):
            outcome += "; the load was at its limit"
        lines.append(f"| {target.title} | {target.server} | {wanted} | {shown} | {outcome} |")
    if any(verdict.target.unit == "x" for verdict in result.verdicts):
        flat = f"Flat is: at most {FLAT:g} times the CPU of the server that one agent takes among {FEW:,}."
        lines += ["", flat]
    return lines


def _had_no_reserve(result: Result, verdict: Verdict) -> bool:
    """Whether the simulator, or the machine below it, held the server or its reference back in that phase."""
    target = verdict.target
    servers = (target.server, REFERENCE) if target.is_ratio else (target.server,)
    told = tuple(f"{server}, {result.agents:,} agents, {target.phase}: " for server in servers)
    return any(line.startswith(told) for line in result.limits)


def number_lines(numbers: Numbers) -> list[str]:
    """A table of everything, a column a server."""
    servers = [name for name in (REFERENCE, *OURS) if name in numbers]
    lines = [f"| | {' | '.join(servers)} |", "|---" * (len(servers) + 1) + "|"]
    for name, title in _ROWS:
        values = [numbers[server].get(name) for server in servers]
        if any(value is not None for value in values):
            lines.append(f"| {title} | {' | '.join(map(_shown, values))} |")
    return lines


def growth_lines(growth: Mapping[str, Mapping[int, Mapping[str, float]]]) -> list[str]:
    """A table of the cost of one agent, a row for each number of agents."""
    lines = [
        "| server | agents | connect, µs | heartbeat, each agent as often, µs |",
        "|---" * 4 + "|",
    ]
    for server, sizes in growth.items():
        for agents, values in sorted(sizes.items()):
            connect, beat = _shown(values.get("connect_us")), _shown(values.get("beat_us"))
            lines.append(f"| {server} | {agents:,} | {connect} | {beat} |")
    return lines


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
