"""PURE. The manifest of the collector builder: which modules a distribution holds."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from configs.catalog.errors import CatalogError
from configs.collector.names import Kind


class Module(NamedTuple):
    """A Go module in a version, such as v0.158.0."""

    path: str
    version: str


class Manifest(NamedTuple):
    """name: of the distribution · modules: of its components."""

    name: str
    version: str
    modules: tuple[Module, ...]


def manifest_of(document: Any) -> Manifest:
    """Read a builder's manifest. Raises CatalogError for something else."""
    if not isinstance(document, Mapping) or not isinstance(document.get("dist"), Mapping):
        raise CatalogError("This is no manifest of the collector builder: it has no section dist.")
    dist = document["dist"]
    modules = tuple(one for kind in Kind for one in _modules(document.get(kind.value)))
    if not modules:
        raise CatalogError("The manifest names no components (receivers, exporters, …).")
    return Manifest(str(dist.get("name", "")), str(dist.get("version", "")), modules)


def _modules(entries: Any) -> Iterator[Module]:
    for entry in entries if isinstance(entries, list) else ():
        words = str(entry.get("gomod", "")).split() if isinstance(entry, Mapping) else []
        if len(words) == 2:
            yield Module(words[0], words[1])
