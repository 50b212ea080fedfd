"""Runs many hostile inputs and tells what came of them: `python -m tests.fuzz --inputs 1000000 --seed 1`.

Ends with 1 when something came of an input that no rule names, when a message took longer than it may, or when memory
grew. A finding is printed with the number that makes it again: `--seed S --only N`.
"""

import argparse
import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()  # targets store what they read, so they know models

from agents.snapshot import Transport  # noqa: E402
from tests.fuzz import inputs, targets  # noqa: E402
from tests.fuzz.extremes import FLOODS, extremes  # noqa: E402
from tests.fuzz.measuring import peak_of, resident_bytes, size_of  # noqa: E402
from tests.protocol.world import LIMITS  # noqa: E402

MOST_S: Final = 0.050
"""CPU seconds that one message may take."""
MOST_PEAK: Final = 64 * 1024 * 1024
"""Bytes that one message may take while it is read: itself, twice while it is put together, and what is made of it."""
MOST_GROWTH: Final = 32 * 1024 * 1024
"""Bytes by which the process may be larger at the end than after the first tenth."""
WHOLE: Final = LIMITS.message_bytes // 2 - 64
PARTS: Final = LIMITS.parts - 10
_AGAIN: Final = 12
_SLOWEST: Final = 10
_DOORS: Final = ("WebSocket", "HTTP", "HTTP body", "framing", "AnyValue", "health tree")
_WEIGHTS: Final = (40, 15, 20, 5, 10, 10)

Do = Callable[[], str]
Sessions = Sequence[targets.LongSession]
"""One of each transport."""


@dataclass(slots=True)
class Tally:
    """What came of the inputs so far."""

    results: Counter[tuple[str, str]] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    findings: int = 0

    def note(self, door: str, kind: str, result: str, took_s: float) -> None:
        """Count one input."""
        self.results[door, result] += 1
        self.kinds[kind.partition(":")[0]] += 1
        if len(self.slowest) < _SLOWEST or took_s > self.slowest[-1][0]:
            self.slowest.append((took_s, f"{door}, {kind}"))
            self.slowest.sort(reverse=True)
            del self.slowest[_SLOWEST:]


