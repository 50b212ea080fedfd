"""What people do to fleets and their members. Access is checked by the caller; every change is in the activity log."""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from agents import store
from agents.models import Agent
from agents.services import Outcome
from agents.store import RETRIED, NewEvent
from configs.models import ConfigVersion
from fleets.errors import FleetInUse, NobodyRetried
from fleets.many import change_fleet, check_open, drop_agents, only_one, touch_fleets
from fleets.models import ArrivalMode, Fleet, Membership, Rollout
from fleets.rollouts import engine
from fleets.rollouts.services import check_published
from fleets.tasks import advance_on_commit
from fleets.tokens import Expiry, IssuedToken, end_enrolment, issue_token
from telflo.base import activity, clock
from telflo.base.activity import Actor
from telflo.base.errors import Conflict, DomainError, NotFound

LONGEST_NAME: Final = 100
LONGEST_DESCRIPTION: Final = 500
LONGEST_SLUG: Final = 60
_NAME_TAKEN: Final = "A fleet of this name exists. Choose another name."


def create_fleet(
    *,
    name: str,
    version: ConfigVersion | None,
    actor: Actor,
    description: str = "",
    arrival_mode: ArrivalMode = ArrivalMode.MANAGED,
    expiry_ends_access: bool = False,
) -> Fleet:
    """Make a fleet. Without a version it only observes. Raises DomainError."""
    now = clock.now()
    if version is not None:
        check_published(version)
    fleet = Fleet(
        name=_check_name(name),
        description=_check_description(description),
        version=version,
        stable_version=version,
        arrival_mode=arrival_mode,
        expiry_ends_access=expiry_ends_access,
        created_by=actor.user,
        created_at=now,
        updated_at=now,
    )
    with transaction.atomic():
        fleet.slug = _free_slug(fleet.name)
        _save_named(fleet, force_insert=True)
        activity.record(actor=actor, action="fleet.create", obj=fleet, after=_shown(fleet))
        touch_fleets(fleet)
    return fleet


@transaction.atomic
def create_fleet_with_token(
    *, actor: Actor, expires: Expiry | datetime | None, **fleet: Any
) -> tuple[Fleet, IssuedToken | None]:
    """Make a fleet and its first enrolment token; expires None: no token. Raises DomainError, and then makes neither.

    `fleet` is what create_fleet takes.
    """
    made = create_fleet(actor=actor, **fleet)
    if expires is None:
        return made, None
    name = f"{made.name}, first"[:LONGEST_NAME]
    return made, issue_token(fleet=made, name=name, expires=expires, actor=actor)


def update_fleet(
    *,
    fleet: Fleet,
    actor: Actor,
    name: str | None = None,
    description: str | None = None,
    arrival_mode: ArrivalMode | None = None,
    expiry_ends_access: bool | None = None,
) -> Fleet:
    """Change what is given, and answer the fleet as it is then; the slug stays, since addresses hold it.

    Raises DomainError.
    """
    wanted = {
        "name": None if name is None else _check_name(name),
        "description": None if description is None else _check_description(description),
        "arrival_mode": arrival_mode,
        "expiry_ends_access": expiry_ends_access,
    }
    with transaction.atomic():
        rows = Fleet.objects.select_related("version__configuration").defer("version__yaml")
        fleet = rows.select_for_update(of=("self",), no_key=True).get(pk=fleet.pk)
        before = _shown(fleet)
        changed = _put(fleet, wanted)
        if not changed:
            return fleet
        fleet.updated_at = clock.now()
        _save_named(fleet, update_fields=[*changed, "updated_at"])
        activity.record(
            actor=actor, action="fleet.update", obj=fleet, before=before, after=_shown(fleet)
        )
        touch_fleets(fleet)
    return fleet


def _put(fleet: Fleet, wanted: Mapping[str, Any]) -> list[str]:
    """Set what is given and differs; answers the names of those fields."""
    changed = [
        field
        for field, value in wanted.items()
        if value is not None and value != getattr(fleet, field)
    ]
    for field in changed:
        setattr(fleet, field, wanted[field])
    return changed


