"""PURE. All rules there are."""

from typing import Final

from configs.collector.rules import (
    advice,
    attributes,
    catalogued,
    contributed,
    extensions,
    listening,
    logfiles,
    logoperators,
    ordering,
    reading,
    references,
    routing,
    sampling,
    secrecy,
    settings,
    shared,
    statements,
    whole,
    wiring,
)
from configs.collector.rules.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    *reading.RULES,
    *references.RULES,
    *whole.RULES,
    *wiring.RULES,
    *catalogued.RULES,
    *shared.RULES,
    *settings.RULES,
    *sampling.RULES,
    *attributes.RULES,
    *logfiles.RULES,
    *logoperators.RULES,
    *statements.RULES,
    *contributed.RULES,
    *routing.RULES,
    *extensions.RULES,
    *listening.RULES,
    *secrecy.RULES,
    *ordering.RULES,
    *advice.RULES,
)
BY_ID: Final = {rule.id: rule for rule in RULES}
