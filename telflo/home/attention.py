"""What needs attention, most urgent first."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Max, Min, OuterRef, Q, Subquery
from django.urls import reverse

from agents.attention import is_ill, needs_attention
from agents.identities import MOST_AN_HOUR
from agents.lastwords import own_words
from agents.models import Agent, AgentStatus, GivenUid, Status
from fleets.models import RefusalReason, RefusedAttempt, Token, TokenKind
from fleets.rollouts.clusters import pattern_of
from telflo.base.redaction import redact_line
from telflo.system.findings import process_findings
from telflo.system.state import read_processes
from telflo.ui.numbers import counted, grouped

EXPIRY_WARNING: Final = timedelta(days=30)
REFUSED_WITHIN: Final = timedelta(hours=1)
COPIED_WITHIN: Final = timedelta(days=1)
MOST: Final = 8
_GROUPS: Final = 200
_FLEET = "agent__membership__fleet__name"
_SLUG = "agent__membership__fleet__slug"


class Kind(StrEnum):
    """What matters of one kind are called."""

    INSTALLATION = "parts of the installation"
    FAILED = "failed"
    UNHEALTHY = "unhealthy"
    COPIED = "copied identities"
    ROLLED_BACK = "rolled back"
    DRIFTED = "drifted"
    STALE = "silent"
    REFUSED = "refused attempts"
    EXPIRING = "tokens that expire"


@dataclass(frozen=True, slots=True)
class Item:
    """One matter: how urgent it looks, what it is, where, since (or until) when, and its rows.

    retry_url: where a retry of all its collectors is asked for; "" when there is nothing to retry.
    """

    kind: Kind

    tone: str
    icon: str
    title: str
    where: str
    what: str
    at: datetime | None
    url: str
    retry_url: str = ""


class More(NamedTuple):
    """Matters of one kind that are not shown: in words, how many, and where all of the kind are."""

    words: str
    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Matters:
    """The most urgent matters, the rest by kind, and what there is in all.

    collectors: how many need attention, by agents/attention.py · others: matters that are not about these.
    """

    items: Sequence[Item]
    more: Sequence[More]
    collectors: int
    others: int

    @property
    def hidden(self) -> int:
        """How many matters are not shown."""
        return sum(kind.number for kind in self.more)


def matters(now: datetime) -> Matters:
    """Everything that needs attention, in seven queries."""
    items = [
        *_installation(),
        *_failed(),
        *_unhealthy(now),
        *_copied(now),
        *_adrift(),
        *_refused(now),
        *_expiring(now),
    ]
    return Matters(
        items=items[:MOST],
        more=_by_kind(items[MOST:]),
        collectors=AgentStatus.objects.filter(needs_attention(now, "")).count(),
        others=sum(item.kind not in _OF_COLLECTORS for item in items),
    )


def _by_kind(items: Sequence[Item]) -> list[More]:
    """Where there is no list of a kind, the first of them is led to."""
    first: dict[Kind, Item] = {}
    for item in items:
        first.setdefault(item.kind, item)
    numbers = Counter(item.kind for item in items)
    return [
        More(kind.value, numbers[kind], _LISTS[kind]() if kind in _LISTS else item.url)
        for kind, item in first.items()
    ]


def _installation() -> Iterator[Item]:
    """Parts of the installation that are missing, silent or late."""
    for finding in process_findings(read_processes()):
        yield Item(
            kind=Kind.INSTALLATION,
            tone=finding.tone,
            icon="server-cog",
            title=finding.title,
            where="",
            what=finding.todo,
            at=None,
            url=reverse("system"),
        )


def _failed() -> Iterator[Item]:
    """Collectors that failed a version, by fleet and version; the most frequent cause stands for them."""
    configuration = "agent__membership__desired__version__configuration__name"
    number = "agent__membership__desired__version__number"
    rows = (
        AgentStatus.objects.filter(status=Status.FAILED)
        .order_by()
        .values(_FLEET, _SLUG, configuration, number, "remote_config_error")
        .annotate(n=Count("pk"), at=Max("status_since"))[:_GROUPS]
    )
    for group in _grouped(rows, (_FLEET, configuration, number)):
        total, first = sum(row["n"] for row in group), group[0]
        version = f"{first[configuration]} v{first[number]}" if first[number] else "its version"
        error, alike = _first_cause(group)
        same = f", {grouped(alike)} for one cause" if 1 < alike < total else ""
        yield Item(
            kind=Kind.FAILED,
            tone="fail",
            icon="circle-x",
            title=f"{counted(total, 'collector')} failed {version}{same}",
            where=first[_FLEET] or "",
            what=_first_line(error),
            at=max(row["at"] for row in group),
            url=_rows_url(status="failed", fleet=first[_SLUG]),
            retry_url=_rows_url("agents:bulk", status="failed", fleet=first[_SLUG]),
        )


def _first_cause(group: Iterable[dict[str, Any]]) -> tuple[str, int]:
    """Of rows by their error, the most frequent first: an error of the most frequent cause, and how many have that."""
    causes: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for row in group:
        error = row["remote_config_error"]
        cause = pattern_of(error)
        causes[cause] += row["n"]
        examples.setdefault(cause, error)
    [(cause, number)] = causes.most_common(1)
    return examples[cause], number


def _unhealthy(now: datetime) -> Iterator[Item]:
    """Collectors that say that they are unhealthy, by fleet; but not those that restart because we told them to."""
    rows = (
        AgentStatus.objects.filter(is_ill(now, ""))
        .order_by()
        .values(_FLEET, _SLUG, "last_error")
        .annotate(n=Count("pk"), at=Max("health_since"), name=Min("agent__display_name"))[:_GROUPS]
    )
    for group in _grouped(rows, (_FLEET,)):
        total, first = sum(row["n"] for row in group), group[0]
        who = f"{first['name']} is unhealthy"
        if total > 1:
            who = f"{grouped(total)} collectors are unhealthy"
        yield Item(
            kind=Kind.UNHEALTHY,
            tone="fail",
            icon="triangle-alert",
            title=who,
            where=first[_FLEET] or "",
            what=_first_line(first["last_error"]),
            at=max((row["at"] for row in group if row["at"]), default=None),
            url=_rows_url(health="unhealthy", fleet=first[_SLUG]),
        )


def _copied(now: datetime) -> Iterator[Item]:
    """Machines that were copied with their identity within the last day: which of them is which, a person knows."""
    original = Agent.objects.filter(pk=OuterRef("was"))
    rows = (
        GivenUid.objects.filter(is_clone=True, given_at__gt=now - COPIED_WITHIN)
        .values("was")
        .annotate(
            taken=Count("taken_at"),
            given=Count("pk"),
            at=Max("given_at"),
            name=Subquery(original.values("display_name")[:1]),
            fleet=Subquery(original.values("membership__fleet__name")[:1]),
        )
        .exclude(name=None)
        .order_by("-at")[:MOST]
    )
    for row in rows:
        if row["taken"]:
            whose = "its" if row["taken"] == 1 else "their"
            copies = counted(row["taken"], "copy", "copies")
            what = f"{copies} of it got an instance uid of {whose} own"
        elif row["given"] >= MOST_AN_HOUR:
            what = "two live agents use one instance uid, and none takes a new one"
        else:
            continue
        yield Item(
            kind=Kind.COPIED,
            tone="warn",
            icon="copy",
            title=f"{row['name']} was copied with its identity",
            where=row["fleet"] or "",
            what=what,
            at=row["at"],
            url=reverse("agents:timeline", args=[row["was"]]),
        )


_ADRIFT: dict[str, tuple[Kind, str, str, str]] = {
    Status.ROLLED_BACK: (Kind.ROLLED_BACK, "back", "undo-2", "went back to the version before"),
    Status.DRIFTED: (
        Kind.DRIFTED,
        "warn",
        "git-compare-arrows",
        "drifted from the version of the fleet",
    ),
    Status.STALE: (Kind.STALE, "warn", "hourglass", "not heard for a long time"),
}


def _adrift() -> Iterator[Item]:
    """Rolled back, drifted and stale collectors, by fleet."""
    rows = (
        AgentStatus.objects.filter(status__in=list(_ADRIFT))
        .order_by()
        .values(_FLEET, _SLUG, "status")
        .annotate(n=Count("pk"), at=Max("status_since"))[:_GROUPS]
    )
    order = list(_ADRIFT)
    for row in sorted(rows, key=lambda row: (order.index(row["status"]), -row["n"])):
        kind, tone, icon, words = _ADRIFT[row["status"]]
        yield Item(
            kind=kind,
            tone=tone,
            icon=icon,
            title=f"{counted(row['n'], 'collector')} {words}",
            where=row[_FLEET] or "",
            what="",
            at=row["at"],
            url=_rows_url(status=row["status"], fleet=row[_SLUG]),
            retry_url=_rows_url("agents:bulk", status=row["status"], fleet=row[_SLUG])
            if row["status"] == Status.ROLLED_BACK
            else "",
        )


def _refused(now: datetime) -> Iterator[Item]:
    """Attempts to connect that were refused within the last hour, by reason."""
    rows = (
        RefusedAttempt.objects.filter(last_at__gte=now - REFUSED_WITHIN)
        .values("reason")
        .annotate(n=Count("address", distinct=True), at=Max("last_at"), host=Min("address"))
        .order_by("-n")
    )
    for row in rows:
        host = row["host"] if row["n"] == 1 else f"{grouped(row['n'])} hosts"
        yield Item(
            kind=Kind.REFUSED,
            tone="warn",
            icon="ban",
            title=f"Refused: {host}",
            where="",
            what=RefusalReason(row["reason"]).label,
            at=row["at"],
            url=reverse("tokens:refused"),
        )


def _expiring(now: datetime) -> Iterator[Item]:
    """Tokens that soon enrol nobody any more."""
    tokens = (
        Token.objects.filter(
            Q(retired_at=None) | Q(retired_at__gt=now),
            revoked_at=None,
            enrol_until__gt=now,
            enrol_until__lte=now + EXPIRY_WARNING,
        )
        .exclude(kind=TokenKind.AGENT)
        .order_by("enrol_until")
        .values_list("name", "fleet__name", "enrol_until")
    )
    for name, fleet, until in tokens[:MOST]:
        yield Item(
            kind=Kind.EXPIRING,
            tone="warn",
            icon="key-round",
            title=f"Token “{name}” expires",
            where=fleet,
            what="collectors that it let in stay",
            at=until,
            url=reverse("tokens:list"),
        )


def _grouped(rows: Iterable[dict[str, Any]], keys: Sequence[str]) -> list[list[dict[str, Any]]]:
    """Rows of one group together, the largest group and in it the largest row first."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    for group in groups.values():
        group.sort(key=lambda row: -row["n"])
    return sorted(groups.values(), key=lambda group: -sum(row["n"] for row in group))


