"""Health of this process for load balancers: /healthz (it answers) and /readyz (it can serve)."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache as redis_cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from opamp.domain import with_connections
from telflo.system.findings import lacks
from telflo.system.state import own_processes, read_processes

logger = logging.getLogger(__name__)

_WAIT_S: Final = 5.0


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
    missing = what_is_missing()
    if missing:
        return _plain("\n".join(missing), 503)
    return _plain("\n".join(["ok", *(f"warning: {text}" for text in _warnings())]), 200)


def what_is_missing() -> list[str]:
    """One line for each part that this process needs and does not have. Blocks for some seconds at most."""
    return [line for line in (_missing(check) for check in _checks()) if line]


def _checks() -> list[Callable[[], str]]:
    return [_database, _migrations, *([_redis] if settings.REDIS_URL else []), _buffer]


def _missing(check: Callable[[], str]) -> str:
    name = check.__name__.strip("_")
    try:
        # On another thread, since a database that hangs would hang the answer too.
        problem = _threads().submit(with_connections(check)).result(_WAIT_S)
    except TimeoutError:
        problem = f"no answer within {_WAIT_S:g} s"
    except Exception as error:
        # The text of the error may name hosts and users: it belongs to the log alone.
        logger.warning("Not ready: %s.", name, exc_info=error)
        problem = "not reachable"
    return f"{name}: {problem}" if problem else ""


@cache
def _threads() -> ThreadPoolExecutor:
    """Made when it is needed: processes are forked before. One that hangs holds up the next check, which says so."""
    return ThreadPoolExecutor(2, thread_name_prefix="health")


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(waiting)} not applied" if waiting else ""


def _redis() -> str:
    redis_cache.get("readyz")
    return "" if get_channel_layer() is not None else "no channel layer"


def _buffer() -> str:
    own = own_processes()
    is_full = any(process.level("opamp_buffer_full_ratio") >= 1 for process in own)
    return "full, collectors are told to come back later" if is_full else ""


def _warnings() -> list[str]:
    """What others lack. Asked only where migrations are applied, so the table is there."""
    processes = read_processes()
    return [f"no {kind} runs" for kind in ("worker", "beat") if lacks(kind, processes)]


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
