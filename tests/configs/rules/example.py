"""How rules are shown: a bad text whose underlined place stands in « », and a good one."""

from dataclasses import dataclass, field
from typing import Any

from configs.collector.findings import Finding, Report
from configs.collector.validate import validate

FILE = "a.yaml"


@dataclass(frozen=True, slots=True)
class Example:
    """rule: the id · bad: with « » around what is underlined · good: what the rule says nothing about · fixed: what the
    quick fix makes of the bad text, None where there is no fix · given: further arguments of validate · says: a part of
    the message · is_error: whether it is one, where the rule has both.
    """

    rule: str
    bad: str
    good: str
    fixed: str | None = None
    says: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    is_error: bool | None = None

    @property
    def name(self) -> str:
        return f"{self.rule}: {self.bad[:60]!r}"

    @property
    def text(self) -> str:
        return self.bad.replace("«", "").replace("»", "")

    def report(self, text: str) -> Report:
        return validate([(FILE, text)], **self.given)

    def found(self, text: str) -> list[Finding]:
        return [one for one in self.report(text).findings if one.rule == self.rule]


def pipelines(text: str, **sections: str) -> str:
    """A configuration of these sections around one line for each pipeline."""
    head = "".join(f"{name}: {body}\n" for name, body in sections.items())
    lines = "".join(f"    {line.strip()}\n" for line in text.strip().splitlines())
    return f"{head}service:\n  pipelines:\n{lines}"
