"""Fleets at a glance and what people did last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agents.models import Health
from fleets.models import Fleet
from telflo.base.deeds import SIGN_INS
from telflo.base.models import Activity
from telflo.home.counts import FleetNumbers, Numbers
from telflo.ui.bars import Segment, segments_of

MOST_FLEETS: Final = 8
MOST_ENTRIES: Final = 8


@dataclass(frozen=True, slots=True)
class FleetGlance:
    """One fleet in one line."""

    name: str
    slug: str
    collectors: int
    unhealthy: int
    segments: Sequence[Segment]
    version: str
    coming: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the activity log in words."""

    tone: str
    icon: str
    who: str
    what: str
    reason: str
    at: datetime


def fleets_at_a_glance(numbers: Numbers) -> tuple[list[FleetGlance], int]:
    """The largest fleets, and how many there are in all, in one query."""
    fleets = list(
        Fleet.objects.active().values_list(
            "id",
            "name",
            "slug",
            "version__configuration__name",
            "version__number",
            "stable_version__configuration__name",
            "stable_version__number",
        )
    )
    none = FleetNumbers()
    rows = [(numbers.by_fleet.get(fleet[0], none), fleet[1:]) for fleet in fleets]
    rows.sort(key=lambda row: -row[0].by_status.total())
    return [_glance(fleet, counts) for counts, fleet in rows[:MOST_FLEETS]], len(rows)


def _glance(
    row: tuple[str, str, str | None, int | None, str | None, int | None], counts: FleetNumbers
) -> FleetGlance:
    name, slug, configuration, number, stable_configuration, stable_number = row
    version, coming = "", ""
    if configuration is not None:
        version = f"{configuration} v{number}"
        is_moving = stable_number is not None and (stable_configuration, stable_number) != (
            configuration,
            number,
        )
        if is_moving:
            coming = f"v{number}" if stable_configuration == configuration else version
            version = f"{stable_configuration} v{stable_number}"
    return FleetGlance(
        name=name,
        slug=slug,
        collectors=counts.by_status.total(),
        unhealthy=counts.by_health[Health.UNHEALTHY],
        segments=segments_of("status", counts.by_status),
        version=version,
        coming=coming,
    )


_ICONS = {
    "agent": "server",
    "fleet": "layers",
    "configuration": "file-code-corner",
    "version": "file-code-corner",
    "token": "key-round",
    "api_token": "key-round",
    "deployment": "terminal",
    "rollout": "rocket",
    "person": "user",
}


def recent_activity() -> list[Entry]:
    """What people and their programs changed last."""
    changes = Activity.objects.exclude(action__in=SIGN_INS)
    return [_entry(row) for row in changes[:MOST_ENTRIES]]


def _entry(row: Activity) -> Entry:
    return Entry(
        tone=row.deed.tone,
        icon=_ICONS.get(row.object_type, "circle-dot"),
        who=row.by,
        what=f"{row.deed.verb} {row.object_label}",
        reason=row.reason,
        at=row.at,
    )
