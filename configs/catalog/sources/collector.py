"""A collector that runs here: which components it has, what it takes, what its defaults are.

It is asked with `components`, `print-config` and `validate`, which start nothing; in an empty folder of its own, since
`validate` makes the files that exporters are to write.
"""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

from configs.catalog.building.trials import Answer
from configs.catalog.errors import CatalogError
from configs.catalog.sources.files import parsed
from configs.catalog.sources.running import Ran, run
from configs.collector.names import Kind

_SECONDS: Final = 60
_VERSION: Final = re.compile(r"version v?(\d+\.\d+\.\d+)")
_PRINT: Final = ("print-config", "--mode=redacted", "--validate=false")
"""Redacted: the other mode prints what it was given, without defaults, up to 0.149.0 at least."""
_UNKNOWN: Final = "unknown type: "
_SOURCES: Final = {"nop": None, "otlp": {"protocols": {"grpc": {"endpoint": "localhost:0"}}}}
_TARGETS: Final = {"nop": None, "debug": None}
"""Components that make a configuration whole beside the one that is asked about, and their settings."""


class Collector:
    """The binary. Raises CatalogError when it does not answer as a collector does."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary.resolve()
        found = _VERSION.search(self._run("--version").text)
        if found is None:
            raise CatalogError(f"{binary} does not tell its version: it is no collector.")
        self.version = found[1]

    @cached_property
    def types(self) -> Mapping[Kind, frozenset[str]]:
        """The components that it lists."""
        return types_listed(self._run("components").text)

    def has(self, kind: Kind, component_type: str) -> bool:
        """Whether it knows a type: it is given one."""
        return _UNKNOWN not in self.answer(kind, component_type, None).words

    def printed(self, kind: Kind, component_type: str, settings: Any) -> Any:
        """A component's settings as it prints them, defaults and all; None when it cannot."""
        done = self._with_file(_PRINT, {kind.value: {component_type: settings}})
        document = parsed(done.text) if done.code == 0 else None
        section = document.get(kind.value) if isinstance(document, Mapping) else None
        return section.get(component_type) if isinstance(section, Mapping) else None

    def answer(self, kind: Kind, component_type: str, settings: Any) -> Answer:
        """What it says to a configuration that holds this component beside a pipeline of others."""
        document = {**self._frame}
        document[kind.value] = {**document.get(kind.value, {}), component_type: settings}
        done = self._with_file(("validate",), document)
        return Answer(done.code == 0, done.words)

    @cached_property
    def _frame(self) -> dict[str, Any]:
        source, sources = _one_of(_SOURCES, self.types[Kind.RECEIVER])
        target, targets = _one_of(_TARGETS, self.types[Kind.EXPORTER])
        pipeline = {"receivers": [source], "exporters": [target]}
        return {
            Kind.RECEIVER.value: sources,
            Kind.EXPORTER.value: targets,
            "service": {"pipelines": {"traces": pipeline}},
        }

    def _with_file(self, words: tuple[str, ...], document: Any) -> Ran:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "config.yaml"
            path.write_text(yaml.safe_dump(document))
            return self._run(*words, f"--config={path}", folder=folder)

    def _run(self, *words: str, folder: str | None = None) -> Ran:
        path = {"PATH": os.environ.get("PATH", os.defpath)}
        where = folder or tempfile.gettempdir()
        return run(self._binary, words, folder=where, seconds=_SECONDS, environment=path)


def types_listed(text: str) -> Mapping[Kind, frozenset[str]]:
    """The components that `otelcol components` printed; nothing for what it did not print."""
    listed = parsed(text)
    sections = listed if isinstance(listed, Mapping) else {}
    return {kind: frozenset(_names(sections.get(kind.value))) for kind in Kind}


def _one_of(settings: Mapping[str, Any], there: frozenset[str]) -> tuple[str, dict[str, Any]]:
    """An id of its own for a component that the collector has, and its section."""
    found = next((name for name in settings if name in there), None)
    if found is None:
        raise CatalogError(f"The collector has none of {', '.join(settings)}: it cannot be asked.")
    name = f"{found}/telflo"
    return name, {name: settings[found]}


def _names(entries: Any) -> Iterator[str]:
    for entry in entries if isinstance(entries, list) else ():
        name = entry.get("name") if isinstance(entry, Mapping) else entry
        if isinstance(name, str):
            yield name