def _rows_url(page: str = "agents:list", *, fleet: str | None, **filters: str) -> str:
    """The page for the collectors that are meant."""
    query = {**filters, "fleet": fleet} if fleet else filters
    return f"{reverse(page)}?{urlencode(query)}"


def _first_line(text: str) -> str:
    """The first line of an error, secrets masked, at most 160 characters; of a gRPC error its innermost description,
    of a collector's log what says why.
    """
    line = own_words(text).strip().partition("\n")[0].rpartition("desc = ")[2]
    if len(line) > 1 and line[0] == line[-1] == '"':
        line = line[1:-1]
    line = redact_line(line)
    return line if len(line) <= 160 else f"{line[:159]}…"


_OF_COLLECTORS: Final = frozenset(
    {Kind.FAILED, Kind.UNHEALTHY, Kind.ROLLED_BACK, Kind.DRIFTED, Kind.STALE}
)
_LISTS: Final[dict[Kind, Callable[[], str]]] = {
    Kind.INSTALLATION: partial(reverse, "system"),
    Kind.FAILED: partial(_rows_url, fleet=None, status="failed"),
    Kind.UNHEALTHY: partial(_rows_url, fleet=None, health="unhealthy"),
    Kind.ROLLED_BACK: partial(_rows_url, fleet=None, status="rolled_back"),
    Kind.DRIFTED: partial(_rows_url, fleet=None, status="drifted"),
    Kind.STALE: partial(_rows_url, fleet=None, status="stale"),
    Kind.REFUSED: partial(reverse, "tokens:refused"),
    Kind.EXPIRING: partial(reverse, "tokens:list"),
}
