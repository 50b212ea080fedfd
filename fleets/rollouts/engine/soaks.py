"""Targets that applied the version are watched for a while: judged at every sweep, by what is stored."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from agents import store
from agents.models import Health as Stored
from agents.snapshot import Capability
from agents.store import StatusRow
from configs.collector.drift import Runs
from fleets.models import Target, TargetState
from fleets.rollouts.engine.ledger import Ledger
from fleets.rollouts.judging import Health, SoakFacts, Word, judge

_HEALTH: Final = {Stored.HEALTHY.value: Health.HEALTHY, Stored.UNHEALTHY.value: Health.UNHEALTHY}
_NAMES: Final = (
    "agent_id",
    "rollout__version_id",
    "rollout__apply_timeout_s",
    "soak_until",
    "agent__capabilities",
    "agent__status__health",
    "agent__status__last_error",
)


def judge_soaks(now: datetime) -> frozenset[UUID]:
    """Judge those that soaked, and those that are unhealthy, or run nothing of the version, before.

    Answers the rollouts that have to be advanced.
    """
    with transaction.atomic():
        may_be_judged = (
            Q(soak_until__lte=now)
            | Q(agent__status__health=Stored.UNHEALTHY)
            | Q(agent__status__runs=Runs.LACKING, agent__status__compare_due=False)
        )
        soaking = Target.objects.filter(may_be_judged, state=TargetState.SOAKING).exclude(
            agent=None
        )
        rows = store.lock(list(soaking.values_list("agent_id", flat=True)))
        if not rows:
            return frozenset()
        # Asked again: what changed before the locks were granted counts.
        found = soaking.filter(agent_id__in=list(rows)).values_list(*_NAMES)
        ledger = Ledger(rows, (), now)
        for uid, version_id, timeout_s, until, capabilities, health, error in found:
            facts = SoakFacts(
                health=_HEALTH.get(health, Health.UNKNOWN),
                reports_health=bool(capabilities & Capability.REPORTS_HEALTH),
                is_connected=rows[uid].connected,
                soak_until=until,
                patience=timedelta(seconds=timeout_s),
                error=error,
                runs=_runs(rows[uid]),
                awaits_comparison=_awaits_comparison(rows[uid]),
            )
            verdict = judge(facts, now)
            if verdict.word is not Word.WAIT:
                ledger.end_soak(
                    uid,
                    version_id,
                    has_failed=verdict.word is Word.FAILED,
                    is_unverified=verdict.word is Word.UNVERIFIED,
                    why=verdict.reason,
                )
        ledger.write()
        return frozenset(ledger.rollouts)


def _runs(row: StatusRow) -> Runs | None:
    is_known = row.runs and not row.compare_due
    return Runs(row.runs) if is_known else None


def _awaits_comparison(row: StatusRow) -> bool:
    return row.compare_due and row.effective_config_id is not None
