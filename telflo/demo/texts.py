"""PURE data. The configurations of the demo: a first text each, and what every later version changes in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

Edit = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One version after the first: its note, and what is replaced by what."""

    note: str
    edits: Sequence[Edit]


@dataclass(frozen=True, slots=True)
class Line:
    """A configuration with its versions."""

    name: str
    description: str
    first_note: str
    text: str
    changes: Sequence[Change]

    def versions(self) -> Iterator[tuple[str, str]]:
        """Text and note of each version. Raises ValueError when an edit fits nowhere."""
        text = self.text
        yield text, self.first_note
        for change in self.changes:
            for before, after in change.edits:
                if before not in text:
                    raise ValueError(f"{self.name}: {change.note!r} changes what is not there.")
                text = text.replace(before, after)
            yield text, change.note


_EDGE: Final = """\
# Edge gateway: OTLP from the site in, batched out to the regional backend.
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317
        max_recv_msg_size_mib: 16
      http:
        endpoint: 0.0.0.0:4318

processors:
  batch:
    send_batch_size: 1024
    timeout: 1s
  resource:
    attributes:
      - key: telemetry.path
        value: edge
        action: insert

exporters:
  otlp:
    endpoint: ingest.eu.example.com:4317
    headers:
      authorization: Bearer ${env:INGEST_TOKEN}
    retry_on_failure:
      max_elapsed_time: 300s

extensions:
  health_check:
    endpoint: 127.0.0.1:13133

service:
  extensions: [health_check]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [resource, batch]
      exporters: [otlp]
    metrics:
      receivers: [otlp]
      processors: [resource, batch]
      exporters: [otlp]
    logs:
      receivers: [otlp]
      processors: [resource, batch]
      exporters: [otlp]
"""

_KUBERNETES: Final = """\
# One collector on each node: container logs, kubelet metrics, OTLP from the pods.
receivers:
  filelog:
    include: [/var/log/pods/*/*/*.log]
    exclude: [/var/log/pods/kube-system_*/*/*.log]
    start_at: end
    include_file_path: true
  kubeletstats:
    collection_interval: 30s
    auth_type: serviceAccount
    endpoint: https://${env:K8S_NODE_IP}:10250
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317

processors:
  memory_limiter:
    check_interval: 1s
    limit_percentage: 80
    spike_limit_percentage: 20
  k8sattributes:
    passthrough: false
    extract:
      metadata: [k8s.namespace.name, k8s.pod.name, k8s.deployment.name]
  batch:
    send_batch_size: 4096

exporters:
  otlp:
    endpoint: gateway.observability.svc:4317
    tls:
      insecure: true

service:
  pipelines:
    logs:
      receivers: [filelog]
      processors: [memory_limiter, k8sattributes, batch]
      exporters: [otlp]
    metrics:
      receivers: [kubeletstats]
      processors: [memory_limiter, k8sattributes, batch]
      exporters: [otlp]
    traces:
      receivers: [otlp]
      processors: [memory_limiter, k8sattributes, batch]
      exporters: [otlp]
"""

_PAYMENTS: Final = """\
# Hosts that handle card data: nothing leaves that looks like a card number.
receivers:
  hostmetrics:
    collection_interval: 60s
    scrapers:
      cpu: {}
      disk: {}
      filesystem: {}
      memory: {}
      network: {}
  filelog:
    include: [/var/log/payments/*.log]
    start_at: end

processors:
  redaction:
    allow_all_keys: true
    blocked_values:
      - "4[0-9]{12}(?:[0-9]{3})?"
  batch:
    timeout: 5s

exporters:
  otlphttp:
    endpoint: https://vault-ingest.example.com
    headers:
      x-api-key: ${env:VAULT_INGEST_KEY}

service:
  pipelines:
    metrics:
      receivers: [hostmetrics]
      processors: [batch]
      exporters: [otlphttp]
    logs:
      receivers: [filelog]
      processors: [redaction, batch]
      exporters: [otlphttp]
"""

_STAGING: Final = """\
# Staging: everything in, a tenth of the traces out.
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317
  hostmetrics:
    collection_interval: 30s
    scrapers:
      cpu: {}
      memory: {}

processors:
  probabilistic_sampler:
    sampling_percentage: 10
  batch: {}

exporters:
  debug:
    verbosity: basic
  otlp:
    endpoint: ingest.staging.example.com:4317

service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [probabilistic_sampler, batch]
      exporters: [otlp, debug]
    metrics:
      receivers: [otlp, hostmetrics]
      processors: [batch]
      exporters: [otlp]
"""

