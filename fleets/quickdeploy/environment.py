"""Which environment variables a collector configuration uses. Pure."""

import re
from dataclasses import dataclass
from typing import Final

import yaml

_REFERENCE: Final = re.compile(
    r"\$\$|\$\{(?:env:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?\}"
)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that a configuration uses; without a default its value must come from the host."""

    name: str
    has_default: bool = False


def variables_in(text: str) -> tuple[Variable, ...]:
    """The variables that ${env:X} and ${X} name in keys and values, in order of their first use.

    `$$` is a plain dollar sign; comments do not count. Text that is no YAML names none.
    """
    needed: dict[str, bool] = {}
    for scalar in _scalars(text):
        for found in _REFERENCE.finditer(scalar):
            if name := found["name"]:
                needed[name] = needed.get(name, True) and found["default"] is not None
    return tuple(Variable(name, has_default) for name, has_default in needed.items())


def _scalars(text: str) -> list[str]:
    """Every scalar's text. Events, not nodes: aliases cost nothing."""
    try:
        events = list(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return []
    return [event.value for event in events if isinstance(event, yaml.ScalarEvent)]
