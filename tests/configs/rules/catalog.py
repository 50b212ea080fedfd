"""A small catalog, written by hand."""

from configs.collector.catalog_types import Catalog, Component, Field, FieldType, Stability
from configs.collector.names import SIGNALS, Kind

_ALL = dict.fromkeys(SIGNALS[:3], Stability.BETA)
_TLS = Field(
    FieldType.MAP,
    fields={
        "insecure": Field(FieldType.TRUTH),
        "min_version": Field(FieldType.TEXT),
        "ca_file": Field(FieldType.TEXT),
    },
)
_EXPORTER = Field(
    FieldType.MAP,
    fields={
        "endpoint": Field(FieldType.TEXT, is_required=True),
        "timeout": Field(FieldType.DURATION, default="5s"),
        "tls": _TLS,
        "headers": Field(FieldType.MAP, items=Field(FieldType.TEXT, is_secret=True)),
        "shift": Field(FieldType.TEXT, is_secret=True),
        "queue": Field(FieldType.UNSIGNED, minimum=1, maximum=100),
        "pairs": Field(FieldType.MAP, items=Field(FieldType.TEXT), is_loose=True),
        "level": Field(FieldType.TEXT, enum=("low", "high"), is_loose=True),
        "mode": Field(FieldType.TEXT, enum=("fast", "safe")),
        "names": Field(FieldType.LIST, items=Field(FieldType.TEXT)),
        "ratio": Field(FieldType.NUMBER),
        "old": Field(FieldType.INTEGER, deprecated="queue"),
        "moved": Field(FieldType.INTEGER, deprecated="moved"),
    },
)


def _of(kind: Kind, *components: Component) -> dict[str, Component]:
    assert all(one.kind is kind for one in components)
    return {one.type: one for one in components}


CATALOG = Catalog(
    version="0.158.0",
    distribution="otelcol-test",
    is_complete=True,
    components={
        Kind.RECEIVER: _of(
            Kind.RECEIVER,
            Component(Kind.RECEIVER, "otlp", signals=_ALL, doc_url="https://example.com/otlp"),
            Component(Kind.RECEIVER, "host_metrics", frozenset({"hostmetrics"}), {"metrics": Stability.BETA}),
            Component(Kind.RECEIVER, "raw", signals={"logs": Stability.DEVELOPMENT}, gate="raw.enabled"),
        ),
        Kind.PROCESSOR: _of(Kind.PROCESSOR, Component(Kind.PROCESSOR, "batch", signals=_ALL)),
        Kind.EXPORTER: _of(
            Kind.EXPORTER,
            Component(
                Kind.EXPORTER, "otlp_grpc", frozenset({"otlp"}), _ALL, config=_EXPORTER, is_verified=True
            ),
            Component(Kind.EXPORTER, "vague", signals=_ALL, config=_EXPORTER),
            Component(Kind.EXPORTER, "debug", signals=_ALL),
        ),
        Kind.CONNECTOR: _of(
            Kind.CONNECTOR,
            Component(Kind.CONNECTOR, "span_metrics", pairs={("traces", "metrics"): Stability.ALPHA}),
            Component(
                Kind.CONNECTOR, "forward", pairs={(one, one): Stability.BETA for one in SIGNALS[:3]}
            ),
        ),
        Kind.EXTENSION: _of(
            Kind.EXTENSION, Component(Kind.EXTENSION, "pprof", stability=Stability.BETA)
        ),
    },
)  # fmt: skip
