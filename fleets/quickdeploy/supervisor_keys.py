"""Which keys of supervisor.yaml a supervisor version knows. Pure.

The supervisor decodes its file strictly: one unknown key and it does not start. So a key is written
only for versions that are known to have it. Every row was run with real binaries (tests/e2e/key_table.py):
0.149.0 takes it, or refuses it and 0.158.0 takes it. What lies between was not to be had, so a key
of the second kind counts from 0.158.0, even where the sources suggest an earlier version.
"""

from dataclasses import dataclass
from typing import Final

from fleets.quickdeploy.releases import Version, parse_version


@dataclass(frozen=True, slots=True)
class Key:
    """A key by its dotted path, and the first version that may be given it."""

    path: str
    since: Version


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
    *(Key(path, (0, 149, 0)) for path in _BASE),
    *(Key(path, (0, 158, 0)) for path in _LATER),
)


def knows(version: str, path: str) -> bool:
    """Whether a supervisor of this version may be given the key, or a section that holds such keys.

    A key without a row is never given.
    """
    given = parse_version(version)
    return any(
        given >= key.since and (key.path == path or key.path.startswith(f"{path}.")) for key in KEYS
    )
