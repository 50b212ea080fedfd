"""`telflo collector_catalog`: exit code 0 when it did what was asked, 2 when it cannot, with the reason on stderr."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

from configs.catalog.errors import CatalogError
from configs.catalog.shelf import SHIPPED, SUFFIX, load, versions
from configs.catalog.versions import number_of
from configs.catalog.writing import as_bytes
from configs.collector.catalog_types import Catalog
from telflo.cataloguing.building import Wish, asked_about, built

_MODULES: Final = ("common", "all", "none")


def main(arguments: Sequence[str], *, stdout: TextIO, stderr: TextIO) -> int:
    """List or build, as the arguments say; answer the exit code."""
    said = _parser().parse_args(arguments)
    try:
        if said.list:
            _list(stdout)
        else:
            _build(said, stdout, stderr)
    except CatalogError as fault:
        print(f"telflo: {fault}", file=stderr)
        return 2
    return 0


def _list(stdout: TextIO) -> None:
    """A line for each version that is shipped."""
    for version in versions():
        catalog = load(version)
        assert catalog is not None
        print(f"{version:<10} {_counted(catalog)}", file=stdout)


def _build(said: argparse.Namespace, stdout: TextIO, stderr: TextIO) -> None:
    def tell(text: str) -> None:
        print(text, file=stderr, flush=True)

    catalog = (
        asked_about(said.known, said.collector, tell) if said.known else built(_wish(said), tell)
    )
    _write(catalog, said.output or SHIPPED / f"{catalog.version}{SUFFIX}", stdout)


def _wish(said: argparse.Namespace) -> Wish:
    return Wish(
        version=said.build.removeprefix("v"),
        registry=said.registry,
        website=said.website,
        vendored=tuple(said.vendored),
        checkouts=tuple(said.sources),
        manifest=said.manifest,
        modules=said.modules,
        collector=said.collector,
    )


def _write(catalog: Catalog, target: Path, stdout: TextIO) -> None:
    data = as_bytes(catalog)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    except OSError as fault:
        raise CatalogError(f"{target} cannot be written: {fault.strerror or fault}.") from fault
    print(
        f"{catalog.version}: {_counted(catalog)}, {len(data) / 1024:.0f} KiB in {target}",
        file=stdout,
    )


def _counted(catalog: Catalog) -> str:
    components = list(catalog.every())
    known = sum(one.config is not None for one in components)
    verified = sum(one.is_verified for one in components)
    borrowed = sum(bool(one.facts_from or one.settings_from) for one in components)
    return (
        f"{catalog.distribution}: {len(components)} components, {known} with settings ({verified} verified), "
        f"{borrowed} with facts of a neighbour"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="telflo collector_catalog",
        description="What is known about the components of a collector version: list what is shipped, or build one.",
    )
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--list", action="store_true", help="the versions that are shipped")
    wanted.add_argument(
        "--build",
        type=_version,
        metavar="VERSION",
        help="make the catalog of a version, such as 0.158.0",
    )
    wanted.add_argument(
        "--from",
        dest="known",
        type=Path,
        metavar="FILE",
        help="ask a collector (--collector) about a catalog that is built already",
    )
    parser.add_argument(
        "--registry",
        type=Path,
        metavar="DIR",
        help="the folder ecosystem-registry/collector of the OpenTelemetry Ecosystem Explorer",
    )
    parser.add_argument(
        "--website",
        type=Path,
        metavar="DIR",
        help="a checkout or git directory of opentelemetry.io, for its tables of components",
    )
    parser.add_argument(
        "--vendored",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder or git directory with a Go vendor folder of collectors' modules; may be repeated",
    )
    parser.add_argument(
        "--sources",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a checkout or git directory of opentelemetry-collector or -contrib, of any version; may be repeated",
    )
    parser.add_argument(
        "--modules",
        choices=_MODULES,
        default="common",
        help="whose Go modules are downloaded: of what most people use, and what is known by its module alone (common)",
    )
    parser.add_argument(
        "--manifest",
        type=Path,
        metavar="FILE",
        help="the builder's manifest of your own distribution",
    )
    parser.add_argument(
        "--collector",
        type=Path,
        metavar="BINARY",
        help="a collector of this version: defaults are asked of it, and settings held against it",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write it")
    return parser


def _version(text: str) -> str:
    if number_of(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no version such as 0.158.0")
    return text


def run() -> int:
    """The command with the process's own arguments and streams."""
    return main(sys.argv[2:], stdout=sys.stdout, stderr=sys.stderr)
