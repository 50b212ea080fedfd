"""PURE. What is wrong with the installation, in words, and what to do about it: the most urgent first."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from telflo.system.values import Broker, Database, Disk, Notices, Process, State

SILENT_S: Final = 15.0
"""Three reports missed."""
FORGOTTEN_S: Final = 600.0
"""So long a part that was killed is spoken of: by then another took its place, or somebody knows."""
LAG_S: Final = 10.0
RECONCILE_S: Final = 20.0
BUSY_S: Final = 0.5
CLOCK_S: Final = 2.0
TASKS_S: Final = 60.0
WAITING: Final = 200
SLOW_DATABASE_S: Final = 0.2
FULL: Final = 0.8
DISK_SHARE: Final = 0.1
DISK_BYTES: Final = 5 * 1024**3

FAIL, WARN = "fail", "warn"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `code` is for programs and stays the same."""

    code: str
    tone: str
    title: str
    todo: str


def findings_of(state: State) -> list[Finding]:
    """Everything, failures before warnings."""
    found = chain(
        _of_database(state.database),
        _of_broker(state.broker),
        _of_processes(state.processes),
        _of_disk(state.disk),
        _of_notices(state.notices),
        _of_address(state),
    )
    return by_urgency(found)


def process_findings(processes: Sequence[Process]) -> list[Finding]:
    """What the rows of the processes alone tell; nothing where no process writes any."""
    return by_urgency(_of_processes(processes))


def by_urgency(found: Iterator[Finding]) -> list[Finding]:
    """Failures first, else as they come."""
    return sorted(found, key=lambda finding: finding.tone != FAIL)


def is_live(process: Process) -> bool:
    """Whether it wrote lately."""
    return process.silent_s <= SILENT_S


def lacks(kind: str, processes: Sequence[Process]) -> bool:
    """Whether others run and none of this kind does."""
    live = [process for process in processes if is_live(process)]
    return bool(live) and kind not in {process.kind for process in live}


def _of_database(database: Database) -> Iterator[Finding]:
    if database.answer_s is None:
        yield Finding(
            "database_away",
            FAIL,
            "The database does not answer",
            "Collectors stay connected and their reports wait in memory. Bring it back; its cause is in the log.",
        )
    elif database.answer_s > SLOW_DATABASE_S:
        yield Finding(
            "database_slow",
            WARN,
            f"The database took {_seconds(database.answer_s)} for nothing",
            "Look at its load, its disk, and the network between.",
        )


def _of_broker(broker: Broker) -> Iterator[Finding]:
    if broker.answer_s is None:
        yield Finding(
            "redis_away",
            FAIL,
            "Redis does not answer",
            "Pages are not live, new collectors are told to come back, rollouts do not go on. Bring it back.",
        )
    elif broker.waiting > WAITING:
        yield Finding(
            "queue_long",
            WARN,
            f"{broker.waiting:,} tasks wait",
            "Workers are too few or stuck: look at their logs, or start another `telflo worker`.",
        )


def _of_processes(processes: Sequence[Process]) -> Iterator[Finding]:
    live = [process for process in processes if is_live(process)]
    if lacks("worker", processes):
        yield Finding(
            "no_worker",
            FAIL,
            "No worker runs",
            "Rollouts do not go on and nothing is swept. Start `telflo worker`.",
        )
    if lacks("beat", processes):
        yield Finding(
            "no_beat",
            FAIL,
            "Beat does not run",
            "Silent collectors stay connected and deadlines are not judged. Start `telflo beat`, once.",
        )
    beats = [process.name for process in live if process.kind == "beat"]
    if len(beats) > 1:
        yield Finding(
            "several_beats",
            WARN,
            f"Beat runs {len(beats)} times: {', '.join(beats)}",
            "Everything periodic is done several times. Stop all but one.",
        )
    for process in processes:
        yield from _of_one(process)
    yield from _of_versions(live)


