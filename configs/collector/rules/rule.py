"""PURE. What a rule is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from configs.collector.findings import Severity
from configs.collector.rules.hit import Hit
from configs.collector.rules.subject import Subject

_COLLECTOR: Final = "https://opentelemetry.io/docs/collector/"
CONFIGURATION: Final = _COLLECTOR + "configuration/"
SECURITY: Final = "https://opentelemetry.io/docs/security/config-best-practices/"
_CORE: Final = "https://github.com/open-telemetry/opentelemetry-collector/blob/main/"
_CONTRIB: Final = "https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/"


Check = Callable[[Subject], Iterable[Hit]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to look for. title: what it is about, in a few words."""

    id: str
    severity: Severity
    title: str
    doc_url: str
    check: Check


def rule(rule_id: str, severity: Severity, title: str, doc_url: str) -> Callable[[Check], Rule]:
    """Make a rule of a check."""

    def made(check: Check) -> Rule:
        return Rule(rule_id, severity, title, doc_url, check)

    return made


def core(path: str) -> str:
    """The documentation beside the collector's own sources."""
    return f"{_CORE}{path}/README.md"


def contrib(path: str) -> str:
    """The documentation beside the sources of contributed components."""
    return f"{_CONTRIB}{path}/README.md"
