"""What is known of some agents' offers, in hand: read in a few statements, changed in memory, written in a few more."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from agents.models import AgentStatus
from fleets.models import (
    Attempt,
    AttemptState,
    Membership,
    Quarantine,
    RenderedConfig,
    Target,
    TargetState,
)
from fleets.rollouts.engine.claims import IN_FLIGHT
from fleets.rollouts.engine.desires import hand_down, with_desired
from fleets.rollouts.plan import ACTIVE

_SETTLED = (TargetState.EXCLUDED,)


class Ledger:
    """Attempts, targets, quarantine and memberships of some agents. The status rows are locked before it is read."""

    def __init__(
        self, rows: Mapping[UUID, AgentStatus], hashes: Collection[str], now: datetime
    ) -> None:
        self.now = now
        self._rows = rows
        uids = rows.keys()
        self.members = _members(uids)
        self._latest: dict[tuple[UUID, str], Attempt] = {}
        self._in_flight: dict[UUID, list[Attempt]] = defaultdict(list)
        self._read_attempts(uids, hashes)
        self._targets = self._read_targets(uids)
        self._attempts_changed: dict[UUID, Attempt] = {}
        self._targets_changed: dict[UUID, Target] = {}
        self._quarantined: dict[tuple[UUID, str], Attempt | None] = {}
        self._lifted: set[tuple[UUID, str]] = set()
        self._desires: dict[UUID, Membership] = {}
        self.rollouts: set[UUID] = set()

    def latest(self, uid: UUID, config_hash: str) -> Attempt | None:
        """The newest attempt of this hash."""
        return self._latest.get((uid, config_hash))

    def in_flight(self, uid: UUID) -> list[Attempt]:
        """Attempts without a final answer, oldest first."""
        return [attempt for attempt in self._in_flight[uid] if attempt.state in IN_FLIGHT]

    def settle(self, attempt: Attempt, state: AttemptState, error: str = "") -> None:
        """Write down what an offer drew."""
        attempt.state, attempt.error, attempt.answered_at = state, error, self.now
        self._attempts_changed[attempt.pk] = attempt

    def quarantine(self, uid: UUID, config_hash: str, attempt: Attempt | None) -> None:
        """Never offer this hash here again until a person retries it."""
        self._quarantined[uid, config_hash] = attempt
        self._lifted.discard((uid, config_hash))

    def lift(self, uid: UUID, config_hash: str) -> None:
        """The hash may be offered here again."""
        self._quarantined.pop((uid, config_hash), None)
        self._lifted.add((uid, config_hash))

    def move(
        self,
        uid: UUID,
        attempt: Attempt | None,
        config_hash: str,
        state: TargetState,
        why: str = "",
    ) -> None:
        """Move the target that this hash belongs to, if there is one."""
        target = self._target(uid, attempt, config_hash)
        if target is None or target.state in {*_SETTLED, state}:
            return
        target.state, target.state_since, target.reason = state, self.now, why
        self._targets_changed[target.pk] = target
        self.rollouts.add(target.rollout_id)

    def desire(self, member: Membership, rendered: RenderedConfig | None) -> None:
        """End a retry: the member should run `rendered` again."""
        member.desired, member.retry = rendered, None
        self._desires[member.agent_id] = member

    def write(self) -> None:
        """Write everything; the number of statements does not depend on the number of agents."""
        _write_states(
            Attempt.objects.all(), self._attempts_changed.values(), "error", "answered_at"
        )
        _write_states(Target.objects.all(), self._targets_changed.values(), "reason", "state_since")
        if self._desires:
            Membership.objects.bulk_update(self._desires.values(), ["desired", "retry"])
        self._write_quarantine()
        pairs = {*self._quarantined, *self._lifted}
        hand_down({*(uid for uid, _ in pairs), *self._desires}, self._rows, now=self.now)

    def _write_quarantine(self) -> None:
        if self._lifted:
            uids, hashes = {uid for uid, _ in self._lifted}, {one for _, one in self._lifted}
            found = Quarantine.objects.filter(agent_id__in=uids, hash__in=hashes)
            pairs = found.values_list("pk", "agent_id", "hash")
            ids = [pk for pk, uid, one in pairs if (uid, one) in self._lifted]
            Quarantine.objects.filter(pk__in=ids).delete()
        Quarantine.objects.bulk_create(
            [
                Quarantine(agent_id=uid, hash=one, attempt=attempt, since=self.now)
                for (uid, one), attempt in self._quarantined.items()
            ],
            ignore_conflicts=True,
        )

    def _target(self, uid: UUID, attempt: Attempt | None, config_hash: str) -> Target | None:
        if attempt is not None and attempt.rollout_id is not None:
            return self._targets.get((attempt.rollout_id, uid))
        member = self.members.get(uid)
        if member is None or member.desired is None or member.desired.hash != config_hash:
            return None
        version_id = member.desired.version_id
        mine = (target for (_, owner), target in self._targets.items() if owner == uid)
        return next(
            (
                target
                for target in mine
                if target.rollout.version_id == version_id and target.rollout.state in ACTIVE
            ),
            None,
        )

    def _read_attempts(self, uids: Collection[UUID], hashes: Collection[str]) -> None:
        wanted = Q(state__in=IN_FLIGHT) | Q(hash__in=hashes)
        for attempt in Attempt.objects.filter(wanted, agent_id__in=uids).order_by("id"):
            self._latest[attempt.agent_id, attempt.hash] = attempt
            self._in_flight[attempt.agent_id].append(attempt)

    def _read_targets(self, uids: Collection[UUID]) -> dict[tuple[UUID, UUID], Target]:
        rollouts = {attempt.rollout_id for attempt in self._latest.values() if attempt.rollout_id}
        wanted = Q(rollout__state__in=ACTIVE) | Q(rollout_id__in=rollouts)
        targets = Target.objects.filter(wanted, agent_id__in=uids).prefetch_related("rollout")
        return {
            (target.rollout_id, target.agent_id): target
            for target in targets
            if target.agent_id is not None
        }


def _members(uids: Collection[UUID]) -> dict[UUID, Membership]:
    members = with_desired(Membership.objects.filter(agent_id__in=uids))
    # Few are in a retry.
    found = members.select_related("retry").defer("retry__body")
    return {member.agent_id: member for member in found}


def _write_states(
    rows: QuerySet[Any], changed: Iterable[Attempt | Target], text: str, time: str
) -> None:
    """One statement per state, and one more for the texts of those that have one."""
    by_state: dict[str, list[Attempt | Target]] = defaultdict(list)
    for row in changed:
        by_state[row.state].append(row)
    for state, group in by_state.items():
        same = {"state": state, time: getattr(group[0], time), text: ""}
        rows.filter(pk__in=[row.pk for row in group]).update(**same)
    told = [row for group in by_state.values() for row in group if getattr(row, text)]
    if told:
        rows.bulk_update(told, [text])
