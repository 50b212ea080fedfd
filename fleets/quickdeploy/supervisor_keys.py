"""Which keys of supervisor.yaml a supervisor version knows. Pure.

The supervisor decodes its file strictly: one unknown key and it does not start. So a key is written
only for versions that are known to have it. Rows marked RUN were started with real binaries
(tests/e2e/key_table.py): known at 0.149.0, or unknown there and known at 0.158.0. What lies
between was not to be had, so such a key counts from 0.158.0, even where the sources suggest earlier.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from fleets.quickdeploy.releases import Version, parse_version


class Evidence(Enum):
    """How a row is known."""

    RUN = "started with the real binaries"
    REFERENCE = "read in the supervisor's sources and release notes; not run at its first version"


@dataclass(frozen=True, slots=True)
class Key:
    """A key by its dotted path, the first version that may be given it, and how that is known."""

    path: str
    since: Version
    evidence: Evidence


_BASE: Final = (
    "server.endpoint",
    "server.headers",
    "server.tls.ca_file",
    "server.tls.include_system_ca_certs_pool",
    "capabilities.accepts_remote_config",
    "capabilities.reports_effective_config",
    "capabilities.reports_own_metrics",
    "capabilities.reports_own_logs",
    "capabilities.reports_own_traces",
    "capabilities.accepts_opamp_connection_settings",
    "capabilities.accepts_restart_command",
    "capabilities.reports_health",
    "capabilities.reports_remote_config",
    "capabilities.reports_heartbeat",
    "capabilities.reports_available_components",
    "agent.executable",
    "agent.config_files",
    "agent.description.non_identifying_attributes",
    "agent.bootstrap_timeout",
    "agent.config_apply_timeout",
    "storage.directory",
    "telemetry.logs.level",
)
"""Taken by 0.149.0 and 0.158.0."""

_LATER: Final = (
    "agent.collector_crash_log_snippet_kib",
    "agent.automatic_config_rollback",
)
"""Refused by 0.149.0, taken by 0.158.0."""

KEYS: Final = (
    *(Key(path, (0, 149, 0), Evidence.RUN) for path in _BASE),
    *(Key(path, (0, 158, 0), Evidence.RUN) for path in _LATER),
)


def knows(version: str, path: str) -> bool:
    """Whether a supervisor of this version may be given the key, or a section that holds such keys.

    A key without a row is never given.
    """
    given = parse_version(version)
    return any(
        given >= key.since and (key.path == path or key.path.startswith(f"{path}.")) for key in KEYS
    )
