"""Who has the connection settings of its fleet: one word for each member, for counts, lists and the API.

It is a condition on rows, so that ten thousand members are counted or found in one query: the same that
connection_offer.plan_settings and the claims decide for one agent (tests hold both against each other).
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from django.db.models import (
    Case,
    CharField,
    Count,
    Expression,
    F,
    IntegerField,
    Q,
    QuerySet,
    TextChoices,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from agents.snapshot import Capability, ConfigStatus
from fleets.connection_offer import (
    CAPABILITIES,
    DEFAULT_HEARTBEAT_S,
    MOST_UNUSED,
    TAKES_INTERVAL,
    Signal,
)
from fleets.models import ArrivalMode, Fleet, Membership, TokenKind


class Reach(TextChoices):
    """How far the settings of its fleet came with a member. The first that holds, in this order."""

    WAITING = "waiting", "Waiting"
    """There is something that it can take and was not sent: most are not connected."""
    FAILED = "failed", "Failed"
    """It said so, or never came by a credential that it was offered MOST_UNUSED times."""
    UNABLE = "unable", "Cannot take all"
    """It has what it accepts of them, which is a part or nothing."""
    APPLIED = "applied", "Applied"
    """It said so, came by the credential in them, or needs none of them."""
    SENT = "sent", "Sent"
    """It was sent them, and does not say what became of them."""


def reach_of(members: QuerySet[Membership]) -> QuerySet[Any]:
    """Those of these members for which there are settings, with their word as `reach`.

    For members that are only observed there are none, nor in fleets that set nothing.
    """
    return (
        members.filter(mode=ArrivalMode.MANAGED, fleet__connection__isnull=False)
        .exclude(
            fleet__connection__heartbeat_s=None,
            fleet__connection__own_credentials=False,
            fleet__connection__marks={},
        )
        .alias(**_OPERANDS)
        .annotate(reach=_WORD)
    )


def has_reach(words: Iterable[str]) -> Q:
    """A condition on agents: members, of whatever fleet, with one of these words."""
    return Q(pk__in=RawSQL(*_members_with(tuple(sorted(words)))))  # noqa: S611 - Django wrote it


@lru_cache(maxsize=32)
def _members_with(words: tuple[str, ...]) -> tuple[str, tuple[Any, ...]]:
    """The statement that finds them. A list asks four times, and it would take Django 13 ms each time to write it."""
    found = reach_of(Membership.objects.all()).filter(reach__in=words).values("agent_id")
    return found.query.sql_with_params()


def count_reach(fleet: Fleet) -> dict[Reach, int]:
    """How many members of a fleet have each word; words that nobody has are left out. One query."""
    found = reach_of(Membership.objects.filter(fleet=fleet)).order_by()
    return {Reach(word): n for word, n in found.values_list("reach").annotate(n=Count("*"))}


_IS_OFFERED: Final = Q(offered_hash__gt="")
"""Settings that were given back have no hash: nothing of them counts."""


def _held(column: str, otherwise: str | int) -> Coalesce:
    return Coalesce(F(f"agent__connection__{column}"), Value(otherwise))


def _where_offered(value: Expression | Coalesce, otherwise: Value) -> Case:
    return Case(When(_IS_OFFERED, then=value), default=otherwise)


def _mark(signal: Signal, whose: str) -> Coalesce:
    key = KeyTextTransform(signal.value, f"{whose}__connection__marks")
    return Coalesce(key, Value(""), output_field=CharField())


def _bits(mask: int) -> Expression:
    bits: Expression = F("agent__capabilities").bitand(mask)
    return bits


_OPERANDS: Final = {
    "interval_bits": _bits(TAKES_INTERVAL),
    "connects_bits": _bits(int(Capability.ACCEPTS_OPAMP_CONNECTION_SETTINGS)),
    "offered_hash": _held("offered_hash", ""),
    "unused_offers": _held("unused_offers", 0),
    "is_current": Case(
        When(agent__connection__offered_epoch=F("agent__status__session_epoch"), then=True),
        default=False,
    ),
    "came_by_offered": Case(
        When(token=F("agent__connection__credential"), then=True), default=False
    ),
    "offered_interval": _where_offered(
        _held("heartbeat_s", 0), Value(0, output_field=IntegerField())
    ),
    **{f"{signal}_bits": _bits(bit) for signal, bit in CAPABILITIES.items()},
    **{f"{signal}_wanted": _mark(signal, "fleet") for signal in Signal},
    **{f"{signal}_offered": _where_offered(_mark(signal, "agent"), Value("")) for signal in Signal},
}
"""What the conditions below compare, by name: never NULL, so that each condition has a contrary."""


def _telemetry_is_due() -> Q:
    """An earlier version did not note which destinations it offered: they count as those of now."""
    is_noted = ~(_IS_OFFERED & Q(agent__connection__marks__isnull=True))
    differs = Q()
    for signal in Signal:
        is_same = Q(**{f"{signal}_offered": F(f"{signal}_wanted")})
        differs |= Q(**{f"{signal}_bits__gt": 0}) & ~is_same
    return is_noted & differs


_SETS_INTERVAL: Final = Q(fleet__connection__heartbeat_s__isnull=False)
_INTERVAL_IS_DUE: Final = Q(interval_bits__gt=0) & (
    (_SETS_INTERVAL & ~Q(offered_interval=F("fleet__connection__heartbeat_s")))
    | (~_SETS_INTERVAL & ~Q(offered_interval__in=(0, DEFAULT_HEARTBEAT_S)))
)
_SHARES: Final = Q(fleet__connection__own_credentials=True, token__kind=TokenKind.ENROLMENT)
_HAS_ANOTHER: Final = Q(agent__connection__credential__isnull=False, came_by_offered=False)
_GETS_ITS_OWN: Final = _SHARES & Q(connects_bits__gt=0) & ~(Q(is_current=True) & _HAS_ANOTHER)
"""And was not sent it in this session."""
_LEAVES_THEM: Final = Q(unused_offers__gte=MOST_UNUSED)


def _lacks_a_capability() -> Q:
    lacks = (_SETS_INTERVAL & Q(interval_bits=0)) | (_SHARES & Q(connects_bits=0))
    for signal in Signal:
        lacks |= Q(**{f"{signal}_wanted__gt": "", f"{signal}_bits": 0})
    return lacks


def _answered(status: ConfigStatus) -> Q:
    return _IS_OFFERED & Q(
        agent__status__connection_hash=F("offered_hash"),
        agent__status__connection_status=status.value,
    )


_WORD: Final = Case(
    When(
        _INTERVAL_IS_DUE | _telemetry_is_due() | (_GETS_ITS_OWN & ~_LEAVES_THEM),
        then=Value(Reach.WAITING.value),
    ),
    When(
        _answered(ConfigStatus.FAILED) | (_GETS_ITS_OWN & _LEAVES_THEM),
        then=Value(Reach.FAILED.value),
    ),
    When(_lacks_a_capability(), then=Value(Reach.UNABLE.value)),
    When(
        _answered(ConfigStatus.APPLIED) | Q(came_by_offered=True, is_current=False) | ~_IS_OFFERED,
        then=Value(Reach.APPLIED.value),
    ),
    default=Value(Reach.SENT.value),
    output_field=CharField(),
)
