"""PURE. What a source of facts can be asked."""

from collections.abc import Iterable
from typing import Protocol

from configs.catalog.building.schemas import Published
from configs.collector.catalog_types import Component


class Source(Protocol):
    """Facts about one version: files of a checkout, Go modules, a registry."""

    @property
    def version(self) -> str:
        """The version that all it says is about."""

    @property
    def told(self) -> str:
        """What it is, for people who want to know where a fact is from."""

    @property
    def lists_all(self) -> bool:
        """Whether what it does not list is not in the version."""

    def components(self) -> Iterable[Component]:
        """Names, signals and stability, without settings; a type is "" where the source does not tell it."""

    def published(self, package: str) -> Published | None:
        """What a package publishes of its settings; None when it has nothing of it."""
