"""What a large installation looks like: fleets and their shares, the mix of statuses, what collectors report."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from agents.models import Status
from agents.snapshot import Capability, ComponentHealth
from fleets.models import TargetState

FLEETS: Final = (
    ("edge-eu", 0.4),
    ("edge-us", 0.25),
    ("k8s-prod", 0.2),
    ("lab", 0.1),
    ("legacy", 0.05),
)
VERSIONS: Final = 8
CAPABILITIES: Final = (
    Capability.REPORTS_STATUS
    | Capability.ACCEPTS_REMOTE_CONFIG
    | Capability.REPORTS_EFFECTIVE_CONFIG
    | Capability.REPORTS_HEALTH
    | Capability.REPORTS_REMOTE_CONFIG
    | Capability.REPORTS_HEARTBEAT
)
BUILDS: Final = ("0.158.0", "0.157.0", "0.156.1", "0.149.0")
SYSTEMS: Final = ("Debian GNU/Linux 12 (bookworm)", "Ubuntu 24.04.1 LTS", "Rocky Linux 9.4")
SITES: Final = ("ams", "fra", "par", "iad", "pdx", "nrt")
MIX: Final = (
    (Status.IN_SYNC, 0.9),
    (Status.PENDING, 0.02),
    (Status.APPLYING, 0.01),
    (Status.FAILED, 0.02),
    (Status.ROLLED_BACK, 0.01),
    (Status.DRIFTED, 0.005),
    (Status.STALE, 0.01),
    (Status.DISCONNECTED, 0.025),
)
TARGETS: Final = {
    Status.FAILED: TargetState.FAILED,
    Status.ROLLED_BACK: TargetState.FAILED,
    Status.PENDING: TargetState.WAITING,
    Status.APPLYING: TargetState.APPLYING,
    Status.STALE: TargetState.PENDING_OFFLINE,
    Status.DISCONNECTED: TargetState.PENDING_OFFLINE,
}
ERROR: Final = (
    'cannot build pipelines: failed to create "otlp" exporter for data type "traces": rpc error:'
    ' code = Unavailable desc = "transport: Error while dialing: dial tcp 10.0.0.7:4317: refused"'
)
YAML: Final = """\
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:4317"}}}
exporters:
  otlphttp: {endpoint: "https://backend.example"}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [otlphttp]}
"""


def health_tree(now: datetime, *, is_healthy: bool) -> ComponentHealth:
    """A tree as a collector with two pipelines reports it."""
    leaf = ComponentHealth(
        is_healthy,
        "StatusOK" if is_healthy else "StatusRecoverableError",
        "" if is_healthy else ERROR,
        started_at=now,
        status_at=now,
    )
    parts = dict.fromkeys(("receiver:otlp", "exporter:otlphttp"), leaf)
    pipeline = replace(leaf, components=parts)
    return replace(
        leaf, components=dict.fromkeys(("pipeline:traces", "pipeline:metrics"), pipeline)
    )