def archive_fleet(*, fleet: Fleet, actor: Actor, reason: str = "") -> Fleet:
    """Take an empty fleet out of use: its tokens let nobody new in. Raises FleetInUse while it has members."""
    with transaction.atomic():
        fleet = Fleet.objects.select_for_update(no_key=True).get(pk=fleet.pk)
        count = fleet.memberships.count()
        if count:
            raise FleetInUse(
                f"{fleet} still has {count} collector{'s' if count > 1 else ''}."
                " Move or forget them first.",
                code="fleet_in_use",
            )
        if fleet.archived_at is None:
            fleet.archived_at = fleet.updated_at = clock.now()
            fleet.save(update_fields=["archived_at", "updated_at"])
            why = f"The fleet {fleet} was archived."
            end_enrolment(fleet, actor=actor, reason=why)
            activity.record(actor=actor, action="fleet.archive", obj=fleet, reason=reason)
            touch_fleets(fleet)
    return fleet


def move_agent(*, agent: Agent, fleet: Fleet, actor: Actor, reason: str = "") -> Membership:
    """Make an agent a member of another fleet; it keeps the token that it enrolled by. Raises DomainError."""
    check_open(fleet)
    with transaction.atomic():
        member = _member(agent)
        before = member.fleet
        if before.pk == fleet.pk:
            return member
        change_fleet([member], fleet, now=clock.now())
        activity.record(
            actor=actor,
            action="agent.move",
            obj=agent,
            fleet_id=fleet.pk,
            reason=reason,
            before={"fleet": before.name},
            after={"fleet": fleet.name},
        )
    return member


def forget_agent(*, agent: Agent, actor: Actor, reason: str = "") -> None:
    """Delete an agent and its history; its connection is closed. If it comes back it is new (decision 14)."""
    with transaction.atomic():
        member = Membership.objects.filter(agent=agent).first()
        activity.record(
            actor=actor,
            action="agent.forget",
            obj=agent,
            fleet_id=member.fleet_id if member else None,
            reason=reason,
        )
        drop_agents([agent.pk], now=clock.now())


def retry_agent(*, agent: Agent, actor: Actor, reason: str = "", of: Rollout | None = None) -> None:
    """Try what failed on this agent once more, by way of its previous version. Raises CannotRetry.

    of: only if that is this rollout's version.
    """
    now = clock.now()
    with transaction.atomic():
        member = _member(agent)
        rollouts = engine.retry(agent.pk, of=of, now=now)
        advance_on_commit(rollouts)
        store.add_events([NewEvent(agent.pk, now, RETRIED, {"by": actor.label})])
        activity.record(
            actor=actor,
            action="agent.retry",
            obj=agent,
            fleet_id=member.fleet_id,
            reason=reason,
        )


def retry_agents(*, uids: Collection[UUID], actor: Actor, reason: str = "") -> Outcome:
    """The same for several, each by a way of its own: a fixed number of statements, one entry in the activity log."""
    with transaction.atomic():
        fleets, retried, refused = _retry_many(uids, actor, of=None)
        if retried:
            activity.record_many(
                actor=actor,
                action="agent.retry",
                kind="agent",
                labels=retried,
                noun="collector",
                fleet_id=only_one({fleets[uid] for uid in retried}),
                reason=reason,
            )
    return Outcome(len(retried), refused)


def retry_targets(
    *, rollout: Rollout, uids: Collection[UUID], actor: Actor, reason: str = ""
) -> Outcome:
    """The same for targets on which the version of the rollout failed. Raises NobodyRetried where it is for none."""
    targets = rollout.targets.filter(agent__in=uids)
    mine = set(targets.values_list("agent_id", flat=True))
    with transaction.atomic():
        _, retried, why_not = _retry_many(mine, actor, of=rollout)
        strangers = [f"{uid}: It is no target of {rollout}." for uid in sorted({*uids} - mine)]
        refused = [*why_not, *strangers]
        if not retried:
            why = refused[0] if refused else f"{rollout.version} failed on none of those."
            raise NobodyRetried(f"Nobody was retried. {why}", code="nobody_retried")
        named = {str(uid): name for uid, name in islice(retried.items(), activity.MOST_NAMED)}
        activity.record(
            actor=actor,
            action="rollout.retry",
            obj=rollout,
            fleet_id=rollout.fleet_id,
            label=f"{rollout.version} to {rollout.fleet}",
            reason=reason,
            after={"count": len(retried), "collectors": named},
        )
    return Outcome(len(retried), refused)


