"""Rollouts begin: who is a target, in which stage, and what each goes back to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q

from agents import store
from agents.store import StatusRow
from configs.models import ConfigVersion
from fleets.models import (
    ArrivalMode,
    Fleet,
    Membership,
    Rollout,
    RolloutState,
    Stage,
    Target,
    TargetState,
)
from fleets.rendering import render_version
from fleets.rollouts import plan
from fleets.rollouts.engine.before import backs_of
from fleets.rollouts.engine.desires import hand_down, take_back, with_desired
from fleets.rollouts.engine.facts import facts_of
from fleets.rollouts.engine.lifecycle import go_on
from fleets.rollouts.engine.states import OPEN_TARGETS
from fleets.rollouts.placing import gets_it
from fleets.rollouts.shares import Candidate, divide, seed_of
from fleets.rollouts.strategy import Strategy
from fleets.rollouts.traits import chosen_traits, zone_in
from fleets.rollouts.whom import members_for
from telflo.base.hints import touch_on_commit
from telflo.base.models import User

_NUMBER_TRIES: Final = 5


def start(
    *,
    fleet_id: UUID,
    version: ConfigVersion,
    strategy: Strategy,
    reason: str,
    created_by: User | None,
    force: bool,
    now: datetime,
) -> Rollout:
    """Begin to move a fleet's managed members to a version; what ran before is superseded.

    force: also those on which it failed before, by way of their previous version. Of a version that the fleet has only
    those are moved that lack it.
    The strategy holds (Strategy.check). The caller advances it once the transaction holds. Without members it has
    succeeded already.
    """
    with transaction.atomic():
        fleet = Fleet.objects.select_for_update(no_key=True).get(pk=fleet_id)
        rollout = _rollout(fleet, version, strategy, now)
        rollout.reason, rollout.created_by = reason[:500], created_by
        rollout.is_forced = force
        active = Rollout.objects.select_for_update(no_key=True).filter(
            fleet=fleet, state__in=plan.ACTIVE
        )
        superseded = [one.pk for one in active]
        members = _managed_members(fleet, members_for(fleet, version))
        rows = store.lock(members)
        backs = backs_of(rollout, members, rows, superseded)
        _supersede(superseded, rows, f"{version} was assigned meanwhile.", now)
        _number(rollout)
        stages = _add_stages(rollout, strategy)
        _add_targets(rollout, stages, strategy, members, rows, backs, now)
        fleet.version, fleet.updated_at = version, now
        fleet.save(update_fields=["version", "updated_at"])
        if not rollout.targets.exists():
            go_on(rollout, now)
        touch_on_commit(
            {"fleets", "rollouts", "overview", f"fleet:{fleet.pk}", f"rollout:{rollout.pk}"}
        )
    return rollout


def _rollout(fleet: Fleet, version: ConfigVersion, strategy: Strategy, now: datetime) -> Rollout:
    window = strategy.window
    return Rollout(
        fleet=fleet,
        version=version,
        # One that was cancelled half-way left the fleet its version: it came from the one before.
        from_version=fleet.stable_version if fleet.version_id == version.pk else fleet.version,
        automatic_rollback=strategy.automatic_rollback,
        apply_timeout_s=int((strategy.apply_timeout or settings.APPLY_TIMEOUT).total_seconds()),
        soak_s=int(strategy.soak.total_seconds()),
        max_in_flight=strategy.max_in_flight,
        waits_for_offline=strategy.waits_for_offline,
        zone_key=strategy.zone_key,
        zone_limit=strategy.zone_limit,
        window_days=window.days_text if window else "",
        window_hours=window.hours_text if window else "",
        window_zone=window.zone if window else "",
        created_at=now,
        state_since=now,
    )


def _add_stages(rollout: Rollout, strategy: Strategy) -> list[Stage]:
    return Stage.objects.bulk_create(
        [
            Stage(
                rollout=rollout,
                index=index,
                name=stage.name,
                percent=stage.share.percent,
                count=stage.share.count,
                selector=str(stage.share.selector or ""),
                failure_budget_percent=stage.budget.percent,
                failure_budget_count=stage.budget.count,
                bake_s=int(stage.bake.total_seconds()),
            )
            for index, stage in enumerate(strategy.stages)
        ]
    )


def _add_targets(
    rollout: Rollout,
    stages: list[Stage],
    strategy: Strategy,
    members: Mapping[UUID, Membership],
    rows: Mapping[UUID, StatusRow],
    backs: Mapping[UUID, UUID | None],
    now: datetime,
) -> None:
    """Each of these members, with what it goes back to: its own, not the fleet's."""
    traits = chosen_traits(rows, strategy.traits)
    rendered = render_version(rollout.version, now=now)
    candidates = [
        Candidate(uid, facts.is_connected, traits.get(uid, {}), gets_it=gets_it(facts))
        for uid, facts in facts_of(rollout, rendered, members, rows).items()
    ]
    seed = seed_of(rollout.fleet_id, rollout.version_id)
    chosen = divide(candidates, [stage.share for stage in strategy.stages], seed)
    Target.objects.bulk_create(
        [
            Target(
                rollout=rollout,
                stage=stages[chosen[uid]],
                agent_id=uid,
                agent_label=str(row.agent),
                previous_id=backs[uid],
                zone=zone_in(traits.get(uid, {}), strategy.zone_key),
                state_since=now,
            )
            for uid, row in rows.items()
        ],
        batch_size=1_000,
    )


def _supersede(
    rollout_ids: list[UUID], members: Mapping[UUID, StatusRow], why: str, now: datetime
) -> None:
    """What is under way ends, also of rollouts that are over where these members are concerned. What they were not
    offered yet is taken back: the stage of the version that follows may be days away.
    """
    Rollout.objects.filter(pk__in=rollout_ids).update(
        state=RolloutState.SUPERSEDED, state_since=now, state_reason=why, finished_at=now
    )
    mine = Target.objects.filter(agent_id__in=members)
    back = take_back(mine.filter(rollout__in=rollout_ids, state__in=OPEN_TARGETS))
    hand_down(back, members, now=now)
    open_targets = [*OPEN_TARGETS, TargetState.SOAKING, TargetState.REVERTING]
    theirs = Q(rollout__in=rollout_ids) | Q(agent_id__in=members)
    Target.objects.filter(theirs, state__in=open_targets).update(
        state=TargetState.EXCLUDED, state_since=now, reason=why
    )
    Membership.objects.filter(agent_id__in=members).exclude(retry=None).update(retry=None)


def _number(rollout: Rollout) -> None:
    """Save under the next number; two fleets may ask for it at the same moment."""
    for tries_left in reversed(range(_NUMBER_TRIES)):
        rollout.number = (Rollout.objects.aggregate(last=Max("number"))["last"] or 0) + 1
        try:
            with transaction.atomic():
                rollout.save(force_insert=True)
        except IntegrityError:
            if not tries_left:
                raise
        else:
            return


def _managed_members(fleet: Fleet, chosen: Q) -> dict[UUID, Membership]:
    members = Membership.objects.filter(chosen, fleet=fleet, mode=ArrivalMode.MANAGED)
    return {member.agent_id: member for member in with_desired(members)}
