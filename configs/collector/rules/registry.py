"""PURE. All rules there are."""

from typing import Final

from configs.collector.rules import reading, references, whole, wiring
from configs.collector.rules.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    *reading.RULES,
    *references.RULES,
    *whole.RULES,
    *wiring.RULES,
)
BY_ID: Final = {rule.id: rule for rule in RULES}
