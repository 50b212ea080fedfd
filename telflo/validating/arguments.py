"""The arguments of `telflo validate`, and what they say about the collectors that configurations are for."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from configs.catalog.sources.collector import types_listed
from configs.collector.names import Kind, renamed
from configs.collector.rules.registry import BY_ID
from configs.collector.target import Target
from configs.collector.validate import EMPTY, SYNTAX
from telflo.validating.formats import FORMATS

_VERSION: Final = re.compile(r"v?\d{1,4}\.\d{1,4}\.\d{1,4}")
_Component = tuple[Kind, str]


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    found = argparse.ArgumentParser(
        prog="telflo validate",
        description="Check collector configurations. Exits 1 when a collector would refuse one.",
    )
    found.add_argument("files", nargs="+", metavar="FILE", help="a YAML file; - for standard input")
    found.add_argument(
        "--format", choices=list(FORMATS), default="text", help="how to say it (text)"
    )
    found.add_argument(
        "--collector-version",
        type=_version,
        metavar="V",
        help="such as 0.158.0: what its components take (the newest that is known here)",
    )
    found.add_argument(
        "--catalog",
        metavar="FILE",
        help="of your own distribution, made by telflo collector_catalog --build",
    )
    found.add_argument(
        "--merge",
        action="store_true",
        help="the files are one configuration, as with several --config",
    )
    found.add_argument(
        "--disable",
        type=_rule,
        action="append",
        default=[],
        metavar="RULE",
        help="leave out a rule, such as L23",
    )
    found.add_argument(
        "--strict", action="store_true", help="exit with 1 also where there are warnings alone"
    )
    _add_target(found)
    return found


def target_of(said: argparse.Namespace) -> Target:
    """The hosts and the policy that the arguments tell."""
    denied = {(kind, name) for kind, name in said.deny}
    return Target(
        is_production=said.production,
        replicas=said.replicas,
        memory_mib=said.memory_mib,
        required_extensions=frozenset(said.require_extension),
        gates=frozenset(said.gate),
        denied=frozenset(denied | {(kind, renamed(kind, name)) for kind, name in denied}),
        denied_schemes=frozenset(said.deny_scheme),
        components=said.components,
    )


def _add_target(found: argparse.ArgumentParser) -> None:
    group = found.add_argument_group(
        "the collectors that it is for", "what is not said here is not judged"
    )
    group.add_argument("--production", action="store_true", help="debugging output is out of place")
    group.add_argument(
        "--replicas", type=_number, default=1, metavar="N", help="so many share the load (1)"
    )
    group.add_argument("--memory-mib", type=_number, metavar="N", help="what the smallest host has")
    group.add_argument(
        "--components", type=_listed, metavar="FILE", help="what `otelcol components` printed"
    )
    for name, metavar, what in (
        ("--gate", "GATE", "a feature gate that is on"),
        ("--require-extension", "TYPE", "an extension that has to be started, such as opamp"),
        ("--deny-scheme", "SCHEME", "references that are not allowed, such as http"),
    ):
        group.add_argument(name, action="append", default=[], metavar=metavar, help=what)
    group.add_argument(
        "--deny",
        type=_component,
        action="append",
        default=[],
        metavar="KIND/TYPE",
        help="a component that is not allowed, such as exporters/file",
    )


def _version(text: str) -> str:
    if not _VERSION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no version such as 0.158.0")
    return text


def _rule(text: str) -> str:
    if text not in {*BY_ID, SYNTAX, EMPTY}:
        raise argparse.ArgumentTypeError(f"there is no rule {text!r}")
    return text


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text[:10]) < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _listed(name: str) -> Mapping[Kind, frozenset[str]]:
    """Types by kind, under present names."""
    try:
        types = types_listed(Path(name).read_text("utf-8", errors="replace"))
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"{name} cannot be read: {error.strerror or error}"
        ) from error
    if not any(types.values()):
        raise argparse.ArgumentTypeError(f"{name} is not what `otelcol components` prints")
    return {kind: frozenset(renamed(kind, one) for one in ones) for kind, ones in types.items()}


def _component(text: str) -> _Component:
    kind, _, name = text.partition("/")
    if kind not in set(Kind) or not name:
        kinds = ", ".join(Kind)
        raise argparse.ArgumentTypeError(f"{text!r} is not KIND/TYPE; kinds are {kinds}")
    return Kind(kind), name
