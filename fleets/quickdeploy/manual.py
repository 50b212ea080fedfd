"""What the install script does, as commands for people: the same values, the same files. Pure."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fleets.quickdeploy import supervisor_yaml, unit
from fleets.quickdeploy.plan import SERVICE, SERVICE_LAYOUT, InstallPlan
from fleets.quickdeploy.releases import Asset
from fleets.quickdeploy.supervisor_yaml import HostFacts

_CONFIGURATION: Final = SERVICE_LAYOUT.configuration
_PROGRAMS: Final = f"{SERVICE_LAYOUT.programs}/bin"
_ESCAPED: Final = r'[\\"$`]'
"""What stands behind a backslash in the value of an environment file, which is in double quotes (environment.sh)."""
_QUOTE_VALUES: Final = rf's/{_ESCAPED}/\\&/g; s/^environment \([^=]*\)=\(.*\)/\1="\2"/p'
"""The claim's secrets as lines of such a file, for sed."""


@dataclass(frozen=True, slots=True)
class ManualFile:
    """A file to write, with its mode (owner root, group telflo-collector)."""

    path: str
    mode: str
    content: str


@dataclass(frozen=True, slots=True)
class ManualStep:
    """One step: why, what to paste, what to write."""

    title: str
    text: str
    commands: str = ""
    files: tuple[ManualFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Commands:
    """The lines to copy. `install` needs root; `foreground` does not."""

    install: str
    foreground: str
    dry_run: str
    uninstall: str
    uninstall_foreground: str


def commands(code_url: str) -> Commands:
    """The one-line commands of a code's address. They hold no secret but the code."""
    fetch = f"curl -fsSL {shlex.quote(code_url)}"
    return Commands(
        install=f"{fetch} | sudo sh",
        foreground=f"{fetch} | sh -s -- --no-systemd",
        dry_run=f"{fetch} | sh -s -- --dry-run",
        uninstall=f"{fetch} | sudo sh -s -- --uninstall",
        uninstall_foreground=f"{fetch} | sh -s -- --no-systemd --uninstall",
    )


def manual_steps(plan: InstallPlan, code: str) -> tuple[ManualStep, ...]:
    """The same by hand, as root, for a systemd host."""
    return (
        _download_step(plan),
        _install_step(plan),
        _claim_step(plan, code),
        _files_step(plan),
        _start_step(plan),
        ManualStep(
            "Look at it",
            "The collector appears in its fleet within seconds. If it does not, the supervisor says why.",
            f"journalctl -u {SERVICE} -n 20\ntail {SERVICE_LAYOUT.state}/agent.log",
        ),
    )


def _assets(plan: InstallPlan) -> tuple[Asset, ...]:
    return (plan.supervisor,) if plan.options.collector else (plan.supervisor, plan.collector)


def _download_step(plan: InstallPlan) -> ManualStep:
    lines = []
    for asset in _assets(plan):
        lines.append(f"curl -fLO {shlex.quote(asset.url)}")
        pick = f'NF == 1 || $2 == "{asset.name}" {{ print $1 "  {asset.name}"; exit }}'
        sums = shlex.quote(asset.checksum_urls[0])
        lines.append(f"curl -fsSL {sums} | awk '{pick}' | sha256sum -c -")
    text = "Each sha256sum line must say OK. Run nothing before it does."
    return ManualStep("Download and verify", text, "\n".join(lines))


def _install_step(plan: InstallPlan) -> ManualStep:
    lines = [
        f"useradd --system --user-group --no-create-home --shell /usr/sbin/nologin {SERVICE}",
        f"install -D -m 0755 {plan.supervisor.name} {SERVICE_LAYOUT.supervisor}",
    ]
    if not plan.options.collector:
        lines.append(f"tar -xzf {plan.collector.name} -C {_PROGRAMS} otelcol-contrib")
    lines.append(f"install -d -m 0750 -o root -g {SERVICE} {_CONFIGURATION}")
    return ManualStep("Put the programs in place", "As a user of its own.", "\n".join(lines))


def _claim_step(plan: InstallPlan, code: str) -> ManualStep:
    url = shlex.quote(f"{plan.base_url}/install/{code}/claim")
    token, environment = f"{_CONFIGURATION}/token.env", f"{_CONFIGURATION}/collector.env"
    lines = (
        "umask 077",
        f'curl -fsS -d "host=$(uname -n)" {url} > claim.txt',
        f"sed -n 's/^token=/TELFLO_TOKEN=/p' claim.txt > {token}",
        f"sed -n '{_QUOTE_VALUES}' claim.txt >> {environment}",
        f"rm claim.txt; chown root:{SERVICE} {token} {environment}; chmod 0640 {token} {environment}",
    )
    text = "This uses the code once. The token is shown in this one answer."
    return ManualStep("Claim a host token", text, "\n".join(lines))


def _files_step(plan: InstallPlan) -> ManualStep:
    options = plan.options
    host = HostFacts(
        collector=options.collector,
        ca_file=f"{_CONFIGURATION}/ca.pem" if plan.ca_pem else "",
        labels=options.labels,
        config_files=options.config_files,
    )
    files = [_file("supervisor.yaml", supervisor_yaml.render(plan, host))]
    if plan.ca_pem:
        files.append(_file("ca.pem", plan.ca_pem))
    if options.proxy:
        proxy = _env_text(options.proxy)
        lines = f"HTTPS_PROXY={proxy}\nHTTP_PROXY={proxy}\n"
        files.append(_file("supervisor.env", f'{lines}NO_PROXY="localhost,127.0.0.1,::1"\n'))
    names = [variable.name for variable in plan.variables if not variable.has_default]
    text = "Then give every name in collector.env its value." if names else ""
    return ManualStep("Write the configuration", text, _add_names(names), tuple(files))


def _env_text(value: str) -> str:
    return '"' + re.sub(_ESCAPED, r"\\\g<0>", value) + '"'


def _add_names(names: Sequence[str]) -> str:
    """A command that adds to collector.env what the claim's answer did not bring."""
    if not names:
        return ""
    path = f"{_CONFIGURATION}/collector.env"
    return (
        f"for name in {' '.join(names)}; do\n"
        f'  grep -q "^$name=" {path} || echo "$name=" >> {path}\ndone'
    )


def _file(name: str, content: str) -> ManualFile:
    return ManualFile(f"{_CONFIGURATION}/{name}", "0640", content)


def _start_step(plan: InstallPlan) -> ManualStep:
    text = unit.render(plan.supervisor_version)
    return ManualStep(
        "Install and start the service",
        "It runs as its own user, which reads these files by its group, and sees no more of the host than it must.",
        f"chown root:{SERVICE} {_CONFIGURATION}/*\nchmod 0640 {_CONFIGURATION}/*\n"
        f"systemctl daemon-reload\nsystemctl enable --now {SERVICE}",
        (ManualFile(SERVICE_LAYOUT.unit, "0644", text),),
    )
