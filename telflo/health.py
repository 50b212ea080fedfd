"""Health of this process for load balancers: /healthz (it answers) and /readyz (it can serve)."""

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis

from opamp.domain import with_connections
from telflo.base.asked import Asked, Pending
from telflo.system.findings import lacks
from telflo.system.state import ANSWER_S, database_answers, own_processes, read_processes
from telflo.system.values import Process

logger = logging.getLogger(__name__)

_KEPT_S: Final = 1.0
_LATE_S: Final = 20.0
"""A fleet that comes back may keep the writer busy for a while."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """missing: a line for each part that this process needs and does not have. warnings: what is wrong elsewhere."""

    missing: Sequence[str]
    warnings: Sequence[str] = ()

    @property
    def status(self) -> int:
        """200, or 503 when something is missing."""
        return 503 if self.missing else 200


@login_not_required
@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return _plain("ok", 200)


@login_not_required
@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when this process can serve, else 503 and one line for each thing that is missing.

    What is wrong elsewhere is a line `warning: …` and no reason to send nobody here: no worker, no beat.
    """
    ready = readiness().result()
    warnings = [f"warning: {text}" for text in ready.warnings]
    return _plain("\n".join(ready.missing or ["ok", *warnings]), ready.status)


def readiness() -> "Future[Readiness]":
    """Whether this process can serve: known after ANSWER_S, whatever hangs, and looked at once a second at most.

    Anybody may ask, and often: a look costs queries.
    """
    return _readiness.begin()


class _NotReady(Exception):
    """A part answers, and cannot be used."""


def _look() -> Readiness:
    asked = {name: question.begin() for name, question in _questions().items()}
    processes = _processes.begin()
    parts = [*(_missing(name, answer) for name, answer in asked.items()), _buffer()]
    missing = [line for line in parts if line]
    return Readiness(missing) if missing else Readiness((), _warnings(processes))


def _missing(name: str, answer: Pending[Any]) -> str:
    try:
        answer.within(ANSWER_S)
    except TimeoutError:
        return f"{name}: no answer within {ANSWER_S:g} s"
    except _NotReady as problem:
        return f"{name}: {problem}"
    except Exception as error:
        # The text of the error may name hosts and users: it belongs to the log alone.
        logger.warning("Not ready: %s.", name, exc_info=error)
        return f"{name}: not reachable"
    return ""


def _migrations() -> None:
    if _is_migrated.is_set():
        return
    executor = MigrationExecutor(connection)
    if waiting := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise _NotReady(f"{len(waiting)} not applied")
    _is_migrated.set()


def _redis() -> None:
    # Django's cache has connections for each thread, and every question has a thread of its own.
    times = {"socket_timeout": ANSWER_S, "socket_connect_timeout": ANSWER_S}
    with Redis.from_url(settings.REDIS_URL, **times) as redis:
        redis.ping()
    if get_channel_layer() is None:
        raise _NotReady("no channel layer")


def _buffer() -> str:
    processes = own_processes()
    if any(process.level("opamp_buffer_full_ratio") >= 1 for process in processes):
        return "buffer: full, collectors are told to come back later"
    late_s = max((one.level("opamp_buffer_lag_seconds") for one in processes), default=0.0)
    return f"buffer: reports wait since {late_s:.0f} s to be stored" if late_s > _LATE_S else ""


def _warnings(asked: Pending[list[Process]]) -> Sequence[str]:
    """What others lack; nothing where that cannot be read, since this process could serve a moment ago."""
    try:
        processes = asked.within(ANSWER_S)
    except Exception:
        logger.warning("The processes could not be read.", exc_info=True)
        return ()
    return [f"no {kind} runs" for kind in ("worker", "beat") if lacks(kind, processes)]


def _questions() -> Mapping[str, Asked[Any]]:
    always: Mapping[str, Asked[Any]] = {"database": database_answers, "migrations": _migrated}
    return {**always, "redis": _redis_answers} if settings.REDIS_URL else always


_is_migrated: Final = threading.Event()
"""They were all applied once: that takes long to find out, and stays so."""
_migrated: Final = Asked(with_connections(_migrations))
_redis_answers: Final = Asked(_redis)
_processes: Final = Asked(with_connections(read_processes))
_readiness: Final = Asked(_look, keep_s=_KEPT_S)


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