_LIMITER: Final = """\
  memory_limiter:
    check_interval: 1s
    limit_mib: 512
"""
_TAIL_SAMPLING: Final = """\
  tail_sampling:
    decision_wait: 10s
    policies:
      - name: errors
        type: status_code
        status_code:
          status_codes: [ERROR]
      - name: slow
        type: latency
        latency:
          threshold_ms: 750
"""
_NO_PROBES: Final = """\
  filter:
    logs:
      log_record:
        - IsMatch(body, ".*GET /healthz.*")
"""
_CLOUD: Final = """\
  resourcedetection:
    detectors: [ec2]
    timeout: 2s
"""
_TRACES: Final = "traces:\n      receivers: [otlp]\n      processors: [memory_limiter, resource, "
_LOGS: Final = "logs:\n      receivers: [filelog]\n      processors: [memory_limiter, "
_CARD: Final = '(?:[0-9]{3})?"\n'
_IBAN: Final = '      - "[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}"\n'

LINES: Final = (
    Line(
        "edge gateway",
        "OTLP of a site in, batched out to the regional backend",
        "First version",
        _EDGE,
        (
            Change(
                "Memory limiter, after the incident in ams",
                (
                    ("processors:\n  batch:", f"processors:\n{_LIMITER}  batch:"),
                    (
                        "processors: [resource, batch]",
                        "processors: [memory_limiter, resource, batch]",
                    ),
                ),
            ),
            Change(
                "Bigger batches for the new backend",
                (
                    ("send_batch_size: 1024", "send_batch_size: 8192"),
                    ("timeout: 1s\n  resource", "timeout: 200ms\n  resource"),
                ),
            ),
            Change(
                "Tail sampling: keep errors and slow requests (OPS-1423)",
                (
                    ("  resource:\n    attributes", f"{_TAIL_SAMPLING}  resource:\n    attributes"),
                    (f"{_TRACES}batch]", f"{_TRACES}tail_sampling, batch]"),
                ),
            ),
        ),
    ),
    Line(
        "kubernetes node",
        "Logs, kubelet metrics and OTLP of each node",
        "First version",
        _KUBERNETES,
        (
            Change(
                "Drop health probes",
                (
                    ("  batch:\n    send_batch_size", f"{_NO_PROBES}  batch:\n    send_batch_size"),
                    (f"{_LOGS}k8sattributes,", f"{_LOGS}filter, k8sattributes,"),
                ),
            ),
            Change(
                "Attributes of the cloud on everything",
                (
                    ("  batch:\n    send_batch_size", f"{_CLOUD}  batch:\n    send_batch_size"),
                    ("k8sattributes, batch]", "k8sattributes, resourcedetection, batch]"),
                ),
            ),
            Change(
                "Back without the attributes of the cloud; node name on every metric",
                (
                    (_CLOUD, ""),
                    ("k8sattributes, resourcedetection, batch]", "k8sattributes, batch]"),
                    ("k8s.deployment.name]", "k8s.deployment.name, k8s.node.name]"),
                ),
            ),
        ),
    ),
    Line(
        "payments host",
        "Host metrics and redacted logs of the payment hosts",
        "As agreed with security",
        _PAYMENTS,
        (
            Change(
                "Use the new name of the host metrics receiver", (("hostmetrics", "host_metrics"),)
            ),
            Change(
                "Back to hostmetrics until all run 0.158; redact IBANs as well",
                (("host_metrics", "hostmetrics"), (_CARD, _CARD + _IBAN)),
            ),
        ),
    ),
    Line(
        "staging",
        "What is tried before it goes to production",
        "First version",
        _STAGING,
        (
            Change("Sample a quarter", (("sampling_percentage: 10", "sampling_percentage: 25"),)),
            Change("No debug output", (("exporters: [otlp, debug]", "exporters: [otlp]"),)),
            Change("Batches of half a second", (("batch: {}", "batch:\n    timeout: 500ms"),)),
        ),
    ),
)

AUDIT_LOG: Final = """\
receivers:
  filelog/audit:
    include: [/var/log/audit/audit.log]
exporters:
  file/audit:
    path: /var/lib/otelcol/audit.json
service:
  pipelines:
    logs/audit:
      receivers: [filelog/audit]
      exporters: [file/audit]
"""
"""A file that some hosts have besides what they are given."""

EDITED_BY_HAND: Final = """\
receivers:
  filelog:
    include: [/var/log/payments/*.log, /var/log/postgresql/*.log]
processors:
  batch:
    timeout: 30s
"""
"""What somebody put over it during an incident, and forgot."""

NO_METADATA: Final = (
    'Error: cannot start pipelines: failed to start "resourcedetection" processor: failed fetching resources:'
    ' EC2 metadata: Get "http://169.254.169.254/latest/dynamic/instance-identity/document": dial tcp'
    " 169.254.169.254:80: i/o timeout"
)
PORT_IN_USE: Final = (
    'Error: cannot start pipelines: failed to start "otlp" receiver:'
    " listen tcp 0.0.0.0:4317: bind: address already in use"
)
EXPORT_REFUSED: Final = (
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing:'
    ' dial tcp 10.4.2.9:4317: connect: connection refused"'
)
EXPORT_UNAUTHORIZED: Final = (
    "Permanent error: rpc error: code = Unauthenticated desc = token expired"
)
DISK_FULL: Final = (
    "failed to write checkpoint: write /var/lib/otelcol/filelog: no space left on device"
)
