"""What members go back to when the rollout that begins is taken back: what they should run before it."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import Q

from agents.store import StatusRow
from fleets.models import Membership, Rollout, Target, TargetState
from fleets.rollouts.engine.desires import ran_well


def backs_of(
    rollout: Rollout,
    members: Mapping[UUID, Membership],
    rows: Mapping[UUID, StatusRow],
    superseded: Collection[UUID],
) -> dict[UUID, UUID | None]:
    """Rendered configurations by agent, None for nothing of ours. One query.

    What a member should run counts, be it that it was away and does not run it yet, or that it failed there: then it
    needs attention again once all is back. But not what a rollout that is superseded brought, or what this one brings
    anew, where that did not run well.

    members: of with_desired() · rows: their status rows, locked · superseded: rollouts that this one ends.
    """
    ending = Target.objects.filter(
        Q(rollout__in=superseded) | Q(state=TargetState.REVERTING), agent_id__in=list(members)
    )
    going_back: dict[UUID, UUID | None] = {}
    unproven: dict[UUID, UUID | None] = {}
    for uid, previous_id, state in ending.values_list("agent_id", "previous_id", "state"):
        (going_back if state == TargetState.REVERTING else unproven)[uid] = previous_id
    found = {}
    for uid, member in members.items():
        is_meant = uid not in unproven and not _is_of(member, rollout.version_id)
        is_stable = _is_of(member, rollout.fleet.stable_version_id)
        counts = is_meant or is_stable or ran_well(member, rows[uid])
        intent = member.desired_id if counts else unproven.get(uid)
        found[uid] = going_back.get(uid) or intent or member.previous_id
    return found


def _is_of(member: Membership, version_id: UUID | None) -> bool:
    return member.desired is not None and member.desired.version_id == version_id
