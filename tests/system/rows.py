"""Rows of processes as they would have written them."""

from datetime import timedelta
from typing import Any

from telflo.base import clock
from telflo.base.measures import sample
from telflo.system.models import ServerProcess


def make_process(
    *,
    kind: str,
    pid: int = 1,
    silent_s: float = 0,
    clock_s: float = 0,
    version: str = "0.1.0",
    **levels: Any,
) -> ServerProcess:
    """A part that wrote silent_s ago; `levels` are samples without labels by the name of their metric."""
    seen_at = clock.now() - timedelta(seconds=silent_s)
    return ServerProcess.objects.create(
        kind=kind,
        host="box",
        pid=pid,
        version=version,
        started_at=seen_at - timedelta(hours=1),
        seen_at=seen_at,
        clock_at=seen_at + timedelta(seconds=clock_s),
        numbers={name: [sample(level)] for name, level in levels.items()},
    )
