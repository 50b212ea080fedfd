"""PURE. What components are called: kinds, ids, and the names that were changed in 2026 (rules P05 to P07, P11)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """The kinds of components, by the section that holds them."""

    RECEIVER = "receivers"
    PROCESSOR = "processors"
    EXPORTER = "exporters"
    CONNECTOR = "connectors"
    EXTENSION = "extensions"


SIGNALS: Final = ("traces", "metrics", "logs", "profiles")

RENAMED: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.RECEIVER: {"filelog": "file_log", "hostmetrics": "host_metrics"},
    Kind.PROCESSOR: {"k8sattributes": "k8s_attributes", "metricstransform": "metrics_transform"},
    Kind.EXPORTER: {"otlp": "otlp_grpc", "otlphttp": "otlp_http"},
    Kind.CONNECTOR: {
        "spanmetrics": "span_metrics",
        "servicegraph": "service_graph",
        "roundrobin": "round_robin",
        "signaltometrics": "signal_to_metrics",
    },
    Kind.EXTENSION: {},
}
"""Kind -> old type -> new type. Collectors take both names, and mean the same component by them."""


def trimmed(text: str) -> str:
    """An id as the collector reads it: blanks around its two parts do not count; only the first / divides."""
    kind, slash, name = text.partition("/")
    return f"{kind.strip()}{slash}{name.strip()}"


def type_of(component_id: str) -> str:
    """The type in an id: `otlp` of `otlp/backend`."""
    return component_id.partition("/")[0]


def renamed(kind: Kind, component_id: str) -> str:
    """The id with its type's present name."""
    old, slash, name = component_id.partition("/")
    return f"{RENAMED[kind].get(old, old)}{slash}{name}"
