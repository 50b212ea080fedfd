"""The pre-flight check of a rollout, from the database: a fixed number of queries, however many members there are."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db.models import (
    Case,
    Count,
    F,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Concat

from agents.models import ComponentSet
from agents.said import selected_value
from agents.snapshot import ConfigStatus, may_take_config
from configs.catalog import nearest
from configs.models import ConfigVersion
from fleets.models import (
    ArrivalMode,
    Fleet,
    Quarantine,
    RenderedConfig,
    Target,
    TargetState,
)
from fleets.rollouts import preflight
from fleets.rollouts.needs import Component, needs_of, said_by_version, taken_by
from fleets.rollouts.past import PREVIOUS_FAILED
from fleets.rollouts.placing import TargetFacts, way_again
from fleets.rollouts.plan import ACTIVE
from fleets.rollouts.preflight import Alike, Member, Preflight, Subject
from fleets.rollouts.shares import seed_of
from fleets.rollouts.strategy import Strategy
from fleets.rollouts.traits import those_said
from fleets.rollouts.whom import members_for
from telflo.base.gathering import Gathered

_KIND: Final = (
    "mode",
    "agent__capabilities",
    "agent__components_id",
    "agent__collector_version",
    "agent__status__connected",
)
_MEMBERS: Final = Gathered(Concat(Cast("agent_id", TextField()), Value(" "), "agent__display_name"))


def check_rollout(
    fleet: Fleet, version: ConfigVersion, strategy: Strategy, *, force: bool, now: datetime
) -> Preflight:
    """What starting it now would do. The strategy holds (Strategy.check). Nothing is changed."""
    groups = _groups(fleet, version, strategy.traits, force=force)
    underway = fleet.rollouts.filter(state__in=ACTIVE).select_related("version__configuration")
    running = underway.defer("version__yaml").first()
    versions = _versions(groups) or (version.collector_version,)
    needs, before = needs_of(version.yaml, versions), _text_before(fleet, version)
    by_version = said_by_version(version.yaml, versions, before)
    has_faults = any(one.is_error for said in (needs.said, *by_version.values()) for one in said)
    subject = Subject(
        strategy=strategy,
        needs=needs,
        before=None if before is None else needs_of(before, versions),
        builds=_builds({group.build for group in groups} - {""}),
        underway=f"Rollout {running} to {running.version}" if running else "",
        is_open=strategy.window is None or strategy.window.is_open(now),
        has_run=has_faults and _has_run(version),
        by_version=by_version,
        catalog=nearest(versions[0]) if len(versions) == 1 else None,
    )
    return preflight.check(groups, subject, seed=seed_of(fleet.pk, version.pk))


def _has_run(version: ConfigVersion) -> bool:
    """Somewhere, in whatever fleet: who takes an older version again is not to be kept from it by an opinion."""
    ran = Target.objects.filter(
        state=TargetState.SUCCEEDED, rollout__version__sha256=version.sha256
    )
    return ran.exists()


def _versions(groups: Iterable[Alike]) -> tuple[str, ...]:
    """Of the collectors that get it, the most frequent first."""
    found: Counter[str] = Counter()
    for group in groups:
        if group.gets_it and group.collector:
            found[group.collector] += group.count
    return tuple(version for version, _ in found.most_common())


def _text_before(fleet: Fleet, version: ConfigVersion) -> str | None:
    """Of the stable version, None without another one."""
    if fleet.stable_version_id is None or fleet.stable_version_id == version.pk:
        return None
    return ConfigVersion.objects.get(pk=fleet.stable_version_id).yaml


def _groups(
    fleet: Fleet, version: ConfigVersion, traits: Sequence[str], *, force: bool
) -> list[Alike]:
    """Put together by the database, so that it costs little here however many members there are."""
    # Versions that share their text share the hash that is applied or quarantined.
    rendered = RenderedConfig.objects.filter(version__sha256=version.sha256)
    hashes = frozenset(rendered.values_list("hash", flat=True))
    said = [selected_value(key, "agent__") for key in traits]
    members = fleet.memberships.filter(members_for(fleet, version)).order_by()
    kinds = members.values_list(*_KIND, *_past(hashes, force=force), *said)
    found = kinds.annotate(count=Count("*"), members=_MEMBERS)
    return [_alike(kind, count, gathered, traits) for *kind, count, gathered in found]


def _past(hashes: Collection[str], *, force: bool) -> list[Combinable]:
    """Whether it runs it, whether it failed there; and, where it is tried again: which, what it applied last, what ran
    before, and whether that failed too. What is so of nobody is not asked of each.
    """
    failed = Quarantine.objects.filter(hash__in=hashes)
    has_failed, applied = bool(hashes) and failed.exists(), F("agent__status__remote_config_hash")
    is_applied = Q(agent__status__remote_config_status=ConfigStatus.APPLIED)
    runs = is_applied & Q(agent__status__remote_config_hash__in=hashes)
    asked: list[Combinable] = [
        _truth(runs) if hashes else Value(value=False),
        _truth(Q(agent_id__in=failed.values("agent_id"))) if has_failed else Value(value=False),
    ]
    if not (force and has_failed):
        return [*asked, Value(""), Value(""), Value(""), Value(value=False)]
    digest = failed.filter(agent=OuterRef("agent")).values("hash")[:1]
    last = Case(When(is_applied, then=applied), default=Value(""))
    return [*asked, Subquery(digest), last, F("previous__hash"), PREVIOUS_FAILED]


def _truth(condition: Q) -> Case:
    return Case(When(condition, then=Value(value=True)), default=Value(value=False))


def _members(gathered: str) -> list[Member]:
    split = (one.partition(" ") for one in json.loads(gathered))
    return [(name, uid) for uid, _, name in split]


def _alike(kind: Sequence[Any], count: int, gathered: str, traits: Sequence[str]) -> Alike:
    mode, bits, build, collector, is_connected, has_applied, is_failed, *rest = kind
    failed, applied, previous, has_previous_failed, *said = rest
    again = None
    if failed:
        again = way_again(
            failed=failed,
            applied=applied,
            previous=previous or "",
            has_previous_failed=has_previous_failed,
        )
    facts = TargetFacts(
        is_managed=mode == ArrivalMode.MANAGED,
        accepts_config=may_take_config(bits),
        is_connected=bool(is_connected),
        is_quarantined=bool(is_failed),
        has_applied=bool(has_applied),
        again=again,
    )
    those = partial(_members, gathered)
    return Alike(facts, count, those, build or "", collector, those_said(traits, said))


def _builds(hashes: Iterable[str]) -> dict[str, frozenset[Component]]:
    """What is known of these builds; one that tells nothing is not known."""
    trees = ComponentSet.objects.filter(hash__in=list(hashes)).values_list("hash", "tree")
    return {digest: taken for digest, tree in trees if (taken := taken_by(tree))}
