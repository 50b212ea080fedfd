"""PURE. What stands in pipelines, and in which order (rules L04 to L06)."""

from collections.abc import Iterator, Sequence
from typing import Final

from configs.collector.findings import Severity
from configs.collector.names import Kind, type_of
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import Rule, core, rule
from configs.collector.rules.subject import Member, Subject
from configs.collector.values import entries_of

_DOCS: Final = core("processor")
_LIMITER: Final = "memory_limiter"
_DROPPING: Final = frozenset(
    {"filter", "tail_sampling", "probabilistic_sampler", "probabilisticsampler"}
)
_OF_SENDER: Final = frozenset({"k8s_attributes", "k8sattributes"})
_BATCHING: Final = frozenset({"batch", "tail_sampling", "groupbytrace", "group_by_trace"})


@rule("L04", Severity.WARNING, "Memory limiter", core("processor/memorylimiterprocessor"))
def memory_limiter(subject: Subject) -> Iterator[Hit]:
    """In every pipeline, before all else, so that a flood does not end the collector."""
    for pipeline in subject.pipelines:
        members = pipeline.members["processors"]
        types = _types(members)
        connectors = subject.components[Kind.CONNECTOR]
        is_fed = all(one.id in connectors for one in pipeline.members["receivers"])
        if is_fed or any(one.is_open for one in members):
            continue  # what connectors feed was let in by another pipeline
        if _LIMITER not in types:
            message = f"The pipeline {pipeline.id} has no memory_limiter: a flood can end the collector. Put one first."
            yield Hit(message, (*pipeline.path, "processors"), True)
        elif types[0] != _LIMITER:
            at = types.index(_LIMITER)
            order = [at, *(one for one in range(len(types)) if one != at)]
            fix = subject.edits.reordered("Move it to the front", members[at].path[:-1], order)
            yield Hit(
                "memory_limiter is to be the first processor. Move it to the front.",
                members[at].path,
                fix=fix,
            )


@rule("L05", Severity.WARNING, "Order of processors", _DOCS)
def order(subject: Subject) -> Iterator[Hit]:
    """Drop early, look up the sender while it is known, batch last."""
    for pipeline in subject.pipelines:
        members = pipeline.members["processors"]
        types = _types(members)
        for at, one in enumerate(types):
            before = types[:at]
            if one in _OF_SENDER and not _BATCHING.isdisjoint(before):
                first = next(other for other in before if other in _BATCHING)
                message = f"After {first} the sender is no longer known. Put {shown(members[at].id)} before it."
                yield Hit(message, members[at].path)
            elif one == "batch" and not _DROPPING.isdisjoint(types[at + 1 :]):
                later = next(other for other in types[at + 1 :] if other in _DROPPING)
                message = (
                    f"{later} after batch makes small batches of large ones. Move batch to the end."
                )
                yield Hit(
                    message,
                    members[at].path,
                    fix=subject.edits.reordered(
                        "Move it to the end", members[at].path[:-1], _to_end(at, len(types))
                    ),
                )


@rule("L06", Severity.INFO, "Batched twice", core("exporter/exporterhelper"))
def batched_twice(subject: Subject) -> Iterator[Hit]:
    """By the processor, and again by the exporter's queue."""
    for pipeline in subject.pipelines:
        batch = _first(pipeline.members["processors"], "batch")
        exporter = next(
            (one for one in pipeline.members["exporters"] if _batches(subject, one)), None
        )
        if batch and exporter:
            message = f"The exporter {shown(exporter.id)} makes batches too. Remove this one."
            yield Hit(message, batch.path)


RULES: Final[tuple[Rule, ...]] = (memory_limiter, order, batched_twice)


def _types(members: Sequence[Member]) -> list[str]:
    return [type_of(one.id) for one in members]


def _first(members: Sequence[Member], name: str) -> Member | None:
    return next((one for one in members if type_of(one.id) == name), None)


def _to_end(at: int, length: int) -> list[int]:
    return [*(one for one in range(length) if one != at), at]


def _batches(subject: Subject, member: Member) -> bool:
    found = subject.components[Kind.EXPORTER].get(member.id)
    queue = entries_of(found.settings.get("sending_queue")) if found else {}
    return "batch" in queue and queue.get("enabled") is not False
