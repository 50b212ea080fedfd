"""PURE. What samplers counted, as lines: where the CPU of a server goes in each phase."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_SHOWN: Final = 10
_SHOWN_ITSELF: Final = 4
_LEAST_SHARE: Final = 0.005
_LOOP: Final = "asyncio/runners.py:Runner.run"
"""Below it there is no Python: uvloop, picows and protobuf are compiled."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One phase of one server. counts: seconds by "thread|all, own or self|function", as sampler.py writes them.

    wall_s, cpu_s, database_s: how long it took, and what the server and PostgreSQL used · busiest: the greatest share
    of a core that the simulator used in a second.
    """

    counts: Mapping[str, float]
    wall_s: float
    cpu_s: float
    database_s: float
    busiest: float

    def ranked(self, kind: str) -> list[tuple[str, str, float]]:
        """Thread, function, share of all; the largest first."""
        whole = sum(seconds for key, seconds in self.counts.items() if key.endswith("|all|"))
        found = []
        for key, seconds in self.counts.items():
            thread, what, name = key.split("|", 2)
            if what == kind and whole > 0 and seconds / whole > _LEAST_SHARE:
                found.append((thread, name, seconds / whole))
        return sorted(found, key=lambda row: -row[2])

    @property
    def busy(self) -> str:
        """Who was busy for how much of the time."""
        parts = (
            ("the server", self.cpu_s / self.wall_s),
            ("PostgreSQL", self.database_s / self.wall_s),
        )
        words = [f"{name} {share:.0%}" for name, share in parts if share >= _LEAST_SHARE]
        words.append(f"the simulator up to {self.busiest:.0%}")
        return f"{self.wall_s:.1f} s; of a core {', '.join(words)}"


Profiles = Mapping[str, Mapping[str, Profile]]
"""By server and phase."""


def held_by(profile: Profile) -> str:
    """The reason in one line: who was busy, which threads, and what they did most."""
    threads = ", ".join(_thread(row) for row in profile.ranked("all")[:2])
    done = ", ".join(_function(row) for row in profile.ranked("own")[:3])
    return f"{profile.busy}; {threads}; by themselves and in libraries {done}"


def profile_lines(profiles: Profiles) -> list[str]:
    """For each server and phase: threads, our functions with the libraries that they call, and what is innermost."""
    lines = ["Sampled in runs of their own, which are not in the numbers above."]
    for server, phases in profiles.items():
        lines += ["", f"### {server}", ""]
        for phase, profile in phases.items():
            threads = ", ".join(_thread(row) for row in profile.ranked("all")[:4])
            lines.append(f"- **{phase}**: {profile.busy}. {threads}")
            lines += [f"  - {_function(row)} ({row[0]})" for row in profile.ranked("own")[:_SHOWN]]
            itself = ", ".join(_function(row) for row in profile.ranked("self")[:_SHOWN_ITSELF])
            lines.append(f"  - in whichever code: {itself}")
    return lines


def _thread(row: tuple[str, str, float]) -> str:
    return f"{row[0]} {row[2]:.0%}"


def _function(row: tuple[str, str, float]) -> str:
    name = "sockets, frames and TLS" if row[1].endswith(_LOOP) else f"`{row[1]}`"
    return f"{row[2]:.0%} {name}"
