"""PURE data: what real supervisors with collectors 0.149.0 and 0.158.0 say of themselves, as it was recorded.

All capabilities that a supervisor can announce are on; texts keep the order and the words of the recordings.
"""

from typing import Any, Final

ALL_CAPABILITIES: Final = 0x7D47
REPORTS_SETTINGS_STATUS: Final = 0x8000

VERSIONS: Final = ("0.158.0", "0.149.0")
"""The newer one goes back by itself and quotes its log; the older one does neither."""
QUOTES_ITS_LOG_FROM: Final = "0.158.0"

_CONTRIB: Final = "github.com/open-telemetry/opentelemetry-collector-contrib"
_CORE: Final = "go.opentelemetry.io/collector"

COMPONENTS: Final[dict[str, dict[str, str]]] = {
    "connectors": {
        "count": f"{_CONTRIB}/connector/countconnector",
        "forward": f"{_CORE}/connector/forwardconnector",
        "routing": f"{_CONTRIB}/connector/routingconnector",
        "spanmetrics": f"{_CONTRIB}/connector/spanmetricsconnector",
    },
    "exporters": {
        "debug": f"{_CORE}/exporter/debugexporter",
        "file": f"{_CONTRIB}/exporter/fileexporter",
        "nop": f"{_CORE}/exporter/nopexporter",
        "otlp": f"{_CORE}/exporter/otlpexporter",
        "otlp_grpc": f"{_CORE}/exporter/otlpexporter",
        "otlp_http": f"{_CORE}/exporter/otlphttpexporter",
        "otlphttp": f"{_CORE}/exporter/otlphttpexporter",
        "prometheusremotewrite": f"{_CONTRIB}/exporter/prometheusremotewriteexporter",
    },
    "extensions": {
        "file_storage": f"{_CONTRIB}/extension/storage/filestorage",
        "health_check": f"{_CONTRIB}/extension/healthcheckextension",
        "opamp": f"{_CONTRIB}/extension/opampextension",
        "pprof": f"{_CONTRIB}/extension/pprofextension",
    },
    "processors": {
        "attributes": f"{_CONTRIB}/processor/attributesprocessor",
        "batch": f"{_CORE}/processor/batchprocessor",
        "filter": f"{_CONTRIB}/processor/filterprocessor",
        "k8sattributes": f"{_CONTRIB}/processor/k8sattributesprocessor",
        "memory_limiter": f"{_CORE}/processor/memorylimiterprocessor",
        "probabilistic_sampler": f"{_CONTRIB}/processor/probabilisticsamplerprocessor",
        "redaction": f"{_CONTRIB}/processor/redactionprocessor",
        "resource": f"{_CONTRIB}/processor/resourceprocessor",
        "resourcedetection": f"{_CONTRIB}/processor/resourcedetectionprocessor",
        "tail_sampling": f"{_CONTRIB}/processor/tailsamplingprocessor",
        "transform": f"{_CONTRIB}/processor/transformprocessor",
    },
    "receivers": {
        "file_log": f"{_CONTRIB}/receiver/filelogreceiver",
        "filelog": f"{_CONTRIB}/receiver/filelogreceiver",
        "host_metrics": f"{_CONTRIB}/receiver/hostmetricsreceiver",
        "hostmetrics": f"{_CONTRIB}/receiver/hostmetricsreceiver",
        "kubeletstats": f"{_CONTRIB}/receiver/kubeletstatsreceiver",
        "prometheus": f"{_CONTRIB}/receiver/prometheusreceiver",
        "otlp": f"{_CORE}/receiver/otlpreceiver",
    },
}
"""Kind -> type -> Go module, without the version. The kinds are also the sections of a configuration."""

NOT_YET: Final = {"0.149.0": frozenset({"host_metrics", "count"})}
"""Version -> types that this older collector does not know."""


def known_components(version: str) -> dict[str, dict[str, str]]:
    """COMPONENTS as a collector of this version has them."""
    missing = NOT_YET.get(version, frozenset())
    return {
        kind: {name: path for name, path in types.items() if name not in missing}
        for kind, types in COMPONENTS.items()
    }


