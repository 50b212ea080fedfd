"""Which collectors, by what they say of themselves: `deployment.environment=staging, region in (eu, us)`. Pure.

The words are those of Kubernetes' label selectors; all conditions hold at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Operator(Enum):
    """How a condition looks at the attribute."""

    IN = "in"
    NOT_IN = "not in"
    EXISTS = "exists"
    IS_MISSING = "is missing"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; values only for those that compare."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """For parse_selector()."""
        listed = f"({', '.join(sorted(self.values))})"
        only = next(iter(self.values)) if len(self.values) == 1 else ""
        if re.fullmatch(_VALUE, only):
            return f"{self.key}{'=' if self.operator is Operator.IN else '!='}{only}"
        return {
            Operator.IN: f"{self.key} in {listed}",
            Operator.NOT_IN: f"{self.key} notin {listed}",
            Operator.EXISTS: self.key,
            Operator.IS_MISSING: f"!{self.key}",
        }[self.operator]

    def holds(self, attributes: Mapping[str, str]) -> bool:
        """Whether these attributes meet it. What is missing is not in any list, as in Kubernetes."""
        value = attributes.get(self.key)
        match self.operator:
            case Operator.IN:
                return value in self.values
            case Operator.NOT_IN:
                return value not in self.values
            case Operator.EXISTS:
                return value is not None
            case Operator.IS_MISSING:
                return value is None


@dataclass(frozen=True, slots=True)
class Selector:
    """Conditions that all hold; none at all selects everybody."""

    conditions: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        """For parse_selector()."""
        return ", ".join(str(condition) for condition in self.conditions)

    def selects(self, attributes: Mapping[str, str]) -> bool:
        """Whether these attributes meet every condition."""
        return all(condition.holds(attributes) for condition in self.conditions)


class BadSelector(ValueError):
    """The text is no selector; says which part, and what would be."""


WRITTEN: Final = "key=value, key!=value, key in (a, b), key notin (a, b), key or !key"
"""How conditions are written, for people."""
_MOST: Final = 20
_KEY: Final = r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}"
_VALUE: Final = r"[^\s,()!=][^,()!=]{0,254}"
_SET: Final = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_EQUAL: Final = re.compile(rf"({_KEY})\s*(==|=|!=)\s*({_VALUE})")
_EXISTS: Final = re.compile(rf"(!?)\s*({_KEY})")
_BETWEEN: Final = re.compile(r",(?![^()]*\))")


def parse_selector(text: str) -> Selector:
    """Read a selector. Raises BadSelector."""
    parts = [part.strip() for part in _BETWEEN.split(text)] if text.strip() else []
    if len(parts) > _MOST:
        raise BadSelector(f"A selector has at most {_MOST} conditions; this one has {len(parts)}.")
    return Selector(tuple(_condition(part) for part in parts))


def _condition(part: str) -> Condition:
    if found := _SET.fullmatch(part):
        key, word, listed = found.groups()
        values = frozenset(value.strip() for value in listed.split(",")) - {""}
        if values:
            return Condition(key, Operator.IN if word == "in" else Operator.NOT_IN, values)
    if found := _EQUAL.fullmatch(part):
        key, sign, value = found.groups()
        operator = Operator.NOT_IN if sign == "!=" else Operator.IN
        return Condition(key, operator, frozenset({value.strip()}))
    if found := _EXISTS.fullmatch(part):
        is_missing, key = found.groups()
        return Condition(key, Operator.IS_MISSING if is_missing else Operator.EXISTS)
    what = f"“{part}” is no condition" if part else "A comma has no condition beside it"
    raise BadSelector(f"{what}. Write {WRITTEN}.")
