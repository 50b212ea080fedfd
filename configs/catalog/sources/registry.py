"""The registry of the OpenTelemetry Ecosystem Explorer: what components each version has, without their settings."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from configs.catalog.building.identity import KINDS, identity_of
from configs.catalog.building.places import CONTRIB, CORE
from configs.catalog.building.schemas import Published
from configs.catalog.errors import CatalogError
from configs.catalog.sources.files import parsed
from configs.catalog.versions import newest_first, number_of
from configs.collector.catalog_types import Component

_PARTS: Final[Mapping[str, str]] = {"core": CORE, "contrib": CONTRIB}
_CORE_ONLY: Final = 3


def versions_in(root: Path) -> tuple[str, ...]:
    """The versions that the registry has of contrib, newest first: releases, no snapshots."""
    if not (root / "contrib").is_dir():
        raise CatalogError(f"{root} is no registry: it has no folder contrib. Name …/collector.")
    names = (one.name.removeprefix("v") for one in (root / "contrib").iterdir())
    return newest_first(one for one in names if one.count(".") == 2 and "-" not in one)


class Registry:
    """One version of it. root: the folder that holds core/ and contrib/."""

    def __init__(self, root: Path, version: str) -> None:
        self._root, self.version = root, version

    lists_all = True

    @property
    def told(self) -> str:
        """The registry and the version."""
        return f"OpenTelemetry Ecosystem Explorer's registry, v{self.version}"

    def components(self) -> Iterator[Component]:
        """All of core and contrib. Core's release of the same minor version counts when it has another patch."""
        for part, prefix in _PARTS.items():
            for kind in KINDS:
                path = self._folder(part) / f"{kind}.yaml"
                text = path.read_text() if path.is_file() else None
                yield from _components(parsed(text), f"{prefix}/{kind}")

    def published(self, package: str) -> Published | None:
        """Nothing: it knows no settings."""
        return None

    def _folder(self, part: str) -> Path:
        exact = self._root / part / f"v{self.version}"
        if exact.is_dir():
            return exact
        wanted = number_of(self.version)
        beside = (self._root / part).glob(f"v{wanted[0]}.{wanted[1]}.*") if wanted else ()
        releases = sorted(one for one in beside if "-" not in one.name)
        return releases[-1] if releases else exact


def _components(document: Any, folder: str) -> Iterator[Component]:
    entries = document.get("components") if isinstance(document, Mapping) else None
    for one in entries or ():
        steps = [folder, one.get("subtype"), one.get("name")]
        found = identity_of(one.get("metadata"), "/".join(filter(None, steps)))
        if found is not None:
            yield found
