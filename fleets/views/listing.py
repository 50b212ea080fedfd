"""The list of fleets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from agents.attention import MEANING
from fleets.models import Fleet, Membership, Rollout
from fleets.rollouts.plan import ACTIVE
from fleets.views.numbers import (
    FleetNumbers,
    VersionName,
    names_of,
    numbers_of,
    status_segments,
    version_segments,
)
from telflo.base.access import Action, may
from telflo.base.guard import requires
from telflo.ui.bars import Segment
from telflo.ui.shelves import shelf_of


@dataclass(frozen=True, slots=True)
class Row:
    """One fleet in the list."""

    fleet: Fleet
    numbers: FleetNumbers
    statuses: Sequence[Segment]
    versions: Sequence[Segment]
    rollout: Rollout | None


@requires(Action.VIEW)
def listing(request: HttpRequest) -> HttpResponse:
    """All fleets by name; `?archived=1` shows those out of use."""
    shelf = shelf_of(request, Fleet.objects.all(), _shaped)
    context = {
        "shelf": shelf,
        "rows": _rows(shelf.page.items),
        "attention": MEANING,
        "may_edit": may(request.user, Action.EDIT),
    }
    return render(request, "fleets/list.html", context)


def _shaped(found: QuerySet[Fleet]) -> QuerySet[Fleet]:
    return found.select_related("version__configuration").defer("version__yaml")


def _rows(fleets: Sequence[Fleet]) -> list[Row]:
    numbers = numbers_of(Membership.objects.filter(fleet__in=[fleet.pk for fleet in fleets]))
    names = names_of(numbers.values())
    active = Rollout.objects.filter(fleet__in=[fleet.pk for fleet in fleets], state__in=ACTIVE)
    rollouts = {rollout.fleet_id: rollout for rollout in active}
    return [_row(fleet, numbers, names, rollouts) for fleet in fleets]


def _row(
    fleet: Fleet,
    numbers: Mapping[UUID, FleetNumbers],
    names: Mapping[UUID, VersionName],
    rollouts: Mapping[UUID, Any],
) -> Row:
    own = numbers.get(fleet.pk, FleetNumbers())
    configuration = fleet.version.configuration.name if fleet.version else ""
    return Row(
        fleet=fleet,
        numbers=own,
        statuses=status_segments(own, fleet.slug),
        versions=version_segments(own, names, fleet.slug, configuration),
        rollout=rollouts.get(fleet.pk),
    )