LOCAL_CONFIG: Final = """\
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:4317
      http:
        endpoint: 127.0.0.1:4318
  hostmetrics:
    collection_interval: 30s
    scrapers:
      cpu: {}
      disk: {}
      filesystem: {}
      load: {}
      memory: {}
      network: {}
  filelog:
    include: [/var/log/syslog, /var/log/auth.log]
    start_at: end
processors:
  memory_limiter:
    check_interval: 1s
    limit_percentage: 75
    spike_limit_percentage: 15
  resource:
    attributes:
      - key: deployment.environment
        value: production
        action: upsert
  batch:
    send_batch_size: 8192
    timeout: 200ms
exporters:
  otlp:
    endpoint: backend.example:4317
    compression: gzip
    sending_queue:
      enabled: true
      num_consumers: 10
      queue_size: 1000
extensions:
  health_check:
    endpoint: 127.0.0.1:13133
service:
  extensions: [health_check]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, resource, batch]
      exporters: [otlp]
    metrics:
      receivers: [otlp, hostmetrics]
      processors: [memory_limiter, resource, batch]
      exporters: [otlp]
    logs:
      receivers: [filelog]
      processors: [batch]
      exporters: [otlp]
"""
"""What a host ran before a server told it anything."""

UID_MARK: Final = "{instance uid}"
HOST_MARKS: Final = {
    "host.arch": "{arch}",
    "host.name": "{host}",
    "os.description": "{os description}",
    "os.type": "{os}",
    "service.instance.id": UID_MARK,
    "service.name": "{service}",
    "service.version": "{version}",
}
"""Attribute of the collector's own telemetry -> what stands for it in a prepared text."""


def supervisor_additions() -> dict[str, Any]:
    """What a supervisor adds to every configuration, and the defaults that a collector fills in."""
    return {
        "connectors": {},
        "exporters": {},
        "extensions": {
            "opamp": {
                "agent_description": {
                    "include_resource_attributes": False,
                    "non_identifying_attributes": {},
                },
                "capabilities": {
                    "accepts_restart_command": False,
                    "reports_available_components": True,
                    "reports_effective_config": True,
                    "reports_health": True,
                },
                "instance_uid": UID_MARK,
                "ppid": 20276,
                "ppid_poll_interval": "5s",
                "server": {
                    "ws": {
                        "endpoint": "ws://127.0.0.1:45091/v1/opamp",
                        "tls": {"insecure": True},
                    }
                },
            }
        },
        "processors": {},
        "receivers": {},
        "service": {"extensions": ["opamp"], "pipelines": {}, "telemetry": _telemetry()},
    }


def _telemetry() -> dict[str, Any]:
    prometheus = {
        "host": "localhost",
        "port": 8888,
        "without_scope_info": True,
        "without_type_suffix": True,
        "without_units": True,
    }
    return {
        "logs": {
            "encoding": "json",
            "error_output_paths": ["stderr"],
            "level": "info",
            "output_paths": ["stdout"],
            "sampling": {"enabled": True, "initial": 10, "thereafter": 100, "tick": "10s"},
        },
        "metrics": {
            "level": "Normal",
            "readers": [{"pull": {"exporter": {"prometheus": prometheus}}}],
        },
        "resource": {
            "attributes": [{"name": name, "value": mark} for name, mark in HOST_MARKS.items()],
            "schema_url": "https://opentelemetry.io/schemas/1.40.0",
        },
    }


def unknown_component(section: str, kind: str, known: list[str]) -> str:
    """A collector's words about a component that it was not built with."""
    return (
        "Error: failed to get config: cannot unmarshal the configuration: decoding failed due to the"
        f' following error(s):\n\n\'{section}\' unknown type: "{kind}" for id: "{kind}"'
        f" (valid values: [{' '.join(known)}])"
    )


EXITED: Final = "Agent exited unexpectedly with exit code 1 while applying configuration"
EXITED_HEALTH: Final = (
    "Agent process PID={pid} exited unexpectedly, exit code=1. Will restart in a bit..."
)
LOG_TAIL: Final = "\nCollector log tail:\n"
SHUTDOWN: Final = "Supervisor is shutdown"
