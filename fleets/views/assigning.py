"""Giving a fleet another version: what would happen, then the rollout."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Exists, F, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from agents.snapshot import Capability, ConfigStatus
from configs.models import ConfigVersion
from configs.services import diff_versions
from configs.textdiff import TextDiff
from fleets.forms import AssignForm, published_versions
from fleets.models import ArrivalMode, Fleet, Quarantine, RenderedConfig
from fleets.rollouts.plan import ACTIVE
from fleets.rollouts.services import start_rollout
from fleets.views.subject import fleet_or_404
from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.guard import requires

_NAMED: Final = 10
_SHOWN_LINES: Final = 400
_KINDS: Final = {"context": "same", "add": "add", "delete": "del"}


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One line of a diff as the component draws it."""

    kind: str
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What an assignment does, in numbers of collectors, as fleets/rollouts/plan.py will place them: each counts once.

    now, offline: get it at once, or on their return · running: run it already · unable: take no configuration ·
    observed: not managed · quarantined: some names of those on which it failed before.
    """

    managed: int
    now: int
    offline: int
    running: int
    unable: int
    observed: int
    quarantined: Sequence[str]
    quarantined_count: int

    @property
    def reached(self) -> int:
        """Collectors that get it, now or on their return."""
        return self.now + self.offline


@requires(Action.OPERATE, methods=("GET", "POST"))
def assign(request: HttpRequest, fleet_name: str) -> HttpResponse:
    """`?version=` chooses; the POST starts a rollout."""
    fleet = fleet_or_404(fleet_name)
    chosen = _chosen(request, fleet)
    form = AssignForm(request.POST or None, initial={"version": chosen.pk if chosen else None})
    if request.method == "POST" and form.is_valid():
        try:
            rollout = start_rollout(
                fleet=fleet,
                version=form.cleaned_data["version"],
                strategy=form.strategy(),
                reason=form.cleaned_data["reason"],
                actor=actor_of(request),
            )
        except DomainError as error:
            add_domain_error(form, error)
        else:
            messages.success(request, f"{rollout.version} goes to {fleet.name}")
            return redirect("rollouts:detail", rollout.number)
    context = {
        "fleet": fleet,
        "form": form,
        "chosen": chosen,
        "has_versions": chosen is not None or published_versions().exists(),
        "heading": f"Assign a version to {fleet}",
    }
    if chosen is not None:
        context |= _context(fleet, chosen)
    return render(request, "fleets/assign.html", context, status=422 if form.errors else 200)


def _context(fleet: Fleet, chosen: ConfigVersion) -> dict[str, Any]:
    preview = preview_of(fleet, chosen)
    diff = _diff(fleet, chosen)
    lines = list(_rows(diff)) if diff else []
    return {
        "preview": preview,
        "diff": diff,
        "lines": lines[:_SHOWN_LINES],
        "is_cut": len(lines) > _SHOWN_LINES,
        "is_current": chosen.pk == fleet.version_id,
        "rollout": fleet.rollouts.filter(state__in=ACTIVE)
        .select_related("version__configuration")
        .first(),
    }


def _chosen(request: HttpRequest, fleet: Fleet) -> ConfigVersion | None:
    """The version asked for, else the newest that would be news to the fleet: never one that it has, or an older one.

    Of its configuration; for a fleet without a version, of all.
    """
    found = published_versions()
    wanted = request.POST.get("version") or request.GET.get("version", "")
    try:
        named: ConfigVersion | None = found.filter(pk=UUID(wanted)).first()
    except ValueError:
        named = None
    if named is not None:
        return named
    if fleet.version is not None:
        newer = found.filter(
            configuration=fleet.version.configuration_id, number__gt=fleet.version.number
        )
    else:
        newer = found.order_by("-created_at")
    newest: ConfigVersion | None = newer.first()
    return newest


def preview_of(fleet: Fleet, version: ConfigVersion) -> Preview:
    """Count who gets it and who does not, in two queries."""
    # Versions that share their text share the hash that is applied or quarantined.
    hashes = RenderedConfig.objects.filter(version__sha256=version.sha256).values("hash")
    managed = Q(mode=ArrivalMode.MANAGED)
    takes = managed & (Q(agent__capabilities=0) | Q(bits__gt=0))
    has_it = Q(agent__status__remote_config_status=ConfigStatus.APPLIED) & Q(
        agent__status__remote_config_hash__in=hashes
    )
    gets = takes & Q(failed=False) & ~has_it
    bits = F("agent__capabilities").bitand(int(Capability.ACCEPTS_REMOTE_CONFIG))
    failures = Quarantine.objects.filter(agent=OuterRef("agent"), hash__in=hashes)
    members = fleet.memberships.annotate(bits=bits, failed=Exists(failures))
    counts = members.aggregate(
        managed=Count("pk", filter=managed),
        now=Count("pk", filter=gets & Q(agent__status__connected=True)),
        offline=Count("pk", filter=gets & Q(agent__status__connected=False)),
        running=Count("pk", filter=takes & Q(failed=False) & has_it),
        unable=Count("pk", filter=managed & ~takes),
        observed=Count("pk", filter=Q(mode=ArrivalMode.OBSERVED)),
    )
    failed = members.filter(takes, failed=True).order_by("agent__display_name")
    names = list(failed.values_list("agent__display_name", flat=True))
    return Preview(**counts, quarantined=names[:_NAMED], quarantined_count=len(names))


def _diff(fleet: Fleet, chosen: ConfigVersion) -> TextDiff | None:
    if fleet.version is None or fleet.version_id == chosen.pk:
        return None
    return diff_versions(fleet.version, chosen)


def _rows(diff: TextDiff) -> Any:
    for hunk in diff.hunks:
        yield DiffRow("hunk", None, None, hunk.header)
        for line in hunk.lines:
            yield DiffRow(_KINDS[line.kind], line.old, line.new, line.text)
