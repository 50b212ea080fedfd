"""Which keys of supervisor.yaml a real supervisor knows, found by starting it with each of them.

Supervisors decode their file strictly: one key that a version does not know and it ends at once
with ``'agent' has invalid keys: …``. The generated supervisor.yaml may therefore hold only keys
that the chosen version knows; the tests compare the product's table with what is found here.

``python -m tests.e2e.key_table`` prints the whole table as Markdown.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.e2e.binaries import PROGRAMS, Supervisor, ensure

INSTANCE_ID: Final = "0190f5a0-7c1e-7d3a-8f00-0123456789ab"
_OTLP: Final = {"otlp": {"protocol": "http/protobuf", "endpoint": "http://127.0.0.1:9/v1"}}

KEYS: Final[Mapping[str, object]] = {
    "server.endpoint": "ws://127.0.0.1:9/v1/opamp",
    "server.headers": {"Authorization": "Bearer x", "X-Several": ["a", "b"]},
    "server.auth": "bearertokenauth",
    "server.tls.ca_file": "/nonexistent/ca.pem",
    "server.tls.ca_pem": "pem",
    "server.tls.cert_file": "/nonexistent/cert.pem",
    "server.tls.cert_pem": "pem",
    "server.tls.key_file": "/nonexistent/key.pem",
    "server.tls.key_pem": "pem",
    "server.tls.insecure": True,
    "server.tls.insecure_skip_verify": True,
    "server.tls.server_name_override": "example.org",
    "server.tls.min_version": "1.2",
    "server.tls.max_version": "1.3",
    "server.tls.include_system_ca_certs_pool": True,
    "server.tls.reload_interval": "1h",
    "server.proxy": {"url": "http://127.0.0.1:9"},
    "server.proxy_url": "http://127.0.0.1:9",
    "server.compression": "gzip",
    "capabilities.accepts_remote_config": True,
    "capabilities.reports_effective_config": True,
    "capabilities.accepts_packages": False,
    "capabilities.reports_package_statuses": False,
    "capabilities.reports_own_traces": False,
    "capabilities.reports_own_metrics": False,
    "capabilities.reports_own_logs": False,
    "capabilities.accepts_opamp_connection_settings": True,
    "capabilities.accepts_other_connection_settings": False,
    "capabilities.accepts_restart_command": True,
    "capabilities.reports_health": True,
    "capabilities.reports_remote_config": True,
    "capabilities.reports_heartbeat": True,
    "capabilities.reports_available_components": True,
    "capabilities.reports_connection_settings_status": False,
    "agent.executable": "/bin/false",
    "agent.instance_id": INSTANCE_ID,
    "agent.config_files": ["$REMOTE_CONFIG", "/nonexistent/local.yaml"],
    "agent.args": ["--set=x=y"],
    "agent.env": {"NAME": "value"},
    "agent.description.identifying_attributes": {"service.namespace": "x"},
    "agent.description.non_identifying_attributes": {"team": "x"},
    "agent.description.include_resource_attributes": True,
    "agent.orphan_detection_interval": "5s",
    "agent.bootstrap_timeout": "1ms",
    "agent.config_apply_timeout": "5s",
    "agent.opamp_server_port": 0,
    "agent.opamp_server_unix_socket": "",
    "agent.opamp_server_unix_socket_mode": "0600",
    "agent.health_check_port": 0,
    "agent.passthrough_logs": True,
    "agent.use_hup_config_reload": True,
    "agent.validate_config": True,
    "agent.collector_crash_log_snippet_kib": 8,
    "agent.automatic_config_rollback": True,
    "agent.startup_fallback_configs": [],
    "agent.package.agent_binary": "otelcol-contrib",
    "agent.package.archive": "",
    "agent.package.verifier.type": "",
    "agent.package.verifier.cosign": {"github_workflow_repository": "x/y"},
    "storage.directory": "storage",
    "storage.secrets": {},
    "telemetry.logs.level": "info",
    "telemetry.logs.output_paths": ["stdout"],
    "telemetry.logs.error_output_paths": ["stderr"],
    "telemetry.logs.encoding": "console",
    "telemetry.logs.processors": [{"batch": {"exporter": _OTLP}}],
    "telemetry.metrics.level": "none",
    "telemetry.metrics.readers": [{"periodic": {"exporter": _OTLP}}],
    "telemetry.traces.processors": [{"batch": {"exporter": _OTLP}}],
    "telemetry.resource": {"service.name": "supervisor"},
    "healthcheck.endpoint": "127.0.0.1:0",
    "healthcheck.tls": {"cert_file": "/nonexistent/cert.pem"},
    "extensions": {"bearertokenauth": {"token": "x"}},
}

# A program that ends at once, so the supervisor ends as well when it knows the key.
_STANDS_FOR_COLLECTOR: Final = "/bin/false"
_LOG_TIME: Final = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a supervisor says to one key.

    ``refusal`` holds its words when it does not know the key (it names it among "invalid keys").
    ``problem`` holds its words when it knows the key and stops for another reason; the run always
    ends with one, since the program that stands for the collector ends at once.
    """

    refusal: str
    problem: str

    @property
    def known(self) -> bool:
        """Whether this version accepts the key in its file."""
        return not self.refusal


def ask(supervisor: Path, key: str, value: object) -> Answer:
    """Start a supervisor on a minimal file with one more key; it ends by itself in milliseconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "supervisor.yaml").write_text(json.dumps(file_with(key, value, folder)))
        words = _last_words(supervisor, folder)
    if not words:
        raise RuntimeError(f"{supervisor.name} ended without a word when {key} was set")
    known = "invalid keys" not in words
    return Answer(refusal="" if known else words, problem=words if known else "")


def file_with(key: str, value: object, folder: Path) -> dict[str, object]:
    """The smallest file that a supervisor starts with, and ``key`` (dotted) in it."""
    document: dict[str, object] = {
        "server": {"endpoint": "ws://127.0.0.1:9/v1/opamp"},
        "agent": {"executable": _STANDS_FOR_COLLECTOR, "bootstrap_timeout": "1ms"},
        "storage": {"directory": str(folder / "storage")},
    }
    *parents, last = key.split(".")
    place = document
    for parent in parents:
        inner = place.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise TypeError(f"{key}: {parent} is not a section")
        place = inner
    place[last] = value
    return document


def _last_words(supervisor: Path, folder: Path) -> str:
    """What the supervisor writes before it ends (Go's log line, without its time)."""
    done = subprocess.run(
        [str(supervisor), "--config", "supervisor.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={"PATH": os.defpath},
    )
    plain = [line for line in done.stderr.splitlines() if line and not line.startswith("{")]
    return _LOG_TIME.sub("", " ".join(plain))


def known_keys(supervisor: Path) -> frozenset[str]:
    """The keys of :data:`KEYS` that this supervisor knows; takes about two seconds."""
    return frozenset(key for key, value in KEYS.items() if ask(supervisor, key, value).known)


def main() -> None:
    """Print a Markdown table: each key, and what each supervisor says to it."""
    supervisors = [program for program in PROGRAMS if isinstance(program, Supervisor)]
    head = ("key", *(program.version for program in supervisors))
    sys.stdout.write(_row(head) + _row("---" for _ in head))
    for key, value in KEYS.items():
        answers = (ask(ensure(program), key, value) for program in supervisors)
        sys.stdout.write(_row((key, *(answer.refusal or "known" for answer in answers))))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    main()
