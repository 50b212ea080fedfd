"""Sample data for the kit page: nothing here is shown to anyone but developers."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from telflo.base import clock
from telflo.ui.bars import Segment, ledger_cells, segments_of
from telflo.ui.vocabulary import COLLECTOR, HEALTH, ROLLOUT, TARGET, TOKEN, VERSION

_COUNTS = {
    "in_sync": 1200,
    "pending": 17,
    "applying": 7,
    "failed": 5,
    "rolled_back": 3,
    "drifted": 9,
    "unmanaged": 12,
    "stale": 8,
    "disconnected": 23,
}
_YAML = """\
receivers:
  otlp:
    protocols: {grpc: {endpoint: "127.0.0.1:4317"}}
exporters:
  debug:  # replace with your backend"""


def kit_samples() -> dict[str, Any]:
    """Return the context of the kit page."""
    now = clock.now()
    return {
        "vocabularies": [
            ("Collector status", "status", COLLECTOR),
            ("Rollout", "rollout", ROLLOUT),
            ("Target", "target", TARGET),
            ("Health", "health", HEALTH),
            ("Token", "token", TOKEN),
            ("Version", "version", VERSION),
        ],
        "cells": ledger_cells(_COUNTS, url="/collectors/", details={"in_sync": "93.5 %"}),
        "segments": segments_of("status", _COUNTS),
        "ages": [Segment("v41", 24, "a1"), Segment("v40", 300, "a2"), Segment("v38", 2, "a4")],
        "uid": "019a4c1e-7d02-7b3f-9a5e-52c7a128815b",
        "moments": [now - timedelta(**age) for age in _AGES] + [now + timedelta(days=6, hours=1)],
        "stages": _stages(),
        "health": _health(),
        "diff": _diff(),
        "changes": [
            SimpleNamespace(path="service.telemetry.logs.level", was="info", now="debug"),
            SimpleNamespace(path="processors.batch", was=None, now="added"),
            SimpleNamespace(path="exporters.debug", was="removed", now=None),
        ],
        "rows": _rows(),
        "options": [_option("failed", 5), _option("drifted", 9), _option("in_sync", 1200)],
        "yaml": _YAML,
        "earlier": now - timedelta(minutes=21),
    }


_AGES: tuple[dict[str, int], ...] = ({"seconds": 8}, {"minutes": 5}, {"hours": 2}, {"days": 12})


def _option(state: str, count: int) -> SimpleNamespace:
    return SimpleNamespace(
        value=state, label=COLLECTOR[state].word, on=state == "failed", count=count
    )


def _stages() -> list[SimpleNamespace]:
    table = [
        ("Passed", "passed", "all succeeded", 100),
        ("Running", "running", "60 %", 60),
        ("Baking", "baking", "4 min left", 100),
        ("Paused", "paused", "by a person", 0),
        ("Superseded", "superseded", "60 %", 60),
        ("Failed", "failed", "5 of 5 spent", 100),
        ("Reverted", "reverted", "39 back", 0),
        ("Waiting", "waiting", "", 0),
    ]
    return [
        SimpleNamespace(number=n, name=name, state=state, line1=line, line2="", percent=percent)
        for n, (name, state, line, percent) in enumerate(table, start=1)
    ]


def _node(name: str, healthy: bool | None, text: str, **more: Any) -> SimpleNamespace:
    return SimpleNamespace(
        name=name,
        healthy=healthy,
        text=text,
        **{"children": [], "why": "", "folded": False, **more},
    )


def _health() -> SimpleNamespace:
    refused = 'rpc error: code = Unavailable desc = "dial tcp 192.0.2.41:4317: connection refused"'
    exporter = _node("exporter:otlp_grpc/tempo", False, "since 14:19, 21 min", why=refused)
    receiver = _node("receiver:otlp", True, "OK · 11 d")
    traces = _node(
        "pipeline:traces", False, "recoverable error, 21 min", children=[receiver, exporter]
    )
    metrics = _node("pipeline:metrics", True, "1 of 1 OK", children=[receiver], folded=True)
    return _node(
        "edge-fra-028", False, "recoverable error", kind="collector", children=[traces, metrics]
    )


def _diff() -> list[SimpleNamespace]:
    table = [
        ("hunk", 18, 18, "processors"),
        ("same", 20, 20, "check_interval: 1s"),
        ("del", 21, None, "limit_mib: 512"),
        ("add", None, 21, "limit_mib: 1024"),
        ("own", None, 82, "opamp:"),
    ]
    return [SimpleNamespace(kind=k, old=old, new=new, text=text) for k, old, new, text in table]


def _rows() -> list[SimpleNamespace]:
    table = [
        ("edge-ams-027", "failed", "healthy"),
        ("edge-fra-028", "drifted", "unhealthy"),
        ("edge-ams-008", "in_sync", "healthy"),
        ("edge-fra-038", "disconnected", "unknown"),
    ]
    return [
        SimpleNamespace(id=n, name=name, status=status, health=health)
        for n, (name, status, health) in enumerate(table)
    ]
