"""A Go vendor folder that holds collectors' modules, in a folder or a git directory: their metadata.yaml."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from configs.catalog.building.identity import identity_of
from configs.catalog.building.schemas import Published
from configs.catalog.errors import CatalogError
from configs.catalog.sources.files import METADATA, SCHEMA, described, parsed
from configs.catalog.versions import newest_first
from configs.collector.catalog_types import Component

_MODULES: Final = "modules.txt"
_MODULE: Final = re.compile(r"^# (\S+) v(0\.\S+)", re.MULTILINE)
_CONTRIB: Final = "opentelemetry-collector-contrib/"


class Vendored:
    """Its version is that of most of contrib's modules in it."""

    def __init__(self, root: Path) -> None:
        texts = described(root, (METADATA, SCHEMA, _MODULES))
        listing = next((one for one in texts if one.endswith(f"vendor/{_MODULES}")), None)
        if listing is None:
            raise CatalogError(f"{root} has no vendor/modules.txt.")
        folder = listing.removesuffix(_MODULES)
        self._texts = {one.removeprefix(folder): text for one, text in texts.items()}
        self._modules = dict(_MODULE.findall(texts[listing]))
        versions = [one for path, one in self._modules.items() if _CONTRIB in path]
        self.version = max(newest_first(versions), key=versions.count, default="")
        if not self.version:
            raise CatalogError(f"{root} holds no modules of {_CONTRIB.rstrip('/')}.")

    lists_all = False

    @property
    def told(self) -> str:
        """What it is."""
        return f"metadata.yaml of Go modules, v{self.version}, as somebody vendored them"

    def components(self) -> Iterator[Component]:
        """Those of its version."""
        for module, version in self._modules.items():
            if version == self.version:
                found = identity_of(parsed(self._texts.get(f"{module}/{METADATA}")), module)
                if found is not None:
                    yield found

    def published(self, package: str) -> Published | None:
        """Where it has the package."""
        files = (f"{package}/{SCHEMA}", f"{package}/{METADATA}")
        schema, metadata = (parsed(self._texts.get(one)) for one in files)
        return Published(schema, metadata) if schema or metadata else None
