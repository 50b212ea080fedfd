"""What agents answered to offers: attempts, quarantine and targets follow the facts, in their order (decision 4)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents import store
from agents.snapshot import AgentPatch, Capability, ConfigStatus, Fact, FactKind, RemoteConfigReport
from agents.store import StatusRow
from fleets.models import Attempt, AttemptState, TargetState
from fleets.offer import Claim
from fleets.rollouts.engine.entries import AttemptEntry
from fleets.rollouts.engine.ledger import Ledger
from fleets.rollouts.engine.states import IN_FLIGHT

_WENT_BACK = "The collector went back to another configuration without saying why."
_OVERTAKEN = "A later offer was answered first."
Told = tuple[AgentPatch, Fact]
_REPORTING = (FactKind.REMOTE_CONFIG, FactKind.FULL_STATE)


def record_reports(
    patches: Sequence[AgentPatch], rows: Mapping[UUID, StatusRow]
) -> frozenset[UUID]:
    """Take in the facts about remote configurations. Answers the rollouts that have to be advanced.

    rows: the status rows of those who said anything, as store.apply has locked and changed them.
    Facts of older sessions count too: they happened, unless they are another agent's with the same uid (A2) or were
    posted anew. Repeated facts change nothing.
    """
    told = [(patch, fact) for patch in patches for fact in patch.facts if fact.kind in _REPORTING]
    told = _of_consequence(told)
    if not told:
        return frozenset()
    hashes = {fact.remote_config.hash for _, fact in told if fact.remote_config}
    uids = {patch.instance_uid for patch, _ in told}
    mine = {uid: rows[uid] for uid in uids if uid in rows}
    ledger = Ledger(mine, hashes, max(fact.at for _, fact in told))
    for patch, fact in told:
        row = mine.get(patch.instance_uid)
        if row is not None and not store.is_void(row, patch, fact.at):
            _take(ledger, patch, fact, row)
    ledger.write()
    return frozenset(ledger.rollouts)


def _of_consequence(told: Sequence[Told]) -> list[Told]:
    """Without full states that name no hash, of agents that were offered nothing: they are most when many connect."""
    silent = {patch.instance_uid for patch, fact in told if not _hash_of(fact)}
    if not silent:
        return list(told)
    offered = Attempt.objects.filter(agent_id__in=silent, state__in=IN_FLIGHT)
    waiting = set(offered.values_list("agent_id", flat=True))
    return [
        (patch, fact) for patch, fact in told if _hash_of(fact) or patch.instance_uid in waiting
    ]


def _hash_of(fact: Fact) -> str:
    return fact.remote_config.hash if fact.remote_config else ""


def give_back(claims: Mapping[UUID, Claim], *, now: datetime) -> None:
    """These offers (by uid) were claimed and never sent: they may be claimed again, unless their rollout stopped."""
    if not claims:
        return
    with transaction.atomic():
        rows = store.lock(claims)
        ledger = Ledger(rows, {claim.hash for claim in claims.values()}, now)
        for uid in rows:
            claim = claims[uid]
            attempt = ledger.latest(uid, claim.hash)
            if attempt is None or attempt.epoch != claim.epoch:
                continue
            if attempt.state == AttemptState.OFFERED:
                ledger.lose(uid, attempt)
        ledger.write()


def _take(ledger: Ledger, patch: AgentPatch, fact: Fact, row: StatusRow) -> None:
    uid, report = patch.instance_uid, fact.remote_config
    if report is not None and report.hash and report.status is not ConfigStatus.UNSET:
        attempt = ledger.latest(uid, report.hash)
        _close_others(ledger, patch, attempt, report)
        _ANSWERS[report.status](ledger, uid, attempt, report)
    # An agent that does not report its remote configuration names no hash: that proves nothing.
    if (
        fact.kind is FactKind.FULL_STATE
        and fact.proves_loss
        and row.agent.capabilities & Capability.REPORTS_REMOTE_CONFIG
    ):
        named = report.hash if report else ""
        _find_lost(ledger, uid, named, patch.epoch)


def _find_lost(ledger: Ledger, uid: UUID, named: str, epoch: int) -> None:
    """A full state of a later session that does not name an unanswered offer: it never arrived."""
    for attempt in ledger.in_flight(uid):
        is_unanswered = attempt.state == AttemptState.OFFERED
        if is_unanswered and attempt.hash != named and attempt.epoch < epoch:
            ledger.lose(uid, attempt)


def _close_others(
    ledger: Ledger, patch: AgentPatch, answered: AttemptEntry | None, report: RemoteConfigReport
) -> None:
    """Another hash is acknowledged: what was offered before it is over, and what was being applied has failed."""
    for attempt in ledger.in_flight(patch.instance_uid):
        if attempt.hash == report.hash or patch.epoch < attempt.epoch:
            continue
        if answered is not None and attempt.id < answered.id:
            ledger.settle(attempt, AttemptState.TIMED_OUT, _OVERTAKEN)
            # Its rollout was superseded, and nothing more will be heard of it.
            ledger.move(patch.instance_uid, attempt, attempt.hash, TargetState.EXCLUDED, _OVERTAKEN)
        elif attempt.state == AttemptState.APPLYING:
            ledger.fail(patch.instance_uid, attempt, AttemptState.FAILED, _WENT_BACK)


def _take_applying(
    ledger: Ledger, uid: UUID, attempt: AttemptEntry | None, report: RemoteConfigReport
) -> None:
    if attempt is not None and attempt.state == AttemptState.OFFERED:
        ledger.settle(attempt, AttemptState.APPLYING)
        ledger.move(uid, attempt, report.hash, TargetState.APPLYING)


def _take_applied(
    ledger: Ledger, uid: UUID, attempt: AttemptEntry | None, report: RemoteConfigReport
) -> None:
    # After FAILED an APPLIED of the same hash proves nothing: 0.149.0 says so while the collector crashes.
    if attempt is not None and attempt.state == AttemptState.FAILED:
        return
    member = ledger.members.get(uid)
    retry = member.retry if member else None
    if retry is not None and retry.hash == report.hash:
        return  # it is to go back first; this is what it ran before
    if attempt is not None and attempt.state != AttemptState.APPLIED:
        if attempt.state == AttemptState.TIMED_OUT:
            ledger.lift(uid, report.hash)  # the answer came late
        ledger.settle(attempt, AttemptState.APPLIED)
    ledger.applied(uid, attempt, report.hash)
    if member is not None and retry is not None and _is_desired(ledger, uid, report.hash):
        ledger.desire(member, retry)


def _take_failed(
    ledger: Ledger, uid: UUID, attempt: AttemptEntry | None, report: RemoteConfigReport
) -> None:
    if attempt is not None:
        if attempt.state != AttemptState.FAILED:
            ledger.fail(uid, attempt, AttemptState.FAILED, report.error)
    elif _is_desired(ledger, uid, report.hash):
        ledger.quarantine(uid, report.hash, None)
        ledger.move(uid, None, report.hash, TargetState.FAILED, report.error)


def _is_desired(ledger: Ledger, uid: UUID, config_hash: str) -> bool:
    member = ledger.members.get(uid)
    return member is not None and member.desired is not None and member.desired.hash == config_hash


_ANSWERS = {
    ConfigStatus.APPLYING: _take_applying,
    ConfigStatus.APPLIED: _take_applied,
    ConfigStatus.FAILED: _take_failed,
}
