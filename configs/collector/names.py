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
    Kind.RECEIVER: {
        "filelog": "file_log",
        "fluentforward": "fluent_forward",
        "hostmetrics": "host_metrics",
        "kubeletstats": "kubelet_stats",
        "tcplog": "tcp_log",
        "udplog": "udp_log",
    },
    Kind.PROCESSOR: {
        "cumulativetodelta": "cumulative_to_delta",
        "deltatocumulative": "delta_to_cumulative",
        "k8sattributes": "k8s_attributes",
        "logdedup": "log_dedup",
        "metricstransform": "metrics_transform",
        "resourcedetection": "resource_detection",
    },
    Kind.EXPORTER: {
        "loadbalancing": "load_balancing",
        "otlp": "otlp_grpc",
        "otlphttp": "otlp_http",
        "prometheusremotewrite": "prometheus_remote_write",
    },
    Kind.CONNECTOR: {
        "otlpjson": "otlp_json",
        "roundrobin": "round_robin",
        "servicegraph": "service_graph",
        "signaltometrics": "signal_to_metrics",
        "spanmetrics": "span_metrics",
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
