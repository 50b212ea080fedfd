"""PURE. A catalog of several sources: what one lacks comes from the next, and is marked with the version it is from."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from configs.catalog.building.regrouping import regrouped
from configs.catalog.building.schemas import Published, Schemas
from configs.catalog.building.source import Source
from configs.catalog.errors import CatalogError
from configs.catalog.versions import Number, distance, number_of
from configs.collector.catalog_types import Catalog, Component, Field
from configs.collector.names import Kind


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a catalog is made of.

    sources: best first, of any version · neighbours: catalogs of other versions · only: the modules that it is to have,
    None for all that the sources of this version have · distribution, is_complete: as Catalog has them.
    """

    version: str
    sources: Sequence[Source]
    neighbours: Sequence[Catalog] = ()
    only: frozenset[str] | None = None
    distribution: str = ""
    is_complete: bool = False


def assembled(recipe: Recipe) -> Catalog:
    """Put it together. Raises CatalogError when nothing is known about any component."""
    found = _identities(recipe)
    identities = [one for one in found.values() if one.type]
    if not identities:
        raise CatalogError(
            f"Nothing is known about the components of {recipe.version}."
            " Name a source: --registry, --sources or --manifest."
        )
    finders = list(_finders(recipe))
    certain = _certain(recipe)
    components: dict[Kind, dict[str, Component]] = {kind: {} for kind in Kind}
    for one in sorted(identities, key=lambda one: one.type):
        settled = certain.get(one.module)
        components[one.kind][one.type] = (
            replace(
                one, config=settled.config, is_verified=True, settings_from=settled.settings_from
            )
            if settled
            else _with_settings(one, recipe.version, finders)
        )
    return Catalog(
        version=recipe.version,
        components=components,
        distribution=recipe.distribution,
        is_complete=recipe.is_complete,
        unnamed=_unnamed(found.values()),
        sources=tuple(dict.fromkeys(one.told for one in recipe.sources)),
    )


def _unnamed(components: Iterable[Component]) -> Mapping[Kind, frozenset[str]]:
    """The modules whose types nobody knows, by the kind's name off their end."""
    names: dict[Kind, set[str]] = {}
    for one in components:
        if not one.type:
            module = one.module.rpartition("/")[2].replace("_", "")
            names.setdefault(one.kind, set()).add(module.removesuffix(one.kind.removesuffix("s")))
    return {kind: frozenset(there) for kind, there in names.items()}


def _identities(recipe: Recipe) -> Mapping[str, Component]:
    """By module: those of this version; what is missing, and names that are not told, are of the nearest."""
    found: dict[str, Component] = {}
    for source in recipe.sources:
        if source.version == recipe.version:
            for one in source.components():
                known = found.get(one.module)
                if known is None or (one.type and not known.type):
                    found[one.module] = one
    elsewhere = sorted(_elsewhere(recipe), key=lambda one: _order(recipe, one.version))
    wanted = _wanted(recipe, frozenset(found), elsewhere)
    for there in elsewhere:
        for one in there.components:
            if one.module in wanted and one.type:
                found[one.module] = _completed(found.get(one.module), one, there.version)
    kept = _kept_names(recipe, elsewhere)
    return {
        module: replace(one, aliases=one.aliases | kept.get((module, one.type), frozenset()))
        for module, one in found.items()
        if module in wanted
    }


def _kept_names(
    recipe: Recipe, elsewhere: Iterable["_Elsewhere"]
) -> Mapping[tuple[str, str], frozenset[str]]:
    """By module and type the older names that newer versions tell: a component took them since it was renamed, while
    metadata.yaml told them from 0.148.0 on.
    """
    kept: dict[tuple[str, str], frozenset[str]] = {}
    for there in elsewhere:
        if (number_of(there.version) or ()) > (number_of(recipe.version) or ()):
            for one in there.components:
                key = (one.module, one.type)
                kept[key] = kept.get(key, frozenset()) | one.aliases
    return kept


class _Elsewhere(NamedTuple):
    """What another version has. is_whole: it lists all of it."""

    version: str
    is_whole: bool
    components: Sequence[Component]


def _elsewhere(recipe: Recipe) -> Iterator[_Elsewhere]:
    for source in recipe.sources:
        if source.version != recipe.version:
            yield _Elsewhere(source.version, source.lists_all, tuple(source.components()))
    for catalog in recipe.neighbours:
        yield _Elsewhere(catalog.version, is_whole=True, components=tuple(catalog.every()))


