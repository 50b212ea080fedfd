"""What decides where the targets of a rollout stand, from the database."""

from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

from agents.snapshot import ConfigStatus, may_take_config
from agents.store import StatusRow
from fleets.models import ArrivalMode, Membership, Quarantine, RenderedConfig, Rollout
from fleets.rollouts.engine.desires import applied_hash
from fleets.rollouts.past import ways_again
from fleets.rollouts.placing import Again, TargetFacts


def facts_of(
    rollout: Rollout,
    rendered: RenderedConfig,
    members: Mapping[UUID, Membership],
    rows: Mapping[UUID, StatusRow],
) -> dict[UUID, TargetFacts]:
    """The facts about each of these agents: one query, one more where some of them are to try it again.

    members: of the rollout's fleet; who is missing has left it. What fails during a forced rollout is not tried again
    by it.
    """
    past = _past(rollout, rendered, members, rows)
    return {
        uid: TargetFacts(
            is_managed=uid in members and members[uid].mode == ArrivalMode.MANAGED,
            accepts_config=may_take_config(row.agent.capabilities),
            is_connected=row.connected,
            is_quarantined=uid in past.failed,
            has_applied=applied_hash(row) == rendered.hash,
            again=past.again.get(uid),
        )
        for uid, row in rows.items()
    }


class _Past(NamedTuple):
    """On whom the version failed before, and how those are tried again that are to be."""

    failed: Collection[UUID]
    again: Mapping[UUID, Again]


def _past(
    rollout: Rollout,
    rendered: RenderedConfig,
    members: Mapping[UUID, Membership],
    rows: Mapping[UUID, StatusRow],
) -> _Past:
    found = Quarantine.objects.filter(hash=rendered.hash, agent_id__in=list(rows))
    since = dict(found.values_list("agent_id", "since"))
    going_back = {uid for uid, member in members.items() if member.retry_id == rendered.pk}
    again = dict.fromkeys(going_back, Again.VIA_PREVIOUS)
    left = _left_in_failure(rendered, {*since, *going_back}, rows)
    if rollout.is_forced:
        left |= {uid for uid, at in since.items() if at < rollout.created_at}
    before = dict.fromkeys(left, rendered.hash)
    again |= ways_again(before, {uid: applied_hash(rows[uid]) for uid in before})
    return _Past(since, again)


def _left_in_failure(
    rendered: RenderedConfig, others: Collection[UUID], rows: Mapping[UUID, StatusRow]
) -> set[UUID]:
    """Who was to try it again and was told of another version before it had gone back: it says FAILED of it still, and
    is not offered what it acknowledged last.
    """
    return {
        uid
        for uid, row in rows.items()
        if uid not in others
        and row.remote_config_status == ConfigStatus.FAILED
        and row.remote_config_hash == rendered.hash
    }
