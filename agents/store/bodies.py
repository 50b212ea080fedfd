"""What agents report in bulk, stored once: effective configurations by their hash, component sets by theirs."""

from collections.abc import Iterable
from datetime import datetime

from agents.models import ComponentSet, EffectiveConfig
from agents.snapshot import AgentPatch, Components, ConfigFile
from agents.snapshot import EffectiveConfig as ReportedConfig
from agents.store.dialects import insert_rows
from agents.store.values import files_to_text
from configs.collector.additions import essence


def keep_effective(patches: Iterable[AgentPatch]) -> None:
    """Store the bodies that are not stored yet. Those that are stay locked against pruning until the commit."""
    reported = {
        patch.effective_config.sha256: patch
        for patch in patches
        if isinstance(patch.effective_config, ReportedConfig)
    }
    if not reported:
        return
    stored = EffectiveConfig.objects.select_for_update(no_key=True).order_by("sha256")
    known = set(stored.filter(sha256__in=reported).values_list("sha256", flat=True))
    missing = [patch for sha256, patch in sorted(reported.items()) if sha256 not in known]
    insert_rows(
        EffectiveConfig,
        columns=("sha256", "files", "size", "essence", "created_at"),
        rows=[_row(patch) for patch in missing],
        ignore_conflicts=True,
    )


def keep_components(patches: Iterable[AgentPatch]) -> frozenset[str]:
    """Store the trees that came; answers which of the named hashes have a stored tree."""
    named = {
        patch.components.hash: (patch.components.tree, patch.seen_at)
        for patch in sorted(patches, key=_has_tree)
        if isinstance(patch.components, Components)
    }
    if not named:
        return frozenset()
    known = set(ComponentSet.objects.filter(hash__in=named).values_list("hash", flat=True))
    missing = [
        ComponentSet(hash=digest, tree=tree, created_at=seen_at)
        for digest, (tree, seen_at) in sorted(named.items())
        if tree is not None and digest not in known
    ]
    if missing:
        ComponentSet.objects.bulk_create(missing, ignore_conflicts=True)
    return frozenset(known.union(row.hash for row in missing))


def _has_tree(patch: AgentPatch) -> bool:
    return isinstance(patch.components, Components) and patch.components.tree is not None


def essence_of(files: Iterable[ConfigFile]) -> str:
    """The hash by which collectors that run the same know it of each other."""
    return essence((file.name, file.body.decode(errors="replace")) for file in files)


def _row(patch: AgentPatch) -> tuple[str, str, int, str, datetime]:
    reported = patch.effective_config
    assert isinstance(reported, ReportedConfig)
    size = sum(len(entry.body) for entry in reported.files)
    files = reported.files
    return reported.sha256, files_to_text(files), size, essence_of(files), patch.seen_at