def _retry_many(
    uids: Collection[UUID], actor: Actor, of: Rollout | None
) -> tuple[Mapping[UUID, UUID], Mapping[UUID, str], list[str]]:
    """Answers the fleets of those that are in one, the names of those that are retried, and why the others are not."""
    now = clock.now()
    names = dict(Agent.objects.filter(pk__in=uids).values_list("pk", "display_name"))
    members = Membership.objects.filter(agent_id__in=names)
    fleets = dict(members.values_list("agent_id", "fleet_id"))
    done = engine.retry_many(fleets.keys(), now=now, of=of)
    retried = {uid: names[uid] for uid in fleets if uid not in done.refused}
    if retried:
        advance_on_commit(done.rollouts)
        store.add_events(NewEvent(uid, now, RETRIED, {"by": actor.label}) for uid in retried)
    why = {uid: f"{names[uid]} is in no fleet." for uid in names.keys() - fleets.keys()}
    refused = sorted(f"{names[uid]}: {words}" for uid, words in {**why, **done.refused}.items())
    return fleets, retried, refused


def way_of_retry(agent: Agent) -> engine.RetryWay:
    """What a retry would offer, in order. Raises CannotRetry, and NotFound for an agent in no fleet."""
    return engine.way_of_retry(_member(agent).agent_id)


def set_mode(*, agent: Agent, mode: ArrivalMode, actor: Actor, reason: str = "") -> Membership:
    """Adopt an agent (managed: it gets the fleet's version) or only look at it from now on (decision 15)."""
    now = clock.now()
    with transaction.atomic():
        engine.hold([agent.pk])
        member = _member(agent)
        before = member.mode
        if before == mode:
            return member
        member.mode = mode
        member.save(update_fields=["mode"])
        left = engine.exclude([agent.pk], reason="It is only observed now.", now=now)
        advance_on_commit([*left, engine.join([agent.pk], now=now)])
        store.add_events([NewEvent(agent.pk, now, "mode", {"mode": mode.value})])
        activity.record(
            actor=actor,
            action="agent.adopt" if mode == ArrivalMode.MANAGED else "agent.observe",
            obj=agent,
            fleet_id=member.fleet_id,
            reason=reason,
            before={"mode": before},
            after={"mode": mode.value},
        )
        touch_fleets(member.fleet)
    return member


def _member(agent: Agent) -> Membership:
    member = Membership.objects.select_related("fleet").filter(agent=agent).first()
    if member is None:
        raise NotFound(f"{agent} is in no fleet.", code="not_found")
    return member


def _check_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise DomainError(f"A fleet's name has 1 to {LONGEST_NAME} characters.", field="name")
    return name


def _check_description(description: str) -> str:
    description = description.strip()
    if len(description) > LONGEST_DESCRIPTION:
        raise DomainError(
            f"A fleet's description has at most {LONGEST_DESCRIPTION} characters.",
            field="description",
        )
    return description


def _free_slug(name: str) -> str:
    stem = slugify(name)[: LONGEST_SLUG - 5].strip("-") or "fleet"
    taken = {"new", *Fleet.objects.filter(slug__startswith=stem).values_list("slug", flat=True)}
    candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 10_000))
    return next(slug for slug in candidates if slug not in taken)


def _save_named(fleet: Fleet, **how: Any) -> None:
    try:
        with transaction.atomic():
            fleet.save(**how)
    except IntegrityError as error:
        raise Conflict(_NAME_TAKEN, field="name", code="name_taken") from error


def _shown(fleet: Fleet) -> dict[str, Any]:
    return {
        "name": fleet.name,
        "description": fleet.description,
        "version": str(fleet.version) if fleet.version else None,
        "arrival_mode": str(fleet.arrival_mode),
        "expiry_ends_access": fleet.expiry_ends_access,
    }
