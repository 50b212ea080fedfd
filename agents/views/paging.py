"""Keyset pages: where a page begins is the sort key of a row, so that a deep page costs as much as the first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import SuspiciousOperation
from django.core.signing import BadSignature, Signer
from django.db.models import Case, Expression, F, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce

from agents.models import AgentQuerySet, Status
from agents.status import CUT_OFF, UNKNOWN_HEALTH
from telflo.ui.pages import PAGE_ROWS

_SIGNER = Signer(salt="agents.page")
_DAMAGED = "This address of a page is damaged. Open the list from its beginning."
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_URGENCY = (
    Status.FAILED,
    Status.ROLLED_BACK,
    Status.DRIFTED,
    Status.STALE,
    Status.APPLYING,
    Status.PENDING,
    Status.DISCONNECTED,
    Status.UNMANAGED,
    Status.IN_SYNC,
)
BY_URGENCY = Case(
    *(When(status__status=status, then=Value(rank)) for rank, status in enumerate(_URGENCY)),
    default=Value(len(_URGENCY)),
    output_field=IntegerField(),
)
HEALTH_NOW = Case(
    When(status__status__in=CUT_OFF, then=Value(UNKNOWN_HEALTH)), default=F("status__health")
)
SORTS: dict[str, Sequence[Expression | F]] = {
    "status": (BY_URGENCY, F("display_name")),
    "name": (F("display_name"),),
    "seen": (Coalesce(F("status__last_seen_at"), Value(_NEVER)),),
    "health": (HEALTH_NOW, F("display_name")),
    "fleet": (Coalesce(F("membership__fleet__name"), Value("")), F("display_name")),
    "build": (F("collector_version"), F("display_name")),
}
"""The sort keys of the list (`-key` for the other way round); the uid breaks ties."""
DEFAULT_SORT: Final = "status"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of uids and the cursors of its neighbours ("" when there is none). `first` counts from 1."""

    uids: list[UUID]
    first: int
    previous: str = ""
    next: str = ""

    @property
    def last(self) -> int:
        """The place of the last row."""
        return self.first + len(self.uids) - 1


def page_of(
    agents: AgentQuerySet,
    *,
    sort: str,
    after: str = "",
    before: str = "",
    counts: Mapping[str, int] | None = None,
) -> Page:
    """The page after (or before) a cursor, in one query that reads only sort keys.

    counts: how many of them have each status. By status, then only those statuses are read that fill the page.

    Raises SuspiciousOperation (a 400 page) for a cursor that is not one of ours.
    """
    descending, keys = _sorting(sort)
    backwards = bool(before)
    rows = _annotated(agents, keys)
    cursor = _decode(before or after, len(keys)) if before or after else None
    if cursor is not None:
        rows = rows.filter(_beyond([*keys, "pk"], cursor[0], greater=descending == backwards))
    if name_of(sort) == "status" and counts is not None:
        rows = rows.filter(
            status__status__in=_reachable(
                counts, None if cursor is None else cursor[0][0], backwards=descending != backwards
            )
        )
    order = [f"-{name}" if descending != backwards else name for name in [*keys, "pk"]]
    found = list(rows.order_by(*order).values_list(*keys, "pk")[: PAGE_ROWS + 1])
    has_more = len(found) > PAGE_ROWS
    found = found[:PAGE_ROWS]
    if backwards:
        found.reverse()
    return _page(found, cursor, backwards=backwards, has_more=has_more)


def _reachable(counts: Mapping[str, int], rank: int | None, *, backwards: bool) -> list[str]:
    """The statuses among which the next page is, walking from a rank (None: from the end) in one direction."""
    steps = list(enumerate(_URGENCY))
    wanted, rows = [], 0
    for step, status in reversed(steps) if backwards else steps:
        if rank is not None and (step > rank if backwards else step < rank):
            continue
        wanted.append(status.value)
        # Of the status where the page begins, none may be left.
        rows += counts.get(status, 0) if step != rank else 0
        if rows > PAGE_ROWS:
            break
    return wanted


def _page(
    found: list[tuple[Any, ...]],
    cursor: tuple[list[Any], int] | None,
    *,
    backwards: bool,
    has_more: bool,
) -> Page:
    """Number the rows and make the cursors of both neighbours."""
    place = 0 if cursor is None else cursor[1]
    first = max(place - len(found), 1) if backwards else place + 1
    last = first + len(found) - 1
    has_previous = has_more if backwards else cursor is not None
    has_next = backwards or has_more
    return Page(
        uids=[row[-1] for row in found],
        first=first,
        previous=_encode(found[0], first) if found and has_previous else "",
        next=_encode(found[-1], last) if found and has_next else "",
    )


def in_order(agents: AgentQuerySet, sort: str) -> AgentQuerySet:
    """All the agents in a sort's order."""
    descending, keys = _sorting(sort)
    names = [*keys, "pk"]
    return _annotated(agents, keys).order_by(*(f"-{n}" if descending else n for n in names))


def known_sort(wanted: str) -> str:
    """The sort that was asked for if it is one of ours, else the default."""
    return wanted if wanted.removeprefix("-") in SORTS else DEFAULT_SORT


def name_of(sort: str) -> str:
    """The sort key without its direction."""
    return sort.removeprefix("-")


def _sorting(sort: str) -> tuple[bool, list[str]]:
    name = sort.removeprefix("-")
    return sort.startswith("-"), [f"_{name}_{n}" for n in range(len(SORTS[name]))]


def _annotated(agents: AgentQuerySet, keys: Sequence[str]) -> AgentQuerySet:
    name = keys[0].split("_")[1]
    return agents.annotate(**dict(zip(keys, SORTS[name], strict=True)))


def _beyond(names: Sequence[str], values: Sequence[Any], *, greater: bool) -> Q:
    """Rows whose key stands after `values` in dictionary order (before them if not `greater`)."""
    comparison = "gt" if greater else "lt"
    condition = Q()
    equal = Q()
    for name, value in zip(names, values, strict=True):
        condition |= equal & Q(**{f"{name}__{comparison}": value})
        equal &= Q(**{name: value})
    return condition


def _encode(row: Sequence[Any], place: int) -> str:
    """A cursor: signed, so that only keys which this server made reach a query."""
    return _SIGNER.sign_object([place, *map(_to_json, row)])


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    return value.hex if isinstance(value, UUID) else value


def _decode(cursor: str, keys: int) -> tuple[list[Any], int]:
    """The key and the place in a cursor."""
    try:
        place, *values, uid = _SIGNER.unsign_object(cursor)
    except BadSignature as error:
        raise SuspiciousOperation(_DAMAGED) from error
    if len(values) != keys:
        raise SuspiciousOperation(_DAMAGED)
    key = [datetime.fromisoformat(v["time"]) if isinstance(v, dict) else v for v in values]
    return [*key, UUID(uid)], int(place)
