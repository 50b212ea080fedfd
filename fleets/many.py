"""What people do to many members at once: one transaction, a fixed number of statements, one entry in the activity log.

Access is checked by the caller.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from agents import notify, store
from agents.models import Agent
from agents.services import Outcome
from agents.store import NewEvent
from fleets.credentials import end_of_forgotten
from fleets.models import Fleet, Membership
from fleets.rollouts import engine
from fleets.tasks import advance_on_commit
from telflo.base import activity, clock, hints
from telflo.base.activity import Actor
from telflo.base.errors import Conflict


def move_agents(*, uids: Collection[UUID], fleet: Fleet, actor: Actor, reason: str = "") -> Outcome:
    """Make agents members of another fleet; who is there already stays. Raises DomainError for an archived fleet."""
    check_open(fleet)
    with transaction.atomic():
        names = dict(Agent.objects.filter(pk__in=uids).values_list("pk", "display_name"))
        members = list(Membership.objects.select_related("fleet").filter(agent_id__in=uids))
        moving = [member for member in members if member.fleet_id != fleet.pk]
        if moving:
            change_fleet(moving, fleet, now=clock.now())
            activity.record_many(
                actor=actor,
                action="agent.move",
                kind="agent",
                labels={member.agent_id: names[member.agent_id] for member in moving},
                noun="collector",
                fleet_id=fleet.pk,
                reason=reason,
                after={"fleet": fleet.name},
            )
    in_none = sorted(names.keys() - {member.agent_id for member in members})
    refused = [f"{names[uid]}: {names[uid]} is in no fleet." for uid in in_none]
    return Outcome(len(members), refused)


def forget_agents(*, uids: Collection[UUID], actor: Actor, reason: str = "") -> Outcome:
    """Delete agents and their history; their connections are closed."""
    with transaction.atomic():
        names = dict(Agent.objects.filter(pk__in=uids).values_list("pk", "display_name"))
        fleets = set(
            Membership.objects.filter(agent_id__in=uids).values_list("fleet_id", flat=True)
        )
        if names:
            activity.record_many(
                actor=actor,
                action="agent.forget",
                kind="agent",
                labels=names,
                noun="collector",
                fleet_id=only_one(fleets),
                reason=reason,
            )
            drop_agents(names.keys(), now=clock.now())
    return Outcome(len(names), [])


def change_fleet(members: Sequence[Membership], fleet: Fleet, *, now: datetime) -> None:
    """Take members (with their fleets) out of what runs there and into this fleet, in the caller's transaction."""
    uids = [member.agent_id for member in members]
    before = {member.agent_id: member.fleet for member in members}
    engine.hold(uids, to=fleet.pk)
    left = engine.exclude(uids, reason=f"It was moved to the fleet {fleet}.", now=now)
    Membership.objects.filter(agent_id__in=uids).update(fleet=fleet)
    advance_on_commit([*left, engine.join(uids, now=now)])
    to = {"to": fleet.name, "fleet_id": str(fleet.pk)}
    store.add_events(
        NewEvent(uid, now, "moved", {"from": old.name, **to}) for uid, old in before.items()
    )
    for member in members:
        member.fleet = fleet
    touch_fleets(fleet, *before.values())


def drop_agents(uids: Collection[UUID], *, now: datetime) -> None:
    """Delete agents with all that is theirs, in the caller's transaction; their targets keep their names."""
    why = "The collector was forgotten."
    fleets = Fleet.objects.filter(memberships__agent__in=uids).distinct()
    touch_fleets(*fleets)
    left = engine.exclude(uids, reason=why, now=now)
    engine.keep_names(uids)
    Agent.objects.filter(pk__in=uids).delete()
    end_of_forgotten(uids, now=now)
    advance_on_commit(left)
    transaction.on_commit(partial(notify.close_agents, list(uids), why), robust=True)


def only_one(fleets: Collection[UUID]) -> UUID | None:
    """The fleet that an entry of the activity log is about, None where it is about several."""
    return next(iter(fleets)) if len(fleets) == 1 else None


def check_open(fleet: Fleet) -> None:
    """Raise Conflict for a fleet out of use."""
    if fleet.archived_at is not None:
        raise Conflict(f"The fleet {fleet} is archived. Choose another.", field="fleet")


def touch_fleets(*fleets: Fleet) -> None:
    """Tell open pages once the transaction holds."""
    hints.touch_on_commit({"fleets", "overview", "agents", *(f"fleet:{one.pk}" for one in fleets)})
