"""What processes use, from /proc (Linux)."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM = 11, 12, 13, 14
"""Fields of /proc/<pid>/stat, counted behind the name."""


@dataclass(frozen=True, slots=True)
class Processes:
    """Some processes as one."""

    pids: tuple[int, ...]

    def cpu_s(self) -> float:
        """User and system time of all their threads, and of children that have ended."""
        return sum(_ticks(pid) for pid in self.pids) / _TICKS

    def resident_bytes(self) -> int:
        """Their memory."""
        return sum(int(_proc(pid, "statm").split()[1]) for pid in self.pids) * _PAGE


def with_children(pid: int) -> Processes:
    """A process and all below it."""
    return Processes((pid, *_below(pid)))


def children(pid: int) -> Processes:
    """Those that a process has started."""
    return Processes(tuple(_children(pid)))


def pinned(cpus: Iterable[int], *command: str) -> list[str]:
    """The command, kept on these CPUs."""
    return ["taskset", "--cpu-list", ",".join(map(str, cpus)), *command]


def _below(pid: int) -> Iterable[int]:
    for child in _children(pid):
        yield child
        yield from _below(child)


def _children(pid: int) -> list[int]:
    return [int(child) for child in _proc(pid, f"task/{pid}/children").split()]


def _ticks(pid: int) -> int:
    fields = _proc(pid, "stat").rpartition(")")[2].split()
    wanted = (_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM)
    return sum(int(fields[index]) for index in wanted)


def _proc(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:  # it has ended
        return ") " + "0 " * 50 if name == "stat" else "0 0" if name == "statm" else ""
