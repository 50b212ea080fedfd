"""supervisor.yaml for one deployment: only keys that its supervisor version knows. Pure.

The file has parts that only the host knows: paths, its name, flags. `render` fills them from
HostFacts; `render_template` puts a marker line in each one's place, which the install script fills
with the same rules (scripts/supervisor_yaml.sh). A test holds the two together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.naming import NAME_ATTRIBUTE
from fleets.quickdeploy.plan import BOOTSTRAP_TIMEOUT_S, SERVICE_LAYOUT, InstallPlan, Layout
from fleets.quickdeploy.supervisor_keys import knows

TOKEN_VARIABLE: Final = "TELFLO_TOKEN"
MARKER: Final = "#host:"

_CAPABILITIES: Final = (
    "accepts_remote_config",
    "accepts_restart_command",
    "accepts_opamp_connection_settings",
    "reports_effective_config",
    "reports_remote_config",
    "reports_health",
    "reports_heartbeat",
    "reports_available_components",
    "reports_own_metrics",
    "reports_own_logs",
    "reports_own_traces",
)
"""What the server may offer later must be on from the start: hosts are not visited again."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What only the host knows. An empty ca_file means the system's certificates alone."""

    layout: Layout = SERVICE_LAYOUT
    collector: str = ""
    ca_file: str = ""
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    config_files: Sequence[str] = ()


class _Marker(str):
    """A place that the script fills; its text names the host's part."""

    __slots__ = ()


class _Raw(str):
    """Text whose ${…} is meant to be expanded by the supervisor."""

    __slots__ = ()


_Node = str | bool | int | Sequence[str] | Mapping[str, "_Node"]


def render(plan: InstallPlan, host: HostFacts) -> str:
    """The finished file of a host."""
    tls: Mapping[str, _Node] = (
        {"ca_file": host.ca_file, "include_system_ca_certs_pool": True} if host.ca_file else {}
    )
    name = {NAME_ATTRIBUTE: host.name} if host.name else {}
    return _document(
        plan,
        tls=tls,
        executable=host.collector or host.layout.collector,
        description={"non_identifying_attributes": {**name, **host.labels}},
        config_files=list(host.config_files),
        storage=host.layout.state,
    )


def render_template(plan: InstallPlan) -> str:
    """The file with marker lines in place of the host's parts."""
    return _document(
        plan,
        tls=_Marker("tls"),
        executable=_Marker("executable"),
        description=_Marker("description"),
        config_files=_Marker("config_files"),
        storage=_Marker("storage"),
    )


def _document(
    plan: InstallPlan,
    *,
    tls: _Node,
    executable: str,
    description: _Node,
    config_files: _Node,
    storage: str,
) -> str:
    options = plan.options
    document: Mapping[str, _Node] = {
        "server": {
            "endpoint": plan.opamp_url,
            "headers": {"Authorization": _Raw(f"Bearer ${{env:{TOKEN_VARIABLE}}}")},
            "tls": tls,
        },
        "capabilities": dict.fromkeys(_CAPABILITIES, True),
        "agent": {
            "executable": executable,
            "bootstrap_timeout": f"{BOOTSTRAP_TIMEOUT_S}s",
            "config_apply_timeout": f"{options.apply_timeout_s}s",
            "collector_crash_log_snippet_kib": options.crash_log_kib,
            "automatic_config_rollback": options.automatic_rollback,
            "config_files": config_files,
            "description": description,
        },
        "storage": {"directory": storage},
        "telemetry": {"logs": {"level": options.log_level}},
    }
    return "\n".join(_lines(document, version=plan.supervisor_version)) + "\n"


_DATA: Final = ("server.headers", "agent.description.non_identifying_attributes")
"""Maps whose keys are data, not keys of the file."""


def _lines(nodes: Mapping[str, _Node], *, version: str, path: str = "") -> Iterator[str]:
    """The known keys as YAML. Empty maps and lists are left out; data keys are quoted, so `yes` stays text."""
    indent = "  " * (path.count(".") + 1 if path else 0)
    is_data = path in _DATA
    for key, node in nodes.items():
        here = f"{path}.{key}" if path else key
        if is_data or knows(version, here):
            yield from _entry(_scalar(key) if is_data else key, node, here, indent, version)


def _entry(key: str, node: _Node, path: str, indent: str, version: str) -> Iterator[str]:
    if isinstance(node, _Marker):
        yield f"{MARKER}{node}"
    elif isinstance(node, Mapping):
        if inner := list(_lines(node, version=version, path=path)):
            yield f"{indent}{key}:"
            yield from inner
    elif isinstance(node, str | bool | int):
        yield f"{indent}{key}: {_scalar(node)}"
    elif node:
        yield f"{indent}{key}:"
        yield from (f"{indent}  - {_scalar(item)}" for item in node)


def _scalar(value: str | bool | int) -> str:
    """Texts are always quoted (the supervisor refuses numbers as attributes), and `$` written as `$$`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = value if isinstance(value, _Raw) else value.replace("$", "$$")
    return "'" + text.replace("'", "''") + "'"
