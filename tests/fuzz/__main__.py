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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()  # targets store what they read, so they know models

from agents.snapshot import Transport  # noqa: E402
from opamp.proto.opamp_pb2 import AgentToServer  # noqa: E402
from tests.fuzz import inputs, targets  # noqa: E402
from tests.fuzz.extremes import extremes, heaviest  # noqa: E402
from tests.fuzz.measuring import resident_bytes, size_of  # noqa: E402

MOST_S: Final = 0.050
"""CPU seconds that one message may take."""
MOST_DECODING_S: Final = 1.5
"""CPU seconds for the protobuf library to decode the largest message in the smallest parts (0.4 to 0.6 were measured).
MOST_S cannot hold for it: how it decodes is not ours, and what came cannot be looked at before.
"""
MOST_GROWTH: Final = 32 * 1024 * 1024
"""Bytes by which the process may be larger at the end than after the first tenth."""
_AGAIN: Final = 5
_SLOWEST: Final = 10
_DOORS: Final = ("WebSocket", "HTTP", "HTTP body", "framing", "AnyValue", "health tree")
_WEIGHTS: Final = (40, 15, 20, 5, 10, 10)

Do = Callable[[], str]


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
        self.sessions = [targets.LongSession(transport) for transport in Transport]
        self.tally = Tally()

    def run(self, numbers: Iterator[int]) -> None:
        """Try these inputs."""
        for index in numbers:
            door, kind, size, do = self._prepare(index)
            try:
                result, took_s = _timed(do)
            except Exception:  # noqa: BLE001 - whatever it is, it is a finding
                self.tally.findings += 1
                where = f"--seed {self._seed} --only {index}"
                _say(f"\nFINDING ({door}, {kind}, {size} bytes): {where}\n{traceback.format_exc()}")
                continue
            self.tally.note(door, kind, result, took_s)

    def _prepare(self, index: int) -> tuple[str, str, int, Do]:
        rng = random.Random(f"{self._seed} {index}")
        [door] = rng.choices(_DOORS, _WEIGHTS)
        made = self._input(door, rng)
        target = self._target(door, rng)
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

    def _target(self, door: str, rng: random.Random) -> targets.Target:
        doors: dict[str, targets.Target] = {
            "WebSocket": self.sessions[0],
            "HTTP": self.sessions[1],
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
    too_heavy = _is_too_heavy(fuzzer)
    _say(f"{asked.inputs} inputs in {time.monotonic() - started:.0f} s, seed {asked.seed}")
    too_slow = bool(fuzzer.tally.slowest) and fuzzer.tally.slowest[0][0] > MOST_S
    return int(too_slow or too_heavy or growth > MOST_GROWTH or fuzzer.tally.findings > 0)


def _timed(do: Do) -> tuple[str, float]:
    """The result and its CPU seconds; a slow one is tried again, since the collector of garbage comes by at times."""
    started = time.thread_time()
    result = do()
    took_s = time.thread_time() - started
    for _ in range(_AGAIN if took_s > MOST_S else 0):
        started = time.thread_time()
        do()
        took_s = min(took_s, time.thread_time() - started)
    return result, took_s


def _is_too_heavy(fuzzer: Fuzzer) -> bool:
    """Whether the message that is hardest to decode costs more than MOST_S beside that, or that costs too much."""
    body = heaviest(inputs.UID)
    decoding_s = _timed(lambda: targets.decoding(body))[1]
    message = AgentToServer.FromString(body)
    beside_s = _timed(lambda: str(fuzzer.sessions[0].answer(message)))[1]
    _say(
        f"16 MiB of the smallest parts: {decoding_s * 1000:.0f} ms for the protobuf library to decode,"
    )
    _say(f"  {beside_s * 1000:.0f} ms for all else until they are refused")
    return beside_s > MOST_S or decoding_s > MOST_DECODING_S


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
    parser.add_argument("--only", type=int, help="the one input with this number")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
