"""The install script of a deployment: generated values and texts, then the parts in scripts/.

It holds no secret. Everything stands in functions and the last line calls the first of them, so a
download that was cut off runs nothing.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from fleets.quickdeploy import supervisor_yaml, unit
from fleets.quickdeploy.plan import SERVICE, SERVICE_LAYOUT, InstallPlan

START_WAIT_S: Final = 60

_PARTS: Final = (
    "messages",
    "options",
    "network",
    "checks",
    "changes",
    "programs",
    "supervisor_yaml",
    "environment",
    "service",
    "install",
    "uninstall",
    "main",
)
_FOLDER: Final = Path(__file__).parent / "scripts"
_PLAN_VALUES: Final = (
    "FLEET",
    "PLATFORM",
    "SUPERVISOR_VERSION",
    "SUPERVISOR_ASSET",
    "SUPERVISOR_URL",
    "SUPERVISOR_CHECKSUM_URLS",
    "COLLECTOR_VERSION",
    "COLLECTOR_ASSET",
    "COLLECTOR_URL",
    "COLLECTOR_CHECKSUM_URLS",
    "SERVER_CA",
    "NEEDED_VARIABLES",
    "OPTIONAL_VARIABLES",
    "DEFAULT_COLLECTOR",
    "DEFAULT_PROXY",
    "DEFAULT_LABELS",
    "DEFAULT_CONFIGS",
)


def render(plan: InstallPlan, code: str) -> str:
    """The script of an open code."""
    values = _host_values(plan.base_url, code) | _plan_values(plan)
    return _script(
        values, supervisor_yaml.render_template(plan), unit.render(plan.supervisor_version)
    )


def render_closed(*, base_url: str, code: str, reason: str) -> str:
    """The script of a code that is no longer open: it uninstalls, and says `reason` to everything else.

    A script and not an error, since `curl -f` hides an error's words from the one who pastes the command.
    """
    values = _host_values(base_url, code) | dict.fromkeys(_PLAN_VALUES, "")
    return _script(values | {"CLOSED_REASON": reason}, "", "")


def _script(values: Mapping[str, str], yaml_template: str, unit_file: str) -> str:
    head = [
        "#!/bin/sh",
        "# Telflo's install script. Read it, then run it with --dry-run or --help.",
        "",
        "set_values() {",
        *(f"  {name}={_quoted(value)}" for name, value in values.items()),
        "}",
        "",
        _text_function("supervisor_yaml_template", yaml_template),
        _text_function("unit_file", unit_file),
    ]
    parts = [(_FOLDER / f"{part}.sh").read_text("utf-8") for part in _PARTS]
    return "\n".join([*head, *parts])


def _host_values(base_url: str, code: str) -> dict[str, str]:
    return {
        "CLOSED_REASON": "",
        "BASE_URL": base_url,
        "CODE_URL": f"{base_url}/install/{code}",
        "SERVICE": SERVICE,
        "SERVICE_PROGRAMS": SERVICE_LAYOUT.programs,
        "SERVICE_CONFIGURATION": SERVICE_LAYOUT.configuration,
        "SERVICE_STATE": SERVICE_LAYOUT.state,
        "SERVICE_UNIT": SERVICE_LAYOUT.unit,
        "START_WAIT_S": str(START_WAIT_S),
    }


def _plan_values(plan: InstallPlan) -> dict[str, str]:
    supervisor, collector, options = plan.supervisor, plan.collector, plan.options
    values = (
        plan.fleet,
        plan.platform,
        plan.supervisor_version,
        supervisor.name,
        supervisor.url,
        " ".join(supervisor.checksum_urls),
        plan.collector_version,
        collector.name,
        collector.url,
        " ".join(collector.checksum_urls),
        plan.ca_pem.strip(),
        " ".join(variable.name for variable in plan.variables if not variable.has_default),
        " ".join(variable.name for variable in plan.variables if variable.has_default),
        options.collector,
        options.proxy,
        _as_lines(f"{name}={value}" for name, value in options.labels.items()),
        _as_lines(options.config_files),
    )
    return dict(zip(_PLAN_VALUES, values, strict=True))


def _as_lines(items: Iterable[str]) -> str:
    return "".join(f"{item}\n" for item in items)


def _quoted(value: str) -> str:
    """A word of the shell that stands for exactly this text."""
    return "'" + value.replace("'", "'\\''") + "'"


def _text_function(name: str, text: str) -> str:
    return f"{name}() {{\n  cat <<'END_OF_TEXT'\n{text}END_OF_TEXT\n}}\n"
