"""Locks in the one order that all writers keep (docs/architecture.md, "Locks"), so that they never deadlock."""

from collections.abc import Collection
from uuid import UUID

from agents import store
from fleets.models import Fleet, Membership, Rollout
from fleets.rollouts.plan import ACTIVE


def hold(uids: Collection[UUID], *, to: UUID | None = None) -> None:
    """Everything that a change of these members' place needs: their fleets and `to`, what is under way there, their
    status rows. In the caller's transaction, before anything else is written.
    """
    fleets = set(Membership.objects.filter(agent_id__in=uids).values_list("fleet_id", flat=True))
    hold_fleets(fleets if to is None else fleets | {to})
    store.hold(uids)


def hold_fleets(fleet_ids: Collection[UUID]) -> None:
    """Fleets, then the rollouts that are under way in them: a rollout that starts sees all members, or they see it."""
    fleets = Fleet.objects.select_for_update(no_key=True).filter(pk__in=fleet_ids)
    list(fleets.order_by("pk").values_list("pk"))
    rollouts = Rollout.objects.select_for_update(no_key=True)
    active = rollouts.filter(fleet_id__in=fleet_ids, state__in=ACTIVE)
    list(active.order_by("pk").values_list("pk"))


def locked(rollout_id: UUID) -> Rollout | None:
    """A rollout with its fleet, locked after its fleet; None when it is gone."""
    # The fleet first: a rollout that succeeds writes it.
    fleets = Fleet.objects.select_for_update(of=("self",), no_key=True)
    list(fleets.filter(rollouts=rollout_id).values_list("pk"))
    rollouts = Rollout.objects.select_for_update(of=("self",), no_key=True)
    return rollouts.select_related("fleet").filter(pk=rollout_id).first()
