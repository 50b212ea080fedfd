"""Collectors compared with what they should run: whenever one of the two changed, once for each distinct pair."""

from datetime import datetime
from typing import Final

from agents import store
from agents.store import Compared, Pair
from configs.collector.drift import Runs, effective_model, standing
from configs.collector.errors import ParseError
from configs.collector.model import model_of
from configs.collector.parse import parse
from fleets.models import RenderedConfig
from fleets.topics import touch_fleets_of

BATCH: Final = 500
_BATCHES: Final = 40


def compare_running(now: datetime) -> int:
    """Compare all whose comparison is due; answers how many.

    Level-triggered and idempotent. A few statements for each 500 collectors; a text is parsed only for a pair that
    was never compared, and no lock is held meanwhile.
    """
    done = 0
    for _ in range(_BATCHES):
        due = store.to_compare(BATCH)
        _compare(due, now)
        done += len(due)
        if len(due) < BATCH:
            break
    return done


def _compare(due: list[Compared], now: datetime) -> None:
    bodies = {one.pair: one.effective_id for one in due}
    known = store.verdicts_on(bodies.keys())
    fresh = {pair: judged(pair, sha256) for pair, sha256 in bodies.items() if pair not in known}
    if fresh:
        store.keep_verdicts(fresh, now=now)
    touch_fleets_of(store.set_runs(due, {**known, **fresh}, now=now))


def judged(pair: Pair, effective_id: str) -> Runs:
    """The word for one pair. What is no collector configuration, or not told yet, cannot be compared."""
    intended = RenderedConfig.objects.filter(hash=pair.intended).first()
    files = store.effective_files(effective_id)
    try:
        effective = effective_model((file.name, file.body.decode()) for file in files)
        if intended is None or effective is None:
            return Runs.UNKNOWN
        return standing(model_of(parse(intended.body)), effective).runs
    except (ParseError, UnicodeDecodeError):
        return Runs.UNKNOWN