class Fuzzer:
    """Inputs by number: each has a generator of its own, so that one alone can be made again."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.sessions = new_sessions()
        self.tally = Tally()

    def run(self, numbers: Iterator[int]) -> None:
        """Try these inputs."""
        for index in numbers:
            door, kind, size, do = self._prepare(index, self.sessions)
            try:
                result, took_s = timed(do, partial(self._fresh, index))
            except Exception:  # noqa: BLE001 - whatever it is, it is a finding
                self.tally.findings += 1
                where = f"--seed {self._seed} --only {index}"
                _say(f"\nFINDING ({door}, {kind}, {size} bytes): {where}\n{traceback.format_exc()}")
                continue
            self.tally.note(door, kind, result, took_s)

    def _fresh(self, index: int) -> Do:
        """The same input to who heard nothing before."""
        return self._prepare(index, new_sessions())[-1]

    def _prepare(self, index: int, sessions: Sessions) -> tuple[str, str, int, Do]:
        rng = random.Random(f"{self._seed} {index}")
        [door] = rng.choices(_DOORS, _WEIGHTS)
        made = self._input(door, rng)
        target = self._target(door, rng, sessions)
        return door, made.kind, len(made.body), lambda: target(made.body)

    @staticmethod
    def _input(door: str, rng: random.Random) -> inputs.Input:
        if door == "AnyValue":
            return inputs.Input("made value", inputs.value(rng))
        if door == "health tree":
            return inputs.Input("made health", inputs.health(rng))
        if door == "framing":
            return inputs.Input("odd header", inputs.frame(rng))
        return inputs.make(rng)

    @staticmethod
    def _target(door: str, rng: random.Random, sessions: Sessions) -> targets.Target:
        doors: dict[str, targets.Target] = {
            "WebSocket": sessions[0],
            "HTTP": sessions[1],
            "HTTP body": targets.PostBody(rng),
            "framing": targets.framing,
            "AnyValue": targets.attribute,
            "health tree": targets.health_tree,
        }
        return doors[door]


def main() -> int:
    """The command."""
    asked = _arguments()
    fuzzer = Fuzzer(asked.seed)
    if asked.only is not None:
        fuzzer.run(iter([asked.only]))
        _report(fuzzer, 0)
        return int(fuzzer.tally.findings > 0)
    extremes()
    started = time.monotonic()
    tenth = asked.inputs // 10
    fuzzer.run(iter(range(tenth)))
    before = resident_bytes()
    fuzzer.run(iter(range(tenth, asked.inputs)))
    growth = resident_bytes() - before
    _report(fuzzer, growth)
    too_heavy = _is_too_heavy(list(FLOODS)[: asked.floods])
    _say(f"{asked.inputs} inputs in {time.monotonic() - started:.0f} s, seed {asked.seed}")
    too_slow = bool(fuzzer.tally.slowest) and fuzzer.tally.slowest[0][0] > MOST_S
    return int(too_slow or too_heavy or growth > MOST_GROWTH or fuzzer.tally.findings > 0)


def new_sessions() -> Sessions:
    """Sessions that heard nothing yet."""
    return [targets.LongSession(transport) for transport in Transport]


def timed(do: Do, fresh: Callable[[], Do]) -> tuple[str, float]:
    """The result and its CPU seconds; a slow one is tried again, since the collector of garbage comes by at times.

    Each time it is made anew (`fresh`): a session may have little to do for what it heard before.
    """
    result, took_s = _clocked(do)
    for _ in range(_AGAIN if took_s > MOST_S else 0):
        took_s = min(took_s, _clocked(fresh())[1])
    return result, took_s


def _clocked(do: Do) -> tuple[str, float]:
    started = time.thread_time()
    result = do()
    return result, time.thread_time() - started


def _is_too_heavy(names: Sequence[str]) -> bool:
    """Whether one of nothing but the smallest parts costs too much: as large as may be, and of as many as may be."""
    worst_s, worst_peak = 0.0, 0
    for name in names:
        for size, parts in (("as large as may be", WHOLE), ("as many as may be", PARTS)):
            body = FLOODS[name](inputs.UID, parts)
            for door, way in _WAYS.items():
                fresh = partial(way, body)
                took_s, peak = timed(fresh(), fresh)[1], peak_of(fresh())
                worst_s, worst_peak = max(worst_s, took_s), max(worst_peak, peak)
                if took_s > MOST_S or peak > MOST_PEAK:
                    _say(f"TOO HEAVY ({door}, {name}, {size}): {_cost(took_s, peak)}")
    _say(f"the smallest parts, of {len(names)} fields: at most {_cost(worst_s, worst_peak)}")
    return worst_s > MOST_S or worst_peak > MOST_PEAK


def _reading(body: bytes) -> Do:
    return partial(new_sessions()[0], body)


def _inflating(body: bytes) -> Do:
    packed = targets.pack(body)
    return lambda: str(len(targets.inflating(packed)))


_WAYS: Final = {"read": _reading, "inflated": _inflating}
"""To be read, which is the same by every door, and before that to be inflated: each as if it came first."""


def _cost(took_s: float, peak: int) -> str:
    return f"{took_s * 1000:.0f} ms of CPU, {peak / 1_048_576:.0f} MiB"


def _report(fuzzer: Fuzzer, growth: int) -> None:
    tally = fuzzer.tally
    for (door, result), count in sorted(tally.results.items()):
        _say(f"  {door:<12} {result:<8} {count:>9}")
    _say("made by: " + ", ".join(f"{kind} {count}" for kind, count in tally.kinds.most_common()))
    _say("slowest (CPU):")
    for took_s, what in tally.slowest:
        _say(f"  {took_s * 1000:6.1f} ms  {what}")
    sizes = ", ".join(f"{size_of(one.session) / 1024:.1f} kB" for one in fuzzer.sessions)
    _say(f"sessions at the end: {sizes}; the process grew by {growth / 1_048_576:.1f} MiB")
    _say(f"findings: {tally.findings}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many (default: 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="makes the same inputs again")
    parser.add_argument("--floods", type=int, help="how many fields are flooded (default: all)")
    parser.add_argument("--only", type=int, help="the one input with this number")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
