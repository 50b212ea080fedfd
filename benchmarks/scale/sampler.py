"""Where a process spends its CPU: a thread that looks at all others and charges each what it used since the last look.

Costs a few per cent, so the numbers of a profiled run are not those that are reported.
"""

import json
import os
import sys
import sysconfig
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Final

_EVERY_S: Final = 0.004
_WRITE_S: Final = 0.5
_OURS: Final = ("agents/", "configs/", "fleets/", "opamp/", "telflo/")
_ROOTS: Final = (str(Path(__file__).resolve().parents[2]) + "/", sysconfig.get_path("stdlib") + "/")


def start(file: str) -> None:
    """Sample from now on; what was counted so far is in files beside `file` (read_counts).

    A thread stays behind in the parent, so each forked process begins one of its own.
    """
    os.register_at_fork(after_in_child=lambda: _begin(file))
    _begin(file)


def read_counts(file: Path) -> Mapping[str, float]:
    """What was counted in all processes together: seconds, by what they were charged to."""
    total: Counter[str] = Counter()
    for each in file.parent.glob(f"{file.name}.*.json"):
        total.update(json.loads(each.read_text()))
    return total


def _begin(file: str) -> None:
    own = Path(f"{file}.{os.getpid()}.json")
    threading.Thread(target=_run, args=(own,), name="sampler", daemon=True).start()


def _run(file: Path) -> None:
    counts: Counter[str] = Counter()
    used: dict[int, float] = {}
    written_s = 0.0
    while True:
        time.sleep(_EVERY_S)
        _look(counts, used)
        if time.monotonic() - written_s > _WRITE_S:
            written_s = time.monotonic()
            fresh = file.with_suffix(".new")
            fresh.write_text(json.dumps(counts))
            fresh.replace(file)


def _look(counts: Counter[str], used: dict[int, float]) -> None:
    frames = sys._current_frames()  # noqa: SLF001 - documented, for this use
    for thread in threading.enumerate():
        ident = thread.ident
        if ident is None or ident not in frames or thread is threading.current_thread():
            continue
        try:
            now = time.clock_gettime(time.pthread_getcpuclockid(ident))
        except OSError:  # it ended meanwhile
            continue
        spent = now - used.get(ident, now)
        used[ident] = now
        if spent > 0:
            _charge(counts, thread.name.rstrip("0123456789_-"), frames[ident], spent)


def _charge(counts: Counter[str], thread: str, frame: FrameType, spent: float) -> None:
    """The innermost function of ours, what is innermost at all, and the thread as a whole."""
    names = list(_names(frame))
    own = next((name for name in names if name.startswith(_OURS)), names[0])
    counts[f"{thread}|all|"] += spent  # type: ignore[assignment]  # seconds, not numbers
    counts[f"{thread}|self|{names[0]}"] += spent  # type: ignore[assignment]
    counts[f"{thread}|own|{own}"] += spent  # type: ignore[assignment]


def _names(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        code = frame.f_code
        place = code.co_filename.rpartition("site-packages/")[2]
        for root in _ROOTS:
            place = place.removeprefix(root)
        yield f"{place}:{code.co_qualname}"
        frame = frame.f_back
