"""Silence counts as failure once the apply timeout has passed."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from agents import store
from fleets.models import Attempt, AttemptState, Target, TargetState
from fleets.rollouts.engine.ledger import Ledger
from fleets.rollouts.engine.states import IN_FLIGHT

NO_ANSWER = "No answer within the apply timeout."
LEFT = "The collector left after the offer and did not come back within the apply timeout."


def expire(now: datetime) -> frozenset[UUID]:
    """Judge the attempts whose deadline has passed. Answers the rollouts that have to be advanced.

    Connected, and heard since the deadline: no answer; quarantined. Not heard since, but still counted as connected:
    nothing yet, since it may be the server that was away. Disconnected: the target has failed, but the offer stays
    in flight, since only the agent's return can tell whether it arrived.
    """
    with transaction.atomic():
        rows = store.lock(_overdue(now).values_list("agent_id", flat=True))
        if not rows:
            return frozenset()
        ledger = Ledger(rows, (), now)
        for uid, row in rows.items():
            for attempt in ledger.in_flight(uid):
                if attempt.deadline > now:
                    continue
                if not row.connected:
                    ledger.move(uid, attempt, attempt.hash, TargetState.FAILED, LEFT)
                elif row.last_seen_at is not None and row.last_seen_at >= attempt.deadline:
                    ledger.fail(uid, attempt, AttemptState.TIMED_OUT, NO_ANSWER)
        ledger.write()
        return frozenset(ledger.rollouts)


def _overdue(now: datetime) -> "QuerySet[Attempt]":
    expected = Target.objects.filter(
        agent=OuterRef("agent"),
        rollout=OuterRef("rollout"),
        state__in=[TargetState.OFFERED, TargetState.APPLYING],
    )
    heard = Q(agent__status__connected=True, agent__status__last_seen_at__gte=F("deadline"))
    left = Q(Exists(expected), agent__status__connected=False)
    return Attempt.objects.filter(heard | left, state__in=IN_FLIGHT, deadline__lte=now)
