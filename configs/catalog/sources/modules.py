"""Go modules: each component in exactly one version, by the go command."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from configs.catalog.building.identity import identity_of
from configs.catalog.building.manifest import Module
from configs.catalog.building.places import repository_of
from configs.catalog.building.schemas import Published
from configs.catalog.errors import CatalogError
from configs.catalog.sources.files import parsed
from configs.catalog.sources.running import run
from configs.catalog.versions import number_of
from configs.collector.catalog_types import Component

_SECONDS: Final = 1800
_AT_ONCE: Final = 40
_REQUIRED: Final = re.compile(
    r"^\s*(?:require\s+)?([\w./~-]+\.[\w./~-]+) (v[\w.+-]+)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Downloaded:
    """folder: where a module's files are · requires: the modules that it needs."""

    folder: Path
    requires: Mapping[str, str]


class Modules:
    """Components by their modules. Nothing is asked for before somebody wants to know.

    Raises CatalogError when there is no go command.
    """

    def __init__(self, version: str, wanted: Iterable[Module]) -> None:
        self.version = version
        self._wanted = tuple(wanted)
        self._go = _go()
        self._here: dict[Module, Downloaded | None] = {}
        self._versions: dict[str, str] = {}

    lists_all = False

    @property
    def told(self) -> str:
        """How many modules are from here."""
        return f"{sum(one is not None for one in self._here.values())} Go modules"

    @property
    def missing(self) -> tuple[Module, ...]:
        """What cannot be had."""
        return tuple(one for one in self._wanted if self._here.get(one, True) is None)

    def components(self) -> Iterator[Component]:
        """Those of the wanted modules that can be had."""
        self._download(self._wanted)
        for one in self._wanted:
            there = self._here[one]
            if there is not None:
                found = identity_of(_yaml(there.folder / "metadata.yaml"), one.path)
                own = one.version.removeprefix("v")
                if found is not None:
                    yield replace(found, facts_from="" if own == self.version else own)

    def published(self, package: str) -> Published | None:
        """Of any package of a module that the wanted ones need, in the version that they need."""
        module = self._module_of(package)
        there = self._have(module) if module else None
        if module is None or there is None:
            return None
        folder = there.folder / package.removeprefix(module.path).lstrip("/")
        schema, metadata = (_yaml(folder / f"{one}.yaml") for one in ("config.schema", "metadata"))
        return Published(schema, metadata) if schema or metadata else None

    def _module_of(self, package: str) -> Module | None:
        known = {one.path: one.version for one in self._wanted} | self._versions
        path, root = package, repository_of(package)
        while path != root and path not in known:
            path = path.rpartition("/")[0]
        return Module(path, known[path]) if path in known else None

    def _have(self, module: Module) -> Downloaded | None:
        if module not in self._here:
            self._download((module,))
        return self._here[module]

    def _download(self, modules: Iterable[Module]) -> None:
        new = [one for one in modules if one not in self._here]
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            answers = {(one["Path"], one["Version"]): one for one in self._asked(some)}
            for one in some:
                self._here[one] = _downloaded(answers.get((one.path, one.version), {}))
                self._learn(self._here[one])

    def _learn(self, there: Downloaded | None) -> None:
        """The versions that Go would choose: of each module the newest that anybody needs."""
        for path, version in there.requires.items() if there else ():
            known = self._versions.get(path)
            if known is None or (number_of(version) or ()) > (number_of(known) or ()):
                self._versions[path] = version

    def _asked(self, modules: Iterable[Module]) -> Iterator[dict[str, Any]]:
        names = [f"{one.path}@{one.version}" for one in modules]
        outside = {**os.environ, "GOFLAGS": "-mod=mod", "GOWORK": "off"}
        words = ["mod", "download", "-json", *names]
        with tempfile.TemporaryDirectory() as empty:
            done = run(self._go, words, folder=empty, seconds=_SECONDS, environment=outside)
        yield from _objects(done.text)


def _go() -> str:
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if found is None:
        raise CatalogError("Go is missing: modules are downloaded by the go command. Install Go.")
    return found


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Go prints one JSON object after the other."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        found, at = decoder.raw_decode(text, at)
        yield found


def _downloaded(answer: Mapping[str, Any]) -> Downloaded | None:
    if answer.get("Error") or not answer.get("Dir"):
        return None
    go_mod = Path(answer["GoMod"]).read_text()
    return Downloaded(Path(answer["Dir"]), dict(_REQUIRED.findall(go_mod)))


def _yaml(path: Path) -> Any:
    found = parsed(path.read_text(errors="replace")) if path.is_file() else None
    return found if isinstance(found, Mapping) else None
