"""Texts to start a configuration from: what the gallery of the page "New configuration" offers (configs/templates/)."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "templates"
WRITTEN_FOR: Final = "0.158.0"
"""The collector version that the templates are written for: names of 2026."""


@dataclass(frozen=True, slots=True)
class Template:
    """One text. slug: its address and the name of its file · icon: of Lucide · what: what it does, in one line."""

    slug: str
    title: str
    icon: str
    what: str

    @property
    def text(self) -> str:
        """The YAML."""
        return _read(self.slug)


TEMPLATES: Final = (
    Template("host-metrics", "Host metrics", "cpu", "Processor, memory, disks, network of a host"),
    Template("otlp-gateway", "OTLP gateway", "waypoints", "Takes all signals and sends them on"),
    Template(
        "kubernetes-logs", "Kubernetes logs", "container", "Output of a node's pods, with names"
    ),
    Template("nginx-logs", "nginx logs", "shield-check", "Access logs without personal data"),
    Template(
        "tail-sampling-gateway", "Tail sampling", "funnel", "Errors, slow traces, a share of all"
    ),
    Template("prometheus-scrape", "Prometheus scrape", "radar", "Reads /metrics of programs"),
)


def template_named(slug: str) -> Template | None:
    """The template of this address."""
    return next((one for one in TEMPLATES if one.slug == slug), None)


@cache
def _read(slug: str) -> str:
    return (_FOLDER / f"{slug}.yaml").read_text("utf-8")
