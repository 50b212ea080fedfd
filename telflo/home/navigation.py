"""The numbers beside the navigation: two cheap queries a page."""

from collections.abc import Mapping

from django.http import HttpRequest

from agents.models import AgentStatus
from fleets.models import Rollout
from fleets.rollouts.plan import ACTIVE
from telflo.ui.nav import NavCount
from telflo.ui.numbers import grouped


def nav_counts(request: HttpRequest) -> Mapping[str, NavCount]:
    """Collectors, and rollouts under way. Nobody who is signed out is shown a number."""
    if not request.user.is_authenticated:
        return {}
    counts = {}
    collectors = AgentStatus.objects.count()
    if collectors:
        counts["agents"] = NavCount(grouped(collectors))
    active = Rollout.objects.filter(state__in=ACTIVE).count()
    if active:
        counts["rollouts"] = NavCount(f"{grouped(active)} active", moving=True)
    return counts
