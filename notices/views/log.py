"""Who is told what, and how telling it went."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from fleets.models import Fleet
from notices.forms import HOLDS
from notices.kinds import LOOKS, ROLLOUT_KINDS, Kind
from notices.models import Channel, Delivery, Subscription
from telflo.base.access import Action
from telflo.base.guard import requires
from telflo.ui.numbers import counted
from telflo.ui.pages import rows_of

ICONS = {Channel.WEBHOOK: "webhook", Channel.SLACK: "message-square", Channel.EMAIL: "mail"}


@dataclass(frozen=True, slots=True)
class Row:
    """One subscription in the list: what it is told, and of which fleets, in a few words."""

    one: Subscription
    icon: str
    told: Sequence[str]
    fleets: str


@requires(Action.ADMINISTER)
def subscriptions(request: HttpRequest) -> HttpResponse:
    """All of them."""
    found = list(Subscription.objects.all())
    names = fleet_names(found)
    context = {
        "rows": [_row(one, names) for one in found],
        "email_is_on": settings.EMAIL_IS_ON,
    }
    return render(request, "notices/list.html", context)


@requires(Action.ADMINISTER)
@never_cache
def detail(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """One, with its log."""
    return page_of(request, get_object_or_404(Subscription, pk=subscription_id))


def page_of(request: HttpRequest, one: Subscription, *, secret: str = "") -> HttpResponse:
    """The page of one. secret: a new one, shown this once."""
    deliveries = Delivery.objects.filter(subscription=one).select_related("notice")
    query = request.GET.urlencode()
    context = {
        "one": one,
        # The answer to a POST follows this page too: the form's own address would bring the form back.
        "here": reverse("notices:detail", args=[one.pk]) + (f"?{query}" if query else ""),
        "row": _row(one, fleet_names([one])),
        "hold": HOLDS.get(one.hold_s, f"{one.hold_s} s"),
        "page": rows_of(request, deliveries),
        "secret": secret,
        "email_is_off": one.channel == Channel.EMAIL and not settings.EMAIL_IS_ON,
    }
    return render(request, "notices/detail.html", context)


def fleet_names(found: Iterable[Subscription]) -> dict[str, str]:
    """The names of the fleets that these are about, by id; one query."""
    ids = {key for one in found for key in one.fleet_ids}
    rows = Fleet.objects.filter(pk__in=ids).values_list("pk", "name")
    return {str(key): name for key, name in rows}


def _row(one: Subscription, names: dict[str, str]) -> Row:
    known = sorted(names[key] for key in one.fleet_ids if key in names)
    fleets = ", ".join(known[:3]) + (f" and {len(known) - 3} more" if len(known) > 3 else "")
    if one.fleet_ids and not known:
        fleets = "fleets that are gone"
    return Row(one, ICONS[Channel(one.channel)], _told(one), fleets or "all fleets")


def _told(one: Subscription) -> list[str]:
    words = [LOOKS[Kind(kind)].word.lower() for kind in one.kinds]
    all_kinds = len(words) == len(ROLLOUT_KINDS)
    told = ["Rollouts" if all_kinds else f"Rollouts: {', '.join(words)}"] if words else []
    for limit, word in ((one.unhealthy_from, "unhealthy"), (one.gone_from, "gone")):
        if limit:
            many = limit if limit.endswith("%") else counted(int(limit), "collector")
            told.append(f"{many} {word}")
    return told
