"""What members should run, and handing it down to the status rows and out to the gateways."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, OuterRef, Prefetch, QuerySet, Subquery, When

from agents import notify, store
from agents.models import AgentStatus
from agents.snapshot import ConfigStatus
from agents.store import IntentChange, StatusRow
from fleets.models import ArrivalMode, Membership, RenderedConfig, Target
from fleets.rollouts.engine.states import DUE
from fleets.rollouts.past import failed_there


def with_desired(members: QuerySet[Membership]) -> QuerySet[Membership]:
    """Members with what they should run, without its body: one object for all that should run the same."""
    rendered = RenderedConfig.objects.defer("body")
    found = members.annotate(has_failed=failed_there("desired__hash"))
    return found.prefetch_related(Prefetch("desired", queryset=rendered))


def applied_hash(row: AgentStatus | StatusRow) -> str:
    """The hash that the agent acknowledged last, if it was as applied; else ""."""
    is_applied = row.remote_config_status == ConfigStatus.APPLIED
    return row.remote_config_hash if is_applied else ""


def ran_well(member: Membership, row: StatusRow) -> bool:
    """Whether the agent runs its desired configuration, and that did not fail there after it was applied.

    member: of with_desired().
    """
    has_failed: bool = member.has_failed  # type: ignore[attr-defined]  # an annotation
    return (
        member.desired is not None and applied_hash(row) == member.desired.hash and not has_failed
    )


def last_good_id(member: Membership, row: StatusRow) -> UUID | None:
    """What a member runs well now, else what it ran well before."""
    return member.desired_id if ran_well(member, row) else member.previous_id


def desire(uids: Collection[UUID], good: Collection[UUID], rendered: RenderedConfig | None) -> None:
    """Make `rendered` what these members should run: two statements.

    good: those of them that run their present one well, which becomes their previous one.
    """
    changing = Membership.objects.filter(agent_id__in=good)
    if rendered is not None:
        changing = changing.exclude(desired=rendered)
    changing.update(previous=F("desired"))
    Membership.objects.filter(agent_id__in=uids).update(desired=rendered, retry=None)


def desire_again(uids: Collection[UUID], rendered: RenderedConfig) -> None:
    """Make these members run their previous configuration, and then `rendered`, which failed there: one statement."""
    Membership.objects.filter(agent_id__in=uids).update(desired=F("previous"), retry=rendered)


def take_back(targets: QuerySet[Target]) -> list[UUID]:
    """Make what they had before what those of these should run that are to be offered the version, unless they moved to
    another fleet. Answers who: their status rows are locked, and the caller hands it down. Two statements.
    """
    held = targets.filter(DUE, agent__membership__fleet=F("rollout__fleet"))
    due = dict(held.values_list("pk", "agent_id"))
    mine = Target.objects.filter(pk__in=list(due), agent=OuterRef("agent_id"))
    members = Membership.objects.filter(agent_id__in=list(due.values()))
    members.update(desired=Subquery(mine.values(had=_HAD)[:1]))
    return list(due.values())


_HAD: Final = Case(
    When(previous__version=F("rollout__version"), then=F("agent__membership__previous")),
    default=F("previous"),
)
"""What a target had; where the version itself is tried again, what its agent ran well."""


def hand_down(uids: Collection[UUID], rows: Mapping[UUID, StatusRow], *, now: datetime) -> None:
    """Bring the status rows' intent up to the memberships' truth, and hint at the gateways on commit.

    rows: the locked status rows of these, and maybe of others.
    """
    if not uids:
        return
    members = Membership.objects.filter(agent_id__in=uids)
    members = members.annotate(has_failed=failed_there("desired__hash"))
    store.set_intent(
        [
            IntentChange(
                instance_uid=uid,
                is_managed=mode == ArrivalMode.MANAGED,
                desired_hash=desired or "",
                attempt_failed=has_failed,
            )
            for uid, mode, desired, has_failed in members.values_list(
                "agent_id", "mode", "desired__hash", "has_failed"
            )
        ],
        now=now,
        rows=rows,
    )
    transaction.on_commit(partial(notify.poke, frozenset(uids)), robust=True)
