"""/metrics: what all processes count, in the text format of Prometheus."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from opamp.metrics import FAMILIES as OPAMP
from telflo.base.measures import Family, Kind, Numbers, buckets, families, sample
from telflo.base.observed import FAMILIES as HTTP
from telflo.system.celery_counts import FAMILIES as TASKS
from telflo.system.findings import is_live
from telflo.system.reporting import FAMILIES as USAGE
from telflo.system.values import Process, State

STALENESS: Final = "Other processes' numbers are at most 5 s old."
_OF_PROCESSES: Final = (
    *families(
        "telflo_process_",
        gauges={
            "info": f"A part that runs, its version as a label. {STALENESS}",
            "start_time_seconds": "When it started, in Unix time.",
            "silent_seconds": "Time since it last wrote its numbers; every 5 s while all is well.",
            "clock_offset_seconds": "How far its clock is ahead of the database's.",
        },
    ),
    *USAGE,
    *OPAMP,
    *HTTP,
    *TASKS,
)
_OF_ALL: Final = families(
    "telflo_",
    gauges={
        "database_up": "1 while the database answers.",
        "database_answer_seconds": "How long it takes for SELECT 1.",
        "database_size_bytes": "Size of the database.",
        "broker_up": "1 while Redis answers (or the broker in memory, when embedded).",
        "broker_answer_seconds": "How long it takes to connect and to ask for the queue.",
        "queue_tasks": "Background tasks that no worker took yet.",
        "disk_free_bytes": "Free space where the data folder is.",
        "collectors": "Collectors that are known, by status, and transport of their last session.",
    },
)


def exposition(state: State, collectors: Numbers, accept: str) -> tuple[bytes, str]:
    """The body and its content type: OpenMetrics for who asks for it, else the older text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Telflo(state, collectors))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Telflo(Collector):
    """Prometheus' view of a State."""

    def __init__(self, state: State, collectors: Numbers) -> None:
        self._state = state
        self._collectors = collectors

    def collect(self) -> Iterator[Metric]:
        """Every family that has a sample."""
        whole = {**_numbers_of_all(self._state), **self._collectors}
        yield from _metrics(_OF_ALL, [({}, whole)])
        live = [process for process in self._state.processes if is_live(process)]
        yield from _metrics(_OF_PROCESSES, [(_who(one), _numbers_of(one)) for one in live])


def _who(process: Process) -> dict[str, str]:
    return {"process": process.name, "kind": process.kind}


def _numbers_of(process: Process) -> Numbers:
    return process.numbers | {
        "telflo_process_info": [sample(1, version=process.version)],
        "telflo_process_start_time_seconds": [sample(process.started_at.timestamp())],
        "telflo_process_silent_seconds": [sample(process.silent_s)],
        "telflo_process_clock_offset_seconds": [sample(process.clock_s)],
    }


def _numbers_of_all(state: State) -> Numbers:
    database, broker = state.database, state.broker
    numbers: Numbers = {
        "telflo_database_up": [sample(int(database.answer_s is not None))],
        "telflo_broker_up": [sample(int(broker.answer_s is not None))],
        "telflo_disk_free_bytes": [sample(state.disk.free_bytes)],
    }
    if database.answer_s is not None:
        numbers["telflo_database_answer_seconds"] = [sample(database.answer_s)]
        numbers["telflo_database_size_bytes"] = [sample(database.size_bytes)]
    if broker.answer_s is not None:
        numbers["telflo_broker_answer_seconds"] = [sample(broker.answer_s)]
        numbers["telflo_queue_tasks"] = [sample(broker.waiting)]
    return numbers


def _metrics(
    known: Iterable[Family], sources: list[tuple[Mapping[str, str], Numbers]]
) -> Iterator[Metric]:
    """A metric for each family with the samples of all sources; names of other versions are passed over."""
    for family in known:
        samples = [
            ({**who, **labels}, value)
            for who, numbers in sources
            for labels, value in numbers.get(family.name, ())
        ]
        if samples:
            yield _metric(family, samples)


def _metric(family: Family, samples: list[tuple[dict[str, str], Any]]) -> Metric:
    names = list(samples[0][0])
    metric: Metric = _MAKERS[family.kind](family.name, family.help, labels=names)
    for labels, value in samples:
        values = [labels.get(name, "") for name in names]
        if isinstance(metric, HistogramMetricFamily):
            metric.add_metric(values, buckets=buckets(value), sum_value=value["sum"])
        else:
            metric.add_metric(values, value)  # type: ignore[attr-defined]  # Counter and Gauge have it
    return metric


_MAKERS: Final[Mapping[Kind, Callable[..., Any]]] = {
    Kind.COUNTER: CounterMetricFamily,
    Kind.GAUGE: GaugeMetricFamily,
    Kind.HISTOGRAM: HistogramMetricFamily,
}
