"""The pre-flight check of a rollout, from the database: a fixed number of queries, however many members there are."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from agents.models import ComponentSet
from agents.snapshot import ConfigStatus, may_take_config
from configs.models import ConfigVersion
from fleets.models import ArrivalMode, Fleet, Quarantine, RenderedConfig
from fleets.rollouts import preflight
from fleets.rollouts.needs import Component, Needs, needs_of, offered_by
from fleets.rollouts.past import ways_again
from fleets.rollouts.placing import Again, TargetFacts
from fleets.rollouts.plan import ACTIVE
from fleets.rollouts.preflight import NOTHING_SAID, Member, Preflight, Subject
from fleets.rollouts.shares import seed_of
from fleets.rollouts.strategy import Strategy
from fleets.rollouts.traits import traits_of

_COLUMNS: Final = (
    "agent_id",
    "agent__display_name",
    "mode",
    "agent__capabilities",
    "agent__components_id",
    "agent__status__connected",
    "agent__status__remote_config_status",
    "agent__status__remote_config_hash",
)


def check_rollout(
    fleet: Fleet, version: ConfigVersion, strategy: Strategy, *, force: bool, now: datetime
) -> Preflight:
    """What starting it now would do. The strategy holds (Strategy.check). Nothing is changed."""
    members = _members(fleet, version, strategy, force=force)
    underway = fleet.rollouts.filter(state__in=ACTIVE).select_related("version__configuration")
    running = underway.defer("version__yaml").first()
    subject = Subject(
        strategy=strategy,
        needs=needs_of(version.yaml),
        before=_needs_before(fleet, version),
        builds=_builds({member.build for member in members} - {""}),
        underway=f"Rollout {running} to {running.version}" if running else "",
        is_open=strategy.window is None or strategy.window.is_open(now),
    )
    return preflight.check(members, subject, seed=seed_of(fleet.pk, version.pk))


def _needs_before(fleet: Fleet, version: ConfigVersion) -> Needs | None:
    if fleet.stable_version_id is None or fleet.stable_version_id == version.pk:
        return None
    before = ConfigVersion.objects.get(pk=fleet.stable_version_id)
    return needs_of(before.yaml)


def _members(
    fleet: Fleet, version: ConfigVersion, strategy: Strategy, *, force: bool
) -> list[Member]:
    # Versions that share their text share the hash that is applied or quarantined.
    rendered = RenderedConfig.objects.filter(version__sha256=version.sha256)
    hashes = frozenset(rendered.values_list("hash", flat=True))
    failed = dict(Quarantine.objects.filter(hash__in=hashes).values_list("agent_id", "hash"))
    rows: Iterable[tuple[Any, ...]] = list(fleet.memberships.order_by().values_list(*_COLUMNS))
    applied = {row[0]: row[7] if row[6] == ConfigStatus.APPLIED else "" for row in rows}
    again = ways_again(_only(failed, applied), applied) if force else {}
    traits = traits_of([row[0] for row in rows]) if strategy.reads_traits else {}
    return [
        Member(
            uid,
            name,
            _facts(
                mode,
                bits,
                is_connected,
                uid in failed,
                applied[uid] in hashes,
                again.get(uid),
            ),
            build or "",
            traits.get(uid, NOTHING_SAID),
        )
        for uid, name, mode, bits, build, is_connected, *_ in rows
    ]


def _only(failed: Mapping[UUID, str], members: Collection[UUID]) -> dict[UUID, str]:
    return {uid: digest for uid, digest in failed.items() if uid in members}


@lru_cache(maxsize=1_000)
def _facts(
    mode: str,
    bits: int,
    is_connected: bool,
    is_quarantined: bool,
    has_applied: bool,
    again: Again | None,
) -> TargetFacts:
    """One for each kind of member, however many there are of it."""
    return TargetFacts(
        is_managed=mode == ArrivalMode.MANAGED,
        accepts_config=may_take_config(bits),
        is_connected=is_connected,
        is_quarantined=is_quarantined,
        has_applied=has_applied,
        again=again,
    )


def _builds(hashes: Iterable[str]) -> dict[str, frozenset[Component]]:
    """What is known of these builds; one that tells nothing is not known."""
    trees = ComponentSet.objects.filter(hash__in=list(hashes)).values_list("hash", "tree")
    return {digest: offered for digest, tree in trees if (offered := offered_by(tree))}
