"""Reading how the installation is doing: rows of its processes, database, Redis, queue, disk."""

import logging
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now
from redis import Redis

from notices.models import Subscription
from opamp.domain import with_connections
from telflo.base.asked import Asked
from telflo.base.measures import Numbers
from telflo.celery import app
from telflo.system.models import ServerProcess
from telflo.system.reporting import own_rows
from telflo.system.values import Broker, Database, Disk, Notices, Process, State

logger = logging.getLogger(__name__)

T = TypeVar("T")

ANSWER_S: Final = 3.0
"""What has not answered by then counts as away: the database may hang, and a statement is given up much later."""
_REDIS_S: Final = 1.0
"""Longer than this a page does not wait for Redis."""
_FAILURES: Final = 3
"""So many tries in a row are no chance."""


def read_state() -> State:
    """Everything, in four queries on PostgreSQL, three on SQLite. Raises nothing for what is away, nor waits long."""
    database = _read_database()
    is_there = database.answer_s is not None
    processes = _processes(is_there)
    notices = _read_notices() if is_there else Notices()
    broker = _or_else(_read_broker, _BROKER_AWAY)
    # With https a proxy stands in front, which may send WebSockets to a gateway by their path.
    offers_gateway = bool(settings.OPAMP_URL) or not settings.BASE_URL.startswith("http://")
    return State(processes, database, broker, _read_disk(), notices, offers_gateway)


def processes_now() -> list[Process]:
    """All that wrote lately; while the database does not answer, the parts of this process alone."""
    return _processes(_read_database().answer_s is not None)


def _processes(is_there: bool) -> list[Process]:
    return read_processes() if is_there else own_processes()


def read_processes() -> list[Process]:
    """All that wrote lately, in one query; this process's own numbers are of this moment. Raises DatabaseError."""
    own = {row.pk: row for row in own_rows()}
    stored = ServerProcess.objects.annotate(read_at=Now())
    found = [
        _process(row, own[row.pk].numbers if row.pk in own else row.numbers, row.read_at)
        for row in stored
    ]
    known = {row.pk for row in stored}
    return found + [
        _process(row, row.numbers, row.seen_at) for key, row in own.items() if key not in known
    ]


def own_processes() -> list[Process]:
    """The parts of this process alone."""
    return [_process(row, row.numbers, row.seen_at) for row in own_rows()]


def _process(row: ServerProcess, numbers: Numbers, read_at: datetime) -> Process:
    return Process(
        kind=row.kind,
        host=row.host,
        pid=row.pid,
        version=row.version,
        started_at=row.started_at,
        seen_at=row.seen_at,
        silent_s=max(0.0, (read_at - row.seen_at).total_seconds()),
        clock_s=(row.clock_at - row.seen_at).total_seconds(),
        numbers=numbers,
    )


def _read_database() -> Database:
    names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    name = names[connection.vendor]
    try:
        answer_s = database_answers.begin().within(ANSWER_S)
        with connection.cursor() as cursor:
            size = _size_of(cursor)
            version = ".".join(str(part) for part in connection.get_database_version())
    except Exception:
        logger.warning("The database does not answer.", exc_info=True)
        return Database(name, None)
    return Database(f"{name} {version}", answer_s, size)


def _ask_database() -> float:
    connection.ensure_connection()
    began_s = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return time.perf_counter() - began_s


database_answers: Final = Asked(with_connections(_ask_database))
"""How long it takes for SELECT 1. Asked before anything else is read that would hang with the database."""


def _size_of(cursor: Any) -> int:
    if connection.vendor == "postgresql":
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
    file = Path(str(connection.settings_dict["NAME"]))
    return sum(part.stat().st_size for part in file.parent.glob(f"{file.name}*"))


_BROKER_AWAY: Final = Broker("Redis", None)


def _read_broker() -> Broker:
    queue = settings.CELERY_TASK_DEFAULT_QUEUE
    began_s = time.perf_counter()
    if not settings.REDIS_URL:
        with app.connection_for_read() as broker:
            channel: Any = broker.default_channel
            waiting = channel.queue_declare(queue).message_count
        return Broker("in memory", time.perf_counter() - began_s, waiting)
    with Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=_REDIS_S, socket_timeout=_REDIS_S
    ) as redis:
        waiting = int(redis.llen(queue))
        answer_s = time.perf_counter() - began_s
        version = redis.info("server")["redis_version"]
    return Broker(f"Redis {version}", answer_s, waiting)


def _read_disk() -> Disk:
    usage = shutil.disk_usage(settings.DATA_DIR)
    return Disk(usage.free, usage.total)


def _read_notices() -> Notices:
    """Those of which a few tries in a row failed; what a person paused is no trouble."""
    paused_itself = Q(failures__gt=0, paused_at__isnull=False)
    found = Subscription.objects.filter(Q(failures__gte=_FAILURES) | paused_itself)
    rows = list(found.order_by("name").values_list("name", "paused_at"))
    return Notices(
        failing=[name for name, paused_at in rows if paused_at is None],
        paused=[name for name, paused_at in rows if paused_at is not None],
    )


def _or_else(read: Callable[[], T], away: T) -> T:
    try:
        return read()
    except Exception:
        logger.warning("%s did not answer.", read.__name__.strip("_"), exc_info=True)
        return away
