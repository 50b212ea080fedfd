"""The catalogs that are shipped, read when they are asked for."""

from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from configs.catalog.versions import nearest_of, newest_first
from configs.catalog.writing import from_bytes
from configs.collector.catalog_types import Catalog

SHIPPED: Final = Path(__file__).parent / "shipped"
SUFFIX: Final = ".json.gz"
_KEPT: Final = 4
"""How many catalogs stay in memory."""


@cache
def versions() -> tuple[str, ...]:
    """The versions that catalogs are shipped for, newest first."""
    return newest_first(one.name.removesuffix(SUFFIX) for one in SHIPPED.glob(f"*{SUFFIX}"))


@lru_cache(_KEPT)
def load(version: str) -> Catalog | None:
    """The catalog of exactly this version; None when none is shipped for it."""
    version = version.removeprefix("v")
    if version not in versions():
        return None
    return from_bytes((SHIPPED / f"{version}{SUFFIX}").read_bytes())


def nearest(version: str = "") -> Catalog:
    """The catalog to use for a version.

    One of another version is certain of nothing: what it finds are warnings. Without a version it is the newest one,
    and any distribution may be meant: a type that it does not know is no error.
    """
    exact = load(version)
    return exact or _instead(nearest_of(version, versions()) or "", is_newest=not version)


@lru_cache(_KEPT)
def _instead(version: str, *, is_newest: bool) -> Catalog:
    there = load(version)
    assert there is not None, "no catalog is shipped"
    return replace(there, is_complete=False) if is_newest else there.for_another_version()
