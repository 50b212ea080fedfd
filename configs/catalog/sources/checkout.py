"""A checkout of one of upstream's repositories, or a git directory: all its components in one version."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from configs.catalog.building.identity import identity_of
from configs.catalog.building.places import CONTRIB, CORE
from configs.catalog.building.schemas import Published
from configs.catalog.errors import CatalogError
from configs.catalog.sources.files import METADATA, SCHEMA, described, git, is_git, parsed
from configs.catalog.versions import newest_first
from configs.collector.catalog_types import Component

_VERSIONS: Final = "versions.yaml"
_FILES: Final = (METADATA, SCHEMA, _VERSIONS)
_SETS: Final[Mapping[str, str]] = {"contrib-base": CONTRIB, "beta": CORE}
"""Names of sets of modules in versions.yaml, and the import path of the repository that has them."""


class Checkout:
    """One repository. Which it is, and its version, stands in its versions.yaml.

    wanted: the version that is looked for among the tags of a git directory; HEAD is read when there is no such tag.
    """

    def __init__(self, root: Path, wanted: str) -> None:
        has_tag = is_git(root) and bool(git(root, "tag", "--list", f"v{wanted}").strip())
        self._texts = described(root, _FILES, f"v{wanted}" if has_tag else "HEAD")
        self.prefix, self.version = _released(parsed(self._texts.get(_VERSIONS)), root)
        self._known: dict[str, Published] = {}

    lists_all = False

    @property
    def told(self) -> str:
        """The repository and the version."""
        return f"{self.prefix} v{self.version}: metadata.yaml, config.schema.yaml"

    def components(self) -> Iterator[Component]:
        """All that have a metadata.yaml."""
        for path in sorted(self._texts):
            folder, _, name = path.rpartition("/")
            if name == METADATA and "internal" not in folder.split("/"):
                found = identity_of(parsed(self._texts[path]), f"{self.prefix}/{folder}")
                if found is not None:
                    yield found

    def published(self, package: str) -> Published | None:
        """Of its own packages alone."""
        if not package.startswith(f"{self.prefix}/"):
            return None
        folder = package.removeprefix(f"{self.prefix}/")
        return self._known.get(folder) or self._read(folder)

    def _read(self, folder: str) -> Published | None:
        schema, metadata = (
            parsed(self._texts.get(f"{folder}/{name}")) for name in (SCHEMA, METADATA)
        )
        if schema is None and metadata is None:
            return None
        return self._known.setdefault(folder, Published(schema, metadata))


def _released(document: Any, root: Path) -> tuple[str, str]:
    sets = document.get("module-sets") if isinstance(document, Mapping) else None
    for name, prefix in _SETS.items():
        version = str((sets or {}).get(name, {}).get("version", "")).removeprefix("v")
        if newest_first([version]):
            return prefix, version
    raise CatalogError(
        f"{root} is no checkout of the collector's repositories: its versions.yaml names none of {', '.join(_SETS)}."
    )
