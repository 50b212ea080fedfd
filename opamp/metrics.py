"""What a gateway counts. The event loop adds plain ints; reading them makes values for `/metrics` and the System page.

prometheus_client's own objects take a lock for each addition, so they only render (telflo/system/exposition.py).
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from threading import Lock
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from agents.snapshot import AgentPatch
from opamp.protocol.outcome import MessageKind, Outcome
from telflo.base import tracing
from telflo.base.measures import ROWS, SECONDS, Histogram, Numbers, by_label, families, sample

P = ParamSpec("P")
R = TypeVar("R")
Host = TypeVar("Host", bound="Counting")
Sink = Callable[[Sequence[AgentPatch]], None]


AWAY: Final = "away"
"""The database, or Redis, does not answer."""
STOPPING: Final = "stopping"
OVERTAKEN: Final = "overtaken"
"""A newer request of the agent was let in meanwhile (plain HTTP)."""


def _seconds() -> Histogram:
    return Histogram(SECONDS)


def _no_kinds() -> dict[MessageKind, int]:
    return dict.fromkeys(MessageKind, 0)


@dataclass(slots=True)
class Counters:
    """Totals since the process started; only the event loop changes them, but for what its methods say."""

    malformed_messages: int = 0
    refused_messages: int = 0
    offers_sent: int = 0
    offers_not_sent: int = 0
    unavailable_answers: int = 0
    lost_sends: int = 0
    cut_connections: int = 0
    slowed_messages: int = 0
    refused_sockets: int = 0
    slow_sockets: int = 0
    loop_failures: int = 0
    kinds: dict[MessageKind, int] = field(default_factory=_no_kinds)
    """Messages over WebSocket that a session took, by kind."""
    heartbeats: int = 0
    """Those of them that are counted here, since most are."""
    http_kinds: dict[MessageKind, int] = field(default_factory=_no_kinds)
    limits: Counter[str] = field(default_factory=Counter)
    """How often a limit was met, by its name (A5), and how often something else was in the way: AWAY, STOPPING,
    OVERTAKEN."""
    admissions: Histogram = field(default_factory=_seconds)
    pokes: Histogram = field(default_factory=_seconds)
    reconciles: Histogram = field(default_factory=_seconds)
    reconciled_s: float = 0.0
    """time.monotonic() at the end of the last reconcile; 0 before the first."""
    flushes: Histogram = field(default_factory=_seconds)
    flush_rows: Histogram = field(default_factory=lambda: Histogram(ROWS))
    _lock: Lock = field(default_factory=Lock)

    def ws_kinds(self) -> Mapping[MessageKind, int]:
        """Messages over WebSocket by kind."""
        beats = self.kinds[MessageKind.HEARTBEAT] + self.heartbeats
        return {**self.kinds, MessageKind.HEARTBEAT: beats}

    def take_http(self, outcome: Outcome) -> None:
        """Count a message over plain HTTP. Any thread."""
        with self._lock:
            self.http_kinds[outcome.kind] += 1
        self.refuse(outcome)

    def refuse(self, outcome: Outcome) -> None:
        """Count a message that was refused, if it was. Any thread."""
        if outcome.kind is MessageKind.REFUSED:
            with self._lock:
                self.refused_messages += 1
            self.hit(outcome.limit)

    def hit(self, limit: str) -> None:
        """Count that a limit was met; "" is none. Any thread."""
        if limit:
            with self._lock:
                self.limits[limit] += 1

    def malformed(self, limit: str = "") -> None:
        """Count a message that could not be read, and the limit that it is over."""
        self.malformed_messages += 1
        self.hit(limit)

    def put_off(self, cause: str) -> None:
        """Count an answer that asks to come back later."""
        self.unavailable_answers += 1
        self.hit(cause)

    def slow(self) -> None:
        """Count a message after which its sender is read later, or one that came too fast over plain HTTP."""
        self.slowed_messages += 1
        self.hit("messages_per_s")

    def poked(self, message: Mapping[str, Any]) -> None:
        """Count a hint that arrived, by the time since agents.notify sent it (clocks of two machines may differ)."""
        sent_at = message.get("sent_at")
        if isinstance(sent_at, float):
            self.pokes.observe(max(0.0, time.time() - sent_at))

    @contextmanager
    def admitting(self) -> Iterator[None]:
        """Time and trace how long a caller waits to be let in."""
        began_s = time.perf_counter()
        try:
            with tracing.span("opamp.admit"):
                yield
        finally:
            self.admissions.observe(time.perf_counter() - began_s)

    @contextmanager
    def reconciling(self) -> Iterator[None]:
        """Time one reconcile; one that fails is not counted, and its lag grows."""
        began_s = time.monotonic()
        yield
        self.reconciled_s = time.monotonic()
        self.reconciles.observe(self.reconciled_s - began_s)

    def flushing(self, sink: Sink) -> Sink:
        """The buffer's sink, timed and traced. On the writer's thread alone."""

        def flush(patches: Sequence[AgentPatch]) -> None:
            began_s = time.perf_counter()
            with tracing.span("opamp.flush", rows=len(patches)):
                sink(patches)
            self.flushes.observe(time.perf_counter() - began_s)
            self.flush_rows.observe(len(patches))

        return flush


class Counting(Protocol):
    """Whoever has counters."""

    counters: Counters


def admission(
    work: Callable[Concatenate[Host, P], Awaitable[R]],
) -> Callable[Concatenate[Host, P], Awaitable[R]]:
    """A coroutine method that lets an agent in: see Counters.admitting."""

    @wraps(work)
    async def timed(self: Host, /, *args: P.args, **named: P.kwargs) -> R:
        with self.counters.admitting():
            return await work(self, *args, **named)

    return timed


_OPAMP: Final = "telflo_opamp_"
_TOTALS: Final = (
    "malformed_messages",
    "refused_messages",
    "unavailable_answers",
    "lost_sends",
    "cut_connections",
    "slowed_messages",
    "refused_sockets",
    "slow_sockets",
    "loop_failures",
)
FAMILIES: Final = families(
    _OPAMP,
    gauges={
        "connections": "Open WebSocket connections of collectors.",
        "agents": "Collectors that are connected to the process.",
        "waiting": "Handshakes and new collectors that wait for the database.",
        "waiting_bytes": "Messages of those that wait for the database, in bytes.",
        "unfinished_bytes": "Messages that have begun to come and are not complete, in bytes.",
        "reconcile_lag_seconds": "Time since the last comparison ended; it runs every 5 s.",
        "buffer_rows": "Sessions whose reports wait to be written.",
        "buffer_bytes": "Memory that waiting reports take, estimated.",
        "buffer_full_ratio": "How full the buffer is; at 1 collectors are told to come back.",
        "buffer_lag_seconds": "For how long reports have been due and not written.",
        "write_failures": "Failed writes of reports in a row; 0 while all is well.",
    },
    counters={
        "messages": "Messages of collectors, by transport and type; those of type refused were over a limit.",
        "malformed_messages": "Messages that could not be read.",
        "refused_messages": "Messages that were over a limit.",
        "refused": "Connections and collectors that were refused, by reason.",
        "unavailable_answers": "Answers that asked to come back later: 503 or UNAVAILABLE.",
        "limits_hit": "How often a limit was met, by its name; away: the database or Redis; stopping: the process.",
        "lost_sends": "Messages that a collector did not take.",
        "cut_connections": "Connections that were ended for not speaking, not reading or not answering.",
        "slowed_messages": "Messages of a collector that sends too fast: it is read later, or refused over plain HTTP.",
        "refused_sockets": "Sockets that were closed at once because there were too many.",
        "slow_sockets": "Sockets that were closed because a request or a message took too long to arrive.",
        "loop_failures": "How often something that runs all the time failed by a fault of ours and went on.",
        "offers": "Configurations claimed for a collector, by what became of them.",
    },
    histograms={
        "admission_seconds": "Time until a collector is let in.",
        "poke_seconds": "Time from a change until the process heard of it.",
        "reconcile_seconds": "Time to compare all collectors with what they should have.",
        "flush_seconds": "Time that one write of reports takes.",
        "flush_rows": "Sessions in one write of reports.",
    },
)


def numbers_of(
    counters: Counters, levels: Mapping[str, float], refused: Mapping[str, int]
) -> Numbers:
    """Everything that a gateway counts, with what it holds now (`levels`: gauges by short name)."""
    numbers = {f"{_OPAMP}{name}": [sample(level)] for name, level in levels.items()}
    for name in _TOTALS:
        numbers[f"{_OPAMP}{name}"] = [sample(getattr(counters, name))]
    for name, histogram in _histograms(counters).items():
        numbers[f"{_OPAMP}{name}"] = [sample(histogram.value())]
    numbers[f"{_OPAMP}messages"] = [
        sample(count, transport=transport, type=kind.value)
        for transport, kinds in (("ws", counters.ws_kinds()), ("http", counters.http_kinds))
        for kind, count in kinds.items()
    ]
    numbers[f"{_OPAMP}offers"] = [
        sample(counters.offers_sent, result="sent"),
        sample(counters.offers_not_sent, result="not_sent"),
    ]
    numbers[f"{_OPAMP}refused"] = by_label("reason", refused)
    numbers[f"{_OPAMP}limits_hit"] = by_label("limit", counters.limits)
    if counters.reconciled_s:
        lag_s = time.monotonic() - counters.reconciled_s
        numbers[f"{_OPAMP}reconcile_lag_seconds"] = [sample(lag_s)]
    return numbers


def _histograms(counters: Counters) -> Mapping[str, Histogram]:
    return {
        "admission_seconds": counters.admissions,
        "poke_seconds": counters.pokes,
        "reconcile_seconds": counters.reconciles,
        "flush_seconds": counters.flushes,
        "flush_rows": counters.flush_rows,
    }
