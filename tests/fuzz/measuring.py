"""How much a piece of work did, and how much stays afterwards: counted, not timed, so that a busy machine changes nothing."""

import ctypes
import gc
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any, Final

_SHARED: Final = (type, ModuleType, FunctionType)
_PAGE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Work:
    """Calls of Python and C functions, and the most memory (bytes) that was in use at once for it."""

    calls: int
    peak_bytes: int


def work_of(action: Callable[[], object]) -> Work:
    """Do it twice, once to count and once to weigh: counting would be weighed along."""
    calls = 0

    def count(_frame: FrameType, event: str, _detail: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(before)
    tracemalloc.start()
    try:
        action()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return Work(calls, peak)


def size_of(thing: object) -> int:
    """The bytes of an object and all that it holds, but for classes, functions and modules."""
    seen: set[int] = set()
    waiting, total = [thing], 0
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, _SHARED):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        waiting += gc.get_referents(one)
    return total


def peak_of(action: Callable[[], object]) -> int:
    """By how many bytes the process grew at most while it was done, whoever took them: the protobuf library's are not
    Python's.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free already would hide what is taken
    before = resident_bytes()
    Path("/proc/self/clear_refs").write_text("5")
    action()
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 - before


def resident_bytes() -> int:
    """The memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES
