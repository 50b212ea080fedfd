"""Words of the seeded installation: configurations, their notes, errors as collectors write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from agents.snapshot import ComponentHealth
from opamp.protocol.health import write_tree

DRAFT: Final = "Trial: drop debug logs"

LINES: Final = (
    (
        "edge gateway",
        "OTLP in, batched out to the regional backend",
        ("First version", "Memory limiter", "Bigger batches", "Tail sampling", DRAFT),
    ),
    (
        "kubernetes node",
        "Logs and kubelet metrics of each node",
        ("First version", "Filter probes"),
    ),
    ("host metrics", "What the old hosts run", ("As found on dc1",)),
)

REFUSALS: Final = (
    (
        'cannot build pipelines: failed to create "tail_sampling" processor for data type "traces":'
        ' unknown type: "tail_sampling"'
    ),
    "listen tcp 0.0.0.0:4317: bind: address already in use",
)
EXPORT_ERROR: Final = (
    "rpc error: code = Unavailable desc = connection error: dial tcp 10.4.2.9:4317: connect:"
    " connection refused"
)

_BASE: Final = """\
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317
      http:
        endpoint: 0.0.0.0:4318
{receivers}processors:
{processors}  batch:
    send_batch_size: {batch}
exporters:
  otlp:
    endpoint: backend.example:4317
    headers:
      authorization: Bearer ${{env:BACKEND_TOKEN}}
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [{pipeline}]
      exporters: [otlp]
"""
_LIMITER: Final = "  memory_limiter:\n    check_interval: 1s\n    limit_mib: 512\n"
_SAMPLING: Final = "  tail_sampling:\n    decision_wait: 10s\n"
_KUBELET: Final = "  kubeletstats:\n    collection_interval: 30s\n"


def versions(name: str, notes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Text and note of each version of a configuration, each a little more than the one before."""
    for number, note in enumerate(notes, start=1):
        yield _text(name, number), note


def _text(name: str, number: int) -> str:
    parts = [_LIMITER, _SAMPLING]
    used = [number > 1, number > 3]
    names = [word for word, on in zip(("memory_limiter", "tail_sampling"), used, strict=True) if on]
    comment = f"# {name}\n" if number < 5 else f"# {name}, trial\n"
    return comment + _BASE.format(
        receivers=_KUBELET if name == "kubernetes node" else "",
        processors="".join(part for part, on in zip(parts, used, strict=True) if on),
        batch=1024 if number < 3 else 8192,
        pipeline=", ".join((*names, "batch")),
    )


def tree(now: datetime, error: str = "") -> ComponentHealth:
    """A health tree as a collector of 0.158 reports it; with `error`, its exporter fails."""
    exporter = _node(now, {}, error)
    traces = _node(
        now,
        {
            "receiver:otlp": _node(now),
            "processor:batch": _node(now),
            "exporter:otlp": exporter,
        },
        error,
    )
    parts = {"pipeline:traces": traces, "extensions": _node(now, {"extension:opamp": _node(now)})}
    root = _node(now, parts, error)
    root.report = write_tree(root)
    return root


def _node(
    now: datetime, parts: Mapping[str, ComponentHealth] | None = None, error: str = ""
) -> ComponentHealth:
    return ComponentHealth(
        healthy=not error,
        status="StatusRecoverableError" if error else "StatusOK",
        last_error=error,
        started_at=now - timedelta(hours=30),
        status_at=now,
        components=parts or {},
    )


MESSAGES: Final = (
    ("report", b'{"queue": {"size": 812, "capacity": 1000}, "dropped": 0}'),
    ("snapshot", bytes(range(0, 250, 7))),
)
"""Custom messages of an extension: type and data."""
