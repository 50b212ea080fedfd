"""Collector configurations of the story: each carries a marker that its effective configuration must hold."""

from __future__ import annotations

from typing import Final

REFUSED: Final = 3
"""The version that names an exporter which no collector has."""

_TEXT: Final = """\
# Version {number} of the story.
receivers:
  hostmetrics:
    collection_interval: 10s
    scrapers:
      load: {{}}
processors:
  resource:
    attributes:
      - key: story.version
        value: {marker}
        action: upsert
exporters:
  nop: {{}}
{extra}service:
  telemetry:
    metrics:
      level: none
  pipelines:
    metrics:
      receivers: [hostmetrics]
      processors: [resource]
      exporters: [{exporter}]
"""


def marker(version: int) -> str:
    """Words that only this version's text holds."""
    return f"version-{version}-of-the-story"


def text(version: int) -> str:
    """The YAML of a version; that of REFUSED parses and no collector starts with it."""
    is_refused = version == REFUSED
    return _TEXT.format(
        number=version,
        marker=marker(version),
        extra="  nosuch: {}\n" if is_refused else "",
        exporter="nosuch" if is_refused else "nop",
    )
