"""Targets that applied the version are watched for a while: judged at every sweep, by what is stored."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from agents import store
from agents.models import Health as Stored
from agents.snapshot import Capability
from agents.store import StatusRow
from configs.collector.drift import Runs
from fleets.models import RolloutState, StageState, Target, TargetState
from fleets.rollouts.engine.ledger import Ledger
from fleets.rollouts.judging import Health, SoakFacts, Verdict, Word, judge, watch

_NAMES: Final = (
    "pk",
    "agent_id",
    "state",
    "state_since",
    "has_soaked_anew",
    "rollout__apply_timeout_s",
    "rollout__soak_s",
    "soak_until",
    "agent__capabilities",
    "agent__status__health",
    "agent__status__health_since",
    "agent__status__last_error",
    "agent__status__reported_healthy",
    "agent__connection__offered_at",
    "agent__status__restarted_at",
)
_IN_TROUBLE: Final = Q(agent__status__health=Stored.UNHEALTHY) | Q(
    agent__status__runs=Runs.LACKING, agent__status__compare_due=False
)
_BECAME_WELL: Final = Q(
    agent__status__health=Stored.HEALTHY, agent__status__health_since__gt=F("state_since")
)
"""Since they were judged."""
_IN_BAKE: Final = Q(
    state=TargetState.SUCCEEDED,
    soak_until__isnull=False,
    stage__bake_s__gt=0,
    stage__state__in=[StageState.RUNNING, StageState.BAKING],
    rollout__state__in=[RolloutState.RUNNING, RolloutState.BAKING, RolloutState.PAUSED],
)
"""Those that soaked well, of a stage that is still watched."""


def judge_soaks(now: datetime) -> frozenset[UUID]:
    """Judge those that soaked, and those that, in the bake or before, are or were unhealthy or run nothing of it.

    Answers the rollouts that have to be advanced.
    """
    is_due = Q(state=TargetState.SOAKING) & (Q(soak_until__lte=now) | _IN_TROUBLE)
    watched = Target.objects.filter(is_due | _IN_BAKE & (_IN_TROUBLE | _BECAME_WELL)).exclude(
        agent=None
    )
    with transaction.atomic():
        rows = store.lock(list(watched.values_list("agent_id", flat=True)))
        if not rows:
            return frozenset()
        # Asked again: what changed before the locks were granted counts.
        found = watched.filter(agent_id__in=list(rows)).values_list(*_NAMES)
        ledger = Ledger(rows, (), now)
        for pk, uid, state, since, has_soaked_anew, *known in found:
            facts = _facts(rows[uid], *known)
            verdict = _verdict(state, since, has_soaked_anew, facts, now)
            if verdict.word is Word.AGAIN:
                ledger.soak_anew(uid, pk, until=facts.well_until, why=verdict.reason)
            elif verdict.word is not Word.WAIT:
                ledger.end_soak(
                    uid,
                    pk,
                    has_failed=verdict.word is Word.FAILED,
                    is_unverified=verdict.word is Word.UNVERIFIED,
                    why=verdict.reason,
                )
        ledger.write()
        return frozenset(ledger.rollouts)


def health_of(stored: str) -> Health:
    """The word as it is judged."""
    return _HEALTH.get(stored, Health.UNKNOWN)


_HEALTH: Final = {Stored.HEALTHY.value: Health.HEALTHY, Stored.UNHEALTHY.value: Health.UNHEALTHY}


def _verdict(
    state: str, since: datetime, has_soaked_anew: bool, facts: SoakFacts, now: datetime
) -> Verdict:
    if state == TargetState.SOAKING:
        return judge(facts, now)
    return watch(facts, soaked_at=since, has_soaked_anew=has_soaked_anew)


def _facts(
    row: StatusRow,
    timeout_s: int,
    soak_s: int,
    until: datetime,
    capabilities: int,
    health: str,
    since: datetime | None,
    error: str,
    was_well: bool | None,
    settings_at: datetime | None,
    restarted_at: datetime | None,
) -> SoakFacts:
    return SoakFacts(
        health=health_of(health),
        reports_health=bool(capabilities & Capability.REPORTS_HEALTH),
        is_connected=row.connected,
        soak=timedelta(seconds=soak_s),
        soak_until=until,
        healthy_since=since,
        patience=timedelta(seconds=timeout_s),
        error=error,
        runs=_runs(row),
        awaits_comparison=_awaits_comparison(row),
        is_muted=health == Stored.UNKNOWN and was_well is True and _is_ours(settings_at, since),
        is_our_doing=_is_ours(settings_at, since) or _is_ours(restarted_at, since),
    )


def _is_ours(told_at: datetime | None, since: datetime | None) -> bool:
    """Whether what began then may come of what it was told: connection settings, or a restart."""
    if told_at is None or since is None:
        return False
    return timedelta() <= since - told_at < store.CALM_AFTER_RESTART


def _runs(row: StatusRow) -> Runs | None:
    is_known = row.runs and not row.compare_due
    return Runs(row.runs) if is_known else None


def _awaits_comparison(row: StatusRow) -> bool:
    return row.compare_due and row.effective_config_id is not None
