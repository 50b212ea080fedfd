"""`telflo validate FILE…`: exit code 0 without errors, 1 with some (`--strict`: or warnings), 2 when a file
or an argument cannot be read.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from configs.catalog.errors import CatalogError
from configs.catalog.shelf import nearest
from configs.catalog.writing import from_bytes
from configs.collector.catalog_types import Catalog
from configs.collector.findings import Severity
from configs.collector.limits import Limits
from configs.collector.validate import validate
from telflo.validating.arguments import parser, target_of
from telflo.validating.formats import FORMATS, Checked

_STDIN: Final = "-"
_MORE_THAN_ALLOWED: Final = Limits().bytes + 1
"""What is read of a file: enough to see that it is too large."""


class _Unreadable(Exception):
    """A file that is not there, or may not be read."""


def main(arguments: Sequence[str], *, stdin: BinaryIO, stdout: TextIO, stderr: TextIO) -> int:
    """Look at the files that the arguments name, say what is found, answer the exit code."""
    said = parser().parse_args(arguments)
    try:
        catalog = _catalog(said)
        checked = list(_checked(said, stdin, catalog))
    except (_Unreadable, CatalogError) as error:
        print(f"telflo: {error}", file=stderr)
        return 2
    print(_about(said, catalog), file=stderr)
    try:
        _say(FORMATS[said.format](checked), stdout)
    except OSError as error:
        print(f"telflo: the findings cannot be written: {error.strerror or error}.", file=stderr)
        return 2
    bad = {Severity.ERROR, Severity.WARNING} if said.strict else {Severity.ERROR}
    return int(any(found.severity in bad for one in checked for found in one.report.findings))


def _catalog(said: argparse.Namespace) -> Catalog:
    """The catalog of a file that was named, else that of the version or the nearest one."""
    if said.catalog is None:
        return nearest(said.collector_version or "")
    try:
        return from_bytes(Path(said.catalog).read_bytes())
    except OSError as error:
        raise _Unreadable(f"{said.catalog} cannot be read: {error.strerror or error}.") from error


_UNSURE: Final = ": what is unknown to it is a warning"


def _about(said: argparse.Namespace, catalog: Catalog) -> str:
    """Which catalog was used, and what that means."""
    used = f"telflo: held against {catalog.distribution} {catalog.version}"
    wanted = said.collector_version
    if said.catalog is not None:
        return f"{used}, of {said.catalog}."
    unsure = "" if catalog.is_complete else _UNSURE
    if wanted is None:
        return f"{used}, the newest known here{unsure}. Name yours with --collector-version."
    if wanted.removeprefix("v") != catalog.version:
        return f"{used}, the nearest to {wanted} that is known here{_UNSURE}."
    return f"{used}{unsure}."


def _checked(said: argparse.Namespace, stdin: BinaryIO, catalog: Catalog) -> Iterator[Checked]:
    texts = [(name, _read(name, stdin)) for name in said.files]
    groups = [texts] if said.merge else [[one] for one in texts]
    target = target_of(said)
    for group in groups:
        report = validate(
            group,
            catalog=catalog,
            version=said.collector_version,
            target=target,
            disabled=said.disable,
        )
        yield Checked(" ".join(name for name, _ in group), report)


def _read(name: str, stdin: BinaryIO) -> bytes:
    if name == _STDIN:
        return stdin.read(_MORE_THAN_ALLOWED)
    try:
        with Path(name).open("rb") as file:
            return file.read(_MORE_THAN_ALLOWED)
    except OSError as error:
        raise _Unreadable(f"{name} cannot be read: {error.strerror or error}.") from error


def _say(lines: Iterable[str], stdout: TextIO) -> None:
    """Say them all, unless whoever reads them has enough."""
    with suppress(BrokenPipeError):
        for line in lines:
            print(line, file=stdout)
        stdout.flush()


def run() -> int:
    """The command with the process's own arguments and streams."""
    code = main(sys.argv[2:], stdin=sys.stdin.buffer, stdout=sys.stdout, stderr=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:
        # Python would try once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
