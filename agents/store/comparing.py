"""Which collectors are to be compared with what they should run, and what came of it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction

from agents.models import TO_COMPARE, AgentStatus, EffectiveConfig, Verdict
from agents.snapshot import ConfigFile
from agents.status import Word
from agents.store.bodies import essence_of
from agents.store.events import NewEvent, add_events
from agents.store.rows import Edit, lock, touch, write
from agents.store.values import files_from_text
from configs.collector.drift import Runs

DRIFTED: Final = "drifted"
DRIFT_ENDED: Final = "drift_ended"
_TOLD: Final = {(False, True): DRIFTED, (True, False): DRIFT_ENDED}
"""The kind of event, by whether it was drifted before and is now."""


class Pair(NamedTuple):
    """What runs, by what collectors share of it, and what should run."""

    essence: str
    intended: str


class Compared(NamedTuple):
    """A collector to be compared: what it said that it runs and what it should run, at the time of asking."""

    instance_uid: UUID
    effective_id: str
    pair: Pair


def to_compare(most: int) -> list[Compared]:
    """Collectors whose comparison is due, at most so many. Two statements, and one for each body of old times."""
    rows = AgentStatus.objects.filter(TO_COMPARE).exclude(desired_hash="").order_by("agent")
    names = ("agent_id", "effective_config_id", "effective_config__essence", "desired_hash")
    found = list(rows.values_list(*names)[:most])
    essences = {
        sha256: essence or _look_at(sha256) for sha256, essence in {row[1:3] for row in found}
    }
    return [
        Compared(uid, sha256, Pair(essences[sha256], intended))
        for uid, sha256, _, intended in found
    ]


def _look_at(sha256: str) -> str:
    """The essence of a body that was stored before there were any, which is kept from now on."""
    found = essence_of(effective_files(sha256))
    EffectiveConfig.objects.filter(pk=sha256).update(essence=found)
    return found


def effective_files(sha256: str) -> tuple[ConfigFile, ...]:
    """The files of an effective configuration; none when it is not stored any more."""
    stored = EffectiveConfig.objects.filter(pk=sha256).values_list("files", flat=True).first()
    return files_from_text(stored) if stored else ()


def verdicts_on(pairs: Collection[Pair]) -> dict[Pair, Runs]:
    """What is known of these pairs."""
    rows = Verdict.objects.filter(
        essence__in={pair.essence for pair in pairs}, intended__in={pair.intended for pair in pairs}
    )
    found = rows.values_list("essence", "intended", "runs")
    return {Pair(essence, intended): Runs(runs) for essence, intended, runs in found}


def keep_verdicts(verdicts: Mapping[Pair, Runs], *, now: datetime) -> None:
    """Remember them; what another process remembered first stays."""
    Verdict.objects.bulk_create(
        [
            Verdict(**pair._asdict(), runs=runs.value, created_at=now)
            for pair, runs in verdicts.items()
        ],
        ignore_conflicts=True,
    )


def set_runs(
    compared: Iterable[Compared], verdicts: Mapping[Pair, Runs], *, now: datetime
) -> frozenset[UUID]:
    """Write what became of the intended configuration, where nothing changed meanwhile. Answers who looks different.

    Timelines tell where drift begins, and where it ends without another version.
    """
    wanted = {one.instance_uid: one for one in compared if one.pair in verdicts}
    with transaction.atomic():
        edits, events = [], []
        for uid, row in lock(wanted).items():
            one = wanted[uid]
            if (row.effective_config_id, row.desired_hash) == (one.effective_id, one.pair.intended):
                edit, before = Edit(row), row.config_status
                edit.put(runs=verdicts[one.pair].value, compare_due=False)
                edit.derive(now)
                edits.append(edit)
                if kind := _TOLD.get((before == Word.DRIFTED, row.config_status == Word.DRIFTED)):
                    events.append(NewEvent(uid, now, kind, {"hash": row.desired_hash}))
        write(edits)
        add_events(events)
        return touch(edits)
