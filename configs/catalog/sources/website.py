"""The tables of opentelemetry.io: which components a version has, and how stable; not what they are called in files."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from configs.catalog.building.identity import KINDS, with_levels
from configs.catalog.building.places import CONTRIB, CORE
from configs.catalog.building.schemas import Published
from configs.catalog.errors import CatalogError
from configs.catalog.sources.files import git, is_git, parsed
from configs.catalog.versions import nearest_of
from configs.collector.catalog_types import Component

_VERSIONS: Final = "data/collector-versions.yml"
_TABLES: Final = "data/collector"
_ROOTS: Final[Mapping[str, str]] = {"core": CORE, "contrib": CONTRIB}


class Website:
    """Its tables of the version that is nearest to the wanted one: in a git directory, of all that it ever had."""

    def __init__(self, root: Path, wanted: str) -> None:
        self._root = root
        known = dict(self._known())
        nearest = nearest_of(wanted, known)
        if nearest is None:
            raise CatalogError(f"{root} has no {_VERSIONS}: it is no checkout of opentelemetry.io.")
        self.version, self._revision = nearest, known[nearest]

    lists_all = True

    @property
    def told(self) -> str:
        """What it is."""
        return f"opentelemetry.io's tables of components, v{self.version}"

    def components(self) -> Iterator[Component]:
        """All of them, without a type."""
        for word, kind in KINDS.items():
            for entry in self._read(f"{_TABLES}/{kind}.yml", self._revision) or ():
                steps = (_ROOTS[entry["repo"]], word, entry.get("subtype"), entry["name"])
                yield with_levels(
                    Component(
                        kind,
                        "",
                        module="/".join(filter(None, steps)),
                        distributions=tuple(sorted(entry.get("distributions") or ())),
                    ),
                    entry.get("stability") or {},
                )

    def published(self, package: str) -> Published | None:
        """Nothing: it knows no settings."""
        return None

    def _known(self) -> Iterator[tuple[str, str]]:
        """Versions with their revisions; of several the first that says so and has tables, which comes last here."""
        revisions = ["HEAD"]
        if is_git(self._root):
            paths = (_TABLES, _VERSIONS)
            revisions = git(self._root, "log", "--format=%H", "--", *paths).decode().split()
        for revision in revisions:
            document = self._read(_VERSIONS, revision)
            if isinstance(document, Mapping) and self._has_tables(revision):
                yield str(document.get("contrib", "")).removeprefix("v"), revision

    def _has_tables(self, revision: str) -> bool:
        """The first versions were told before there were tables."""
        if not is_git(self._root):
            return (self._root / _TABLES).is_dir()
        return self._is_in(revision, _TABLES)

    def _read(self, path: str, revision: str) -> Any:
        if not is_git(self._root):
            there = self._root / path
            return parsed(there.read_text()) if there.is_file() else None
        is_there = self._is_in(revision, path)
        return parsed(git(self._root, "show", f"{revision}:{path}").decode()) if is_there else None

    def _is_in(self, revision: str, path: str) -> bool:
        return bool(git(self._root, "ls-tree", "--name-only", revision, path).strip())
