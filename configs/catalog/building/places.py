"""PURE. Where a `$ref` of a config.schema.yaml leads. Upstream writes it in five ways, none of them JSON Schema's."""

import posixpath
from typing import Final, NamedTuple

CORE: Final = "go.opentelemetry.io/collector"
CONTRIB: Final = "github.com/open-telemetry/opentelemetry-collector-contrib"
_HOSTED: Final = 3
"""Segments of a repository's path on a host that keeps many: github.com/owner/name."""


WHOLE: Final = "config"
"""The name of a package's whole configuration, where no definition has it."""


class Place(NamedTuple):
    """A definition. package: a Go import path · name: of the definition there, WHOLE for all of it."""

    package: str
    name: str


def repository_of(package: str) -> str:
    """The import path that a package's repository has: `/x.y` in a `$ref` starts there."""
    if package == CORE or package.startswith(f"{CORE}/"):
        return CORE
    return "/".join(package.split("/")[:_HOSTED])


def place_of(ref: str, package: str) -> Place:
    """The place that a `$ref` in a package names.

    `name`: in the same package · `./internal/common.name`, `../x.name`: beside it · `/config/confighttp.name`: from the
    root of its repository · `go.opentelemetry.io/collector/x.name` and `github.com/…/x.name`: anywhere.
    """
    folder, _, last = ref.rpartition("/")
    if not folder and not ref.startswith("/"):
        return Place(package, ref)
    last, _, name = last.partition(".")
    target = f"{folder}/{last}"
    if ref.startswith("/"):
        target = repository_of(package) + target
    elif ref.startswith("."):
        target = posixpath.normpath(f"{package}/{target}")
    return Place(target, name or WHOLE)
