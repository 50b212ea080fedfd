"""Every rule broken, once or in several ways, by something laid over a base or by a text of its own.

What the real collectors make of it is for them to say: some of it they take, and some of that they cannot start with.
"""

from __future__ import annotations

from typing import Final

from tests.e2e.verdicts.broken.files import FILES
from tests.e2e.verdicts.broken.gateway import GATEWAY
from tests.e2e.verdicts.broken.others import (
    BRIDGES,
    COUNTING,
    HOST,
    ONE_HOST,
    ROUTING,
    SAMPLING,
    TELEMETRY,
)
from tests.e2e.verdicts.broken.statements import STATEMENTS
from tests.e2e.verdicts.broken.texts import BY_TEXT

_OF_A_BASE: Final = {
    "gateway": GATEWAY,
    "files": FILES,
    "sampling": SAMPLING,
    "telemetry": TELEMETRY,
    "bridges": BRIDGES,
    "host": HOST,
    "counting": COUNTING,
    "one_host": ONE_HOST,
    "routing": ROUTING,
    "changing": STATEMENTS,
}
BROKEN: Final = tuple(
    (rule, base, over) for base, rows in _OF_A_BASE.items() for rule, over in rows
)
"""Rule, base, and what is laid over it."""

__all__ = ["BROKEN", "BY_TEXT"]
