"""What is known of some agents' offers, in hand: read in a few statements, changed in memory, written in a few more."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from agents.store import StatusRow
from agents.store.dialects import update_rows
from fleets.models import Attempt, AttemptState, Membership, Quarantine, Target, TargetState
from fleets.rollouts.engine import entries
from fleets.rollouts.engine.desires import hand_down, take_back
from fleets.rollouts.engine.entries import AttemptEntry, MemberEntry, Rendered, TargetEntry
from fleets.rollouts.engine.states import IN_FLIGHT, OPEN_TARGETS, STILL_GIVES
from fleets.rollouts.placing import place_lost
from fleets.rollouts.plan import ACTIVE, State

_SETTLED = frozenset(
    {
        TargetState.EXCLUDED,
        TargetState.REVERTING,
        TargetState.REVERTED,
        TargetState.REVERT_FAILED,
    }
)
_NO_REASON = "It gave no reason."
_PREVIOUS_FAILED = "Its previous configuration failed too."
_TARGET_COLUMNS = (
    *("state", "reason", "state_since", "soak_until"),
    *("is_unverified", "failure", "failed_at", "has_soaked_anew"),
)
_APPLIED = frozenset({TargetState.SOAKING, TargetState.SUCCEEDED})


class Ledger:
    """Attempts, targets, quarantine and memberships of some agents. The status rows are locked before it is read."""

    def __init__(
        self, rows: Mapping[UUID, StatusRow], hashes: Collection[str], now: datetime
    ) -> None:
        self.now = now
        self._rows = rows
        uids = rows.keys()
        self.members = {member.agent_id: member for member in entries.members(uids)}
        self._latest: dict[tuple[UUID, str], AttemptEntry] = {}
        self._in_flight: dict[UUID, list[AttemptEntry]] = defaultdict(list)
        self._targets: dict[UUID, list[TargetEntry]] = defaultdict(list)
        self._read_attempts(uids, hashes)
        self._read_targets(uids)
        self._attempts_changed: dict[UUID, AttemptEntry] = {}
        self._targets_changed: dict[UUID, TargetEntry] = {}
        self._quarantined: dict[tuple[UUID, str], AttemptEntry | None] = {}
        self._lifted: set[tuple[UUID, str]] = set()
        self._desires: dict[UUID, MemberEntry] = {}
        self._unwanted: set[UUID] = set()
        self.rollouts: set[UUID] = set()

    def latest(self, uid: UUID, config_hash: str) -> AttemptEntry | None:
        """The newest attempt of this hash."""
        return self._latest.get((uid, config_hash))

    def in_flight(self, uid: UUID) -> list[AttemptEntry]:
        """Attempts without a final answer, oldest first."""
        return [attempt for attempt in self._in_flight[uid] if attempt.state in IN_FLIGHT]

    def settle(self, attempt: AttemptEntry, state: AttemptState, error: str = "") -> None:
        """Write down what an offer drew."""
        attempt.state, attempt.error = state, error
        self._attempts_changed[attempt.id] = attempt

    def quarantine(self, uid: UUID, config_hash: str, attempt: AttemptEntry | None) -> None:
        """Never offer this hash here again until a person retries it."""
        self._quarantined[uid, config_hash] = attempt
        self._lifted.discard((uid, config_hash))

    def lift(self, uid: UUID, config_hash: str) -> None:
        """The hash may be offered here again."""
        self._quarantined.pop((uid, config_hash), None)
        self._lifted.add((uid, config_hash))

    def fail(self, uid: UUID, attempt: AttemptEntry, state: AttemptState, error: str) -> None:
        """An offer has failed. Quarantine first: it holds from the moment that the failure is known.

        Of a previous configuration on the way to one that is tried again: that has failed with it.
        """
        member = self.members.get(uid)
        desired = member.desired if member else None
        ends_retry = desired is not None and desired.hash == attempt.hash
        self.quarantine(uid, attempt.hash, attempt)
        self.settle(attempt, state, error)
        self.move(uid, attempt, attempt.hash, TargetState.FAILED, error or _NO_REASON)
        if member is not None and member.retry is not None and ends_retry:
            retried = member.retry
            self.quarantine(uid, retried.hash, self.latest(uid, retried.hash))
            self.desire(member, retried)
            self.move(uid, None, retried.hash, TargetState.FAILED, _PREVIOUS_FAILED)

    def lose(self, uid: UUID, attempt: AttemptEntry) -> None:
        """An offer never arrived, so nothing has failed: it may be claimed again where its rollout goes on."""
        self.settle(attempt, AttemptState.LOST)
        target = self._target(uid, attempt, attempt.hash)
        if target is None:
            return
        is_followed = self._is_followed(uid, target)
        placement = place_lost(
            State(target.rollout_state), is_followed=is_followed, is_retried=target.is_retried
        )
        is_settled = target.state in _SETTLED
        if not is_settled:
            target.failure, target.failed_at = "", None
            self._put(target, TargetState(placement.place), placement.reason)
        is_wanted = placement.is_wanted and not is_settled
        if not is_wanted and not self._is_given_anew(uid, target):
            self._unwanted.add(target.id)

    def _is_followed(self, uid: UUID, target: TargetEntry) -> bool:
        """Whether another rollout has this agent now, or it should run another version."""
        desired = self.members[uid].desired if uid in self.members else None
        return (
            desired is None
            or desired.version_id != target.version_id
            or any(one.rollout_state in ACTIVE for one in self._others(uid, target))
        )

    def _is_given_anew(self, uid: UUID, target: TargetEntry) -> bool:
        """Whether a later rollout of the same version has this target too."""
        return any(
            one.version_id == target.version_id and one.state in OPEN_TARGETS
            for one in self._others(uid, target)
        )

    def _others(self, uid: UUID, target: TargetEntry) -> Iterator[TargetEntry]:
        """Where the agent is, but here."""
        return (one for one in self._targets[uid] if one is not target)

    def move(
        self,
        uid: UUID,
        attempt: AttemptEntry | None,
        config_hash: str,
        state: TargetState,
        why: str = "",
    ) -> None:
        """Move the target that this hash belongs to, if there is one."""
        target = self._target(uid, attempt, config_hash)
        if target is None or target.state in _SETTLED or target.state == state:
            return
        self._put(target, state, why)

    def applied(self, uid: UUID, attempt: AttemptEntry | None, config_hash: str) -> None:
        """The target that this hash belongs to runs it: it has succeeded once it has soaked."""
        target = self._target(uid, attempt, config_hash)
        if target is None or target.state in _SETTLED or target.state in _APPLIED:
            return
        if not target.soak_s:
            self._put(target, TargetState.SUCCEEDED)
            return
        target.soak_until = self.now + timedelta(seconds=target.soak_s)
        self._put(target, TargetState.SOAKING)

    def end_soak(
        self, uid: UUID, target_id: UUID, *, has_failed: bool, is_unverified: bool, why: str
    ) -> None:
        """A target that is watched is judged; one that failed is not offered the version again."""
        target = self._watched(uid, target_id)
        if target is None:
            return
        target.is_unverified = is_unverified
        self._put(target, TargetState.FAILED if has_failed else TargetState.SUCCEEDED, why)
        desired = self.members[uid].desired if uid in self.members else None
        if has_failed and desired is not None and desired.version_id == target.version_id:
            self.quarantine(uid, desired.hash, self.latest(uid, desired.hash))

    def soak_anew(self, uid: UUID, target_id: UUID, *, until: datetime, why: str) -> None:
        """A target that was well through its soak is judged by another one."""
        target = self._watched(uid, target_id)
        if target is not None:
            target.soak_until, target.has_soaked_anew = until, True
            self._put(target, TargetState.SOAKING, why)

    def _watched(self, uid: UUID, target_id: UUID) -> TargetEntry | None:
        mine = (one for one in self._targets[uid] if one.id == target_id)
        return next((one for one in mine if one.state in _APPLIED), None)

    def _put(self, target: TargetEntry, state: TargetState, why: str = "") -> None:
        target.state, target.reason = state, why
        if state == TargetState.FAILED:
            target.failure, target.failed_at = why or _NO_REASON, self.now
        elif state == TargetState.SUCCEEDED:
            target.failure, target.failed_at = "", None
        self._targets_changed[target.id] = target
        self.rollouts.add(target.rollout_id)

    def desire(self, member: MemberEntry, rendered: Rendered | None) -> None:
        """End a retry: the member should run `rendered` again."""
        member.desired, member.retry = rendered, None
        self._desires[member.agent_id] = member

    def write(self) -> None:
        """Write everything; the number of statements does not depend on the number of agents."""
        update_rows(
            Attempt,
            match=("id",),
            columns=("state", "error", "answered_at"),
            rows=[
                (one.id, one.state, one.error, self.now) for one in self._attempts_changed.values()
            ],
        )
        update_rows(
            Target,
            match=("id",),
            columns=_TARGET_COLUMNS,
            rows=[
                (
                    *(one.id, one.state, one.reason, self.now, one.soak_until),
                    *(one.is_unverified, one.failure, one.failed_at, one.has_soaked_anew),
                )
                for one in self._targets_changed.values()
            ],
        )
        update_rows(
            Membership,
            match=("agent_id",),
            columns=("desired_id", "retry_id"),
            rows=[
                (one.agent_id, one.desired.id if one.desired else None, None)
                for one in self._desires.values()
            ],
        )
        self._write_quarantine()
        unwanted = Target.objects.filter(pk__in=self._unwanted)
        back = take_back(unwanted) if self._unwanted else []
        pairs = {*self._quarantined, *self._lifted}
        hand_down({*(uid for uid, _ in pairs), *self._desires, *back}, self._rows, now=self.now)

    def _write_quarantine(self) -> None:
        if self._lifted:
            uids, hashes = {uid for uid, _ in self._lifted}, {one for _, one in self._lifted}
            found = Quarantine.objects.filter(agent_id__in=uids, hash__in=hashes)
            pairs = found.values_list("pk", "agent_id", "hash")
            ids = [pk for pk, uid, one in pairs if (uid, one) in self._lifted]
            Quarantine.objects.filter(pk__in=ids).delete()
        Quarantine.objects.bulk_create(
            [
                Quarantine(
                    agent_id=uid,
                    hash=one,
                    attempt_id=attempt.id if attempt else None,
                    since=self.now,
                )
                for (uid, one), attempt in self._quarantined.items()
            ],
            ignore_conflicts=True,
        )

    def _target(
        self, uid: UUID, attempt: AttemptEntry | None, config_hash: str
    ) -> TargetEntry | None:
        mine = self._targets[uid]
        if attempt is not None and attempt.rollout_id is not None:
            return next((one for one in mine if one.rollout_id == attempt.rollout_id), None)
        member = self.members.get(uid)
        if member is None or member.desired is None or member.desired.hash != config_hash:
            return None
        version_id = member.desired.version_id
        of_version = [one for one in mine if one.version_id == version_id]
        active = (one for one in of_version if one.rollout_state in ACTIVE)
        # Of one that is over: who was offline, or is retried.
        late = (
            one
            for one in of_version
            if one.rollout_state in STILL_GIVES and one.state in OPEN_TARGETS
        )
        return next(active, None) or next(late, None)

    def _read_attempts(self, uids: Collection[UUID], hashes: Collection[str]) -> None:
        wanted = Q(state__in=IN_FLIGHT) | Q(hash__in=hashes)
        for attempt in entries.attempts(uids, wanted):
            self._latest[attempt.agent_id, attempt.hash] = attempt
            self._in_flight[attempt.agent_id].append(attempt)

    def _read_targets(self, uids: Collection[UUID]) -> None:
        rollouts = {attempt.rollout_id for attempt in self._latest.values() if attempt.rollout_id}
        for target in entries.targets(uids, rollouts):
            self._targets[target.agent_id].append(target)