def _wanted(recipe: Recipe, own: frozenset[str], elsewhere: Sequence[_Elsewhere]) -> frozenset[str]:
    """The modules that the catalog is to have."""
    if recipe.only is not None:
        return recipe.only
    if any(one.lists_all and one.version == recipe.version for one in recipe.sources):
        return own
    nearest = next((one for one in elsewhere if one.is_whole), None)
    return own | frozenset(one.module for one in (nearest.components if nearest else ()))


def _completed(known: Component | None, one: Component, version: str) -> Component:
    """With the name that a neighbour knows, or all of the neighbour's."""
    if known is None:
        return _as_neighbour(one, version)
    if known.type:
        return known
    named = replace(known, type=one.type, aliases=one.aliases)
    return replace(named, facts_from=one.facts_from or version)


def _as_neighbour(one: Component, version: str) -> Component:
    bare = replace(one, config=None, is_verified=False, settings_from="")
    return replace(bare, facts_from=one.facts_from or version)


Finder = Callable[[Component], tuple[Field, str] | None]
"""Settings of a component, with the version that they are from."""


def _finders(recipe: Recipe) -> Iterator[Finder]:
    """Who may know settings, the nearest first."""
    own = [one for one in recipe.sources if one.version == recipe.version]
    found: list[tuple[tuple[int, Number], Finder]] = [
        (_order(recipe, one.version), _of_source(one, own)) for one in recipe.sources
    ]
    found += [(_order(recipe, one.version), _of_catalog(one)) for one in recipe.neighbours]
    yield from (finder for _, finder in sorted(found, key=lambda one: one[0]))


def _of_source(source: Source, own: Sequence[Source]) -> Finder:
    """Its own packages as it has them; those that they share in this version, where that has them."""

    def read(package: str) -> Published | None:
        there = (one.published(package) for one in own)
        told = (one for one in there if one is not None and one.has_settings)
        return next(told, None) or source.published(package)

    schemas = Schemas(read)

    def find(component: Component) -> tuple[Field, str] | None:
        settings = schemas.settings_of(component.module)
        return None if settings is None else (settings, source.version)

    return find


def _of_catalog(catalog: Catalog) -> Finder:
    known = {one.module: one for one in catalog.every()}

    def find(component: Component) -> tuple[Field, str] | None:
        there = known.get(component.module)
        if there is None or there.config is None:
            return None
        return there.config, there.settings_from or catalog.version

    return find


def _with_settings(one: Component, version: str, finders: Iterable[Finder]) -> Component:
    for find in finders:
        found = find(one)
        if found is not None:
            settings, source = found
            return replace(
                one,
                config=regrouped(one, settings),
                settings_from="" if source == version else source,
            )
    return one


def _certain(recipe: Recipe) -> Mapping[str, Component]:
    """By module what collectors of an older and of a newer version both took in the same way, with their settings."""
    wanted = number_of(recipe.version)
    assert wanted is not None
    ordered = sorted(recipe.neighbours, key=lambda one: _order(recipe, one.version))
    older, newer = (
        _held([one for one in ordered if (_number(one) < wanted) is is_older])
        for is_older in (True, False)
    )
    found: dict[str, Component] = {}
    for module in older.keys() & newer.keys():
        (before, one), (after, other) = older[module], newer[module]
        if one.config and other.config and shape_of(one.config) == shape_of(other.config):
            nearer, version = min(
                ((one, before), (other, after)), key=lambda pair: _order(recipe, pair[1])
            )
            found[module] = replace(nearer, settings_from=version)
    return found


def _held(catalogs: Iterable[Catalog]) -> Mapping[str, tuple[str, Component]]:
    """By module what the nearest of them is certain of by a collector of its own."""
    found: dict[str, tuple[str, Component]] = {}
    for catalog in catalogs:
        for one in catalog.every():
            if one.is_verified and not one.settings_from:
                found.setdefault(one.module, (catalog.version, one))
    return found


def _number(catalog: Catalog) -> Number:
    number = number_of(catalog.version)
    assert number is not None
    return number


def shape_of(field: Field) -> Any:
    """What a field takes, whatever its default is: equal for fields that take the same."""
    return (
        replace(field, fields={}, items=None, default=None),
        tuple(sorted((name, shape_of(one)) for name, one in field.fields.items())),
        field.items and shape_of(field.items),
    )


def _order(recipe: Recipe, version: str) -> tuple[int, Number]:
    """How far a version is, the older of two first."""
    return distance(recipe.version, version), number_of(version) or (0, 0, 0)