def _of_one(process: Process) -> Iterator[Finding]:
    who = f"{process.kind.capitalize()} {process.name}"
    if not is_live(process):
        if process.silent_s < FORGOTTEN_S:
            yield Finding(
                "silent",
                WARN,
                f"{who} is silent for {process.silent_s:.0f} s",
                "It was killed, hangs, or cannot reach the database. Its log has the cause.",
            )
        return
    yield from _of_gateway(process, who)
    if process.level("process_loop_lag_seconds") > BUSY_S:
        yield Finding(
            "busy",
            WARN,
            f"{who} answers {_seconds(process.level('process_loop_lag_seconds'))} late",
            "It has more to do than one core gives. Run more processes, or find what holds it.",
        )
    if abs(process.clock_s) > CLOCK_S:
        side = "ahead of" if process.clock_s > 0 else "behind"
        yield Finding(
            "clock",
            WARN,
            f"The clock of {process.host} is {_seconds(abs(process.clock_s))} {side} the database's",
            "Deadlines and silence are judged by clocks. Let the machines synchronise them.",
        )
    for name, code, what in _STUCK:
        if process.level(name) > TASKS_S:
            yield Finding(
                code,
                WARN,
                f"{who} {what} for {process.level(name):.0f} s",
                "A task should run every 5 s. Look at Redis and at its log.",
            )


_STUCK: Final = (
    ("task_lag_seconds", "worker_idle", "ended no task"),
    ("beat_lag_seconds", "beat_idle", "sent no task"),
)


def _of_gateway(process: Process, who: str) -> Iterator[Finding]:
    lag_s = process.level("opamp_buffer_lag_seconds")
    if process.level("opamp_buffer_full_ratio") >= FULL:
        share = process.level("opamp_buffer_full_ratio")
        yield Finding(
            "buffer_full",
            FAIL,
            f"{who}: {share:.0%} of the room for waiting reports is taken",
            "At 100 % collectors are told to come back later. The database is away or too slow.",
        )
    elif lag_s > LAG_S:
        yield Finding(
            "buffer_lag",
            FAIL,
            f"{who}: reports have waited {lag_s:.0f} s to be written",
            "Nothing is lost yet. The database is away or too slow; its errors are in the log.",
        )
    if process.level("opamp_reconcile_lag_seconds") > RECONCILE_S:
        yield Finding(
            "reconcile_lag",
            WARN,
            f"{who} compared nothing for {process.level('opamp_reconcile_lag_seconds'):.0f} s",
            "New versions that no hint told of are late. The database is slow or away.",
        )


def _of_versions(live: Sequence[Process]) -> Iterator[Finding]:
    versions = Counter(process.version for process in live)
    if len(versions) > 1:
        told = ", ".join(f"{version} ({count})" for version, count in sorted(versions.items()))
        yield Finding(
            "versions",
            WARN,
            f"Processes of {len(versions)} versions run: {told}",
            "During an upgrade that is right. Else restart the older ones.",
        )


def _of_disk(disk: Disk) -> Iterator[Finding]:
    if disk.free_bytes < min(DISK_BYTES, disk.total_bytes * DISK_SHARE):
        yield Finding(
            "disk",
            WARN,
            f"{disk.free_bytes / 1024**3:.1f} GiB are left on the disk of the data folder",
            "With SQLite a full disk stops everything. Make room.",
        )


def _of_notices(notices: Notices) -> Iterator[Finding]:
    if notices.failing:
        yield Finding(
            "notices_failing",
            WARN,
            f"Notifications do not arrive: {', '.join(notices.failing)}",
            "They are tried again. Settings, Notifications shows what their receivers answer.",
        )
    if notices.paused:
        yield Finding(
            "notices_paused",
            WARN,
            f"Notifications paused themselves: {', '.join(notices.paused)}",
            "Nobody is told by them any more. Mend the receiver, send a test, and resume them.",
        )


def _of_address(state: State) -> Iterator[Finding]:
    has_gateway = any(one.kind == "gateway" and is_live(one) for one in state.processes)
    if has_gateway and not state.offers_gateway:
        yield Finding(
            "gateway_not_offered",
            WARN,
            "Collectors are told the web server's address, and a gateway runs",
            "Quick deploy and credentials of their own lead them past the gateway."
            " Set TELFLO_OPAMP_URL to the address at which collectors reach it.",
        )


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
