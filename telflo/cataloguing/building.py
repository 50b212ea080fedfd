"""A catalog made as somebody wishes: which sources are asked, in which order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from configs.catalog.building.assembling import Recipe, assembled
from configs.catalog.building.manifest import Manifest, Module, manifest_of
from configs.catalog.building.source import Source
from configs.catalog.errors import CatalogError
from configs.catalog.shelf import load, versions
from configs.catalog.sources.checkout import Checkout
from configs.catalog.sources.collector import Collector
from configs.catalog.sources.files import parsed
from configs.catalog.sources.modules import Modules
from configs.catalog.sources.registry import Registry, versions_in
from configs.catalog.sources.vendored import Vendored
from configs.catalog.sources.website import Website
from configs.catalog.versions import nearest_of
from configs.catalog.writing import from_bytes
from configs.collector.catalog_types import Catalog
from telflo.cataloguing.common import COMMON
from telflo.cataloguing.holding import held_against

UPSTREAM: Final = "otelcol-contrib"
_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: see the options of the command."""

    version: str
    registry: Path | None = None
    website: Path | None = None
    checkouts: Sequence[Path] = ()
    vendored: Sequence[Path] = ()
    manifest: Path | None = None
    modules: str = "common"
    collector: Path | None = None


Tell = Callable[[str], None]


def built(wish: Wish, tell: Tell) -> Catalog:
    """Build it, telling what is done. Raises CatalogError when it cannot be."""
    manifest = _manifest(wish.manifest) if wish.manifest else None
    local = list(_local(wish, tell))
    neighbours = [one for name in versions() if name != wish.version and (one := load(name))]
    modules = _modules(wish, manifest, local, neighbours, tell)
    sources: list[Source] = [*([modules] if modules else []), *local]
    recipe = Recipe(
        wish.version,
        sources,
        neighbours,
        only=frozenset(one.path for one in manifest.modules) if manifest else None,
        distribution=manifest.name if manifest else UPSTREAM,
        is_complete=any(one.lists_all and one.version == wish.version for one in local),
    )
    catalog = assembled(recipe)
    if manifest is not None:
        there = {one.module for one in catalog.every()}
        is_whole = all(one.path in there for one in manifest.modules)
        catalog = replace(catalog, is_complete=is_whole)
    if modules is not None:
        _tell_missing(modules.missing, tell)
    return held_against(catalog, Collector(wish.collector), tell) if wish.collector else catalog


def asked_about(path: Path, collector: Path | None, tell: Tell) -> Catalog:
    """The catalog in a file, held against a collector of its version. Raises CatalogError when it cannot be."""
    if collector is None:
        raise CatalogError("Name the collector that is to be asked: --collector.")
    try:
        catalog = from_bytes(path.read_bytes())
    except OSError as fault:
        raise CatalogError(f"{path} cannot be read: {fault.strerror or fault}.") from fault
    return held_against(catalog, Collector(collector), tell)


def _manifest(path: Path) -> Manifest:
    try:
        return manifest_of(parsed(path.read_text()))
    except OSError as fault:
        raise CatalogError(f"{path} cannot be read: {fault.strerror or fault}.") from fault


def _local(wish: Wish, tell: Tell) -> Iterator[Source]:
    """What was named: the registry's version first, since it lists all that a version has."""
    if wish.registry is not None:
        nearest = nearest_of(wish.version, versions_in(wish.registry))
        if nearest is not None:
            tell(f"Reading the registry, {nearest}.")
            yield Registry(wish.registry, nearest)
    found: list[Source] = [Website(wish.website, wish.version)] if wish.website else []
    found += [Checkout(path, wish.version) for path in wish.checkouts]
    found += [Vendored(path) for path in wish.vendored]
    for one in found:
        tell(f"Reading {one.told}.")
    yield from found


def _modules(
    wish: Wish,
    manifest: Manifest | None,
    local: Sequence[Source],
    neighbours: Sequence[Catalog],
    tell: Tell,
) -> Modules | None:
    """The Go modules to ask for: of the manifest, or of all that is known to be in such a version."""
    if wish.modules == "none":
        return None
    if manifest is not None:
        wanted = manifest.modules
    else:
        known = dict(_known(wish.version, local, neighbours))
        wanted = tuple(
            Module(name, f"v{wish.version}")
            for name, has_type in known.items()
            if wish.modules == "all" or name in COMMON or not has_type
        )
    tell(f"Asking for {len(wanted)} Go modules.")
    return Modules(wish.version, wanted)


def _known(
    version: str, local: Sequence[Source], neighbours: Sequence[Catalog]
) -> Iterator[tuple[str, bool]]:
    """The modules that are in the version, as far as is known, and whether anybody knows the type of each."""
    typed = {one.module for source in local for one in source.components() if one.type}
    typed |= {one.module for catalog in neighbours for one in catalog.every()}
    exact = [one for one in local if one.version == version]
    names = {one.module for source in exact for one in source.components()}
    if not any(one.lists_all for one in exact):
        nearest = nearest_of(version, [one.version for one in neighbours])
        near = (one for one in neighbours if one.version == nearest)
        names |= {one.module for catalog in near for one in catalog.every()}
    yield from ((name, name in typed) for name in sorted(names))


def _tell_missing(missing: Sequence[Module], tell: Tell) -> None:
    if missing:
        named = ", ".join(one.path.rpartition("/")[2] for one in missing[:_MOST_NAMED])
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        tell(
            f"Not to be had as Go modules: {named}{more}. Their facts are of another source or version."
        )
