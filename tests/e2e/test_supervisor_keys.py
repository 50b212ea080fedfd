"""The product's table of supervisor keys, and the files that it generates, against the real supervisors."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from fleets.quickdeploy.errors import InvalidOptions
from fleets.quickdeploy.options import DeploymentOptions
from fleets.quickdeploy.plan import InstallPlan, Layout, opamp_endpoint
from fleets.quickdeploy.supervisor_keys import KEYS, knows
from fleets.quickdeploy.supervisor_yaml import HostFacts, render
from tests.e2e.binaries import PROGRAMS, Collector, Supervisor, ensure
from tests.e2e.harness.host import children_of
from tests.e2e.harness.server import Process
from tests.e2e.harness.story import PLATFORM
from tests.e2e.harness.waiting import PATIENCE_S, wait_until
from tests.e2e.key_table import known_keys

SUPERVISORS: Final = [program for program in PROGRAMS if isinstance(program, Supervisor)]
COLLECTORS: Final = {
    program.version: program for program in PROGRAMS if isinstance(program, Collector)
}
SERVER: Final = "http://127.0.0.1:9"
"""Nobody listens there: a supervisor starts without its server too."""
_FAILED_TRY: Final = re.compile(r"Failed to connect to the (?:OpAMP )?server")
_CERTIFICATE: Final = """\
-----BEGIN CERTIFICATE-----
MIIBgjCCASmgAwIBAgIUP4F6ufkcXQ/6cyfktsdHFz935MEwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLdGVsZmxvLXRlc3QwIBcNMjYxMTIyMjIzOTA1WhgPMjEyNjEw
MjkyMjM5MDVaMBYxFDASBgNVBAMMC3RlbGZsby10ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEtLYrfOv4/5bclw3Z2GCJtDUw0sRQYZpTVh49dFk4zogEb4FF
Bxjyswuab6h9f3L5zQE2MeBT0p9qll/4sFT8AqNTMFEwHQYDVR0OBBYEFHvRr/C6
UCTq2ElK4DBWlLYtCuucMB8GA1UdIwQYMBaAFHvRr/C6UCTq2ElK4DBWlLYtCuuc
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgIuxL8aQ2Q2CJKfRl
2g7i38WHfq597UmkbiyjHUSOXM0CIHJ9dmPSnVL4nhFcr7jERwgDLScF6h87NyaI
3W/pgZKR
-----END CERTIFICATE-----
"""
"""Some certificate: supervisors read the file when they start."""


@pytest.mark.parametrize("supervisor", SUPERVISORS, ids=str)
def test_the_table_says_what_each_supervisor_knows(supervisor: Supervisor) -> None:
    found = known_keys(ensure(supervisor))
    said = {key.path for key in KEYS if knows(supervisor.version, key.path)}
    assert said - found == set(), "these would stop the supervisor"
    refused = {key.path for key in KEYS} - said
    assert refused & found == set(), "these are kept from a supervisor that knows them"


CHOICES: Final = (
    DeploymentOptions(),
    DeploymentOptions(automatic_rollback=False, crash_log_kib=0, log_level="debug"),
    DeploymentOptions(transport="http", automatic_rollback=False),
    DeploymentOptions(transport="http", crash_log_kib=0, apply_timeout_s=5),
)
"""Each switch in both positions."""


def folder_layout(folder: Path) -> Layout:
    """Everything below one folder."""
    return Layout(programs=str(folder), configuration=str(folder), state=f"{folder}/state")


def plain_host(folder: Path) -> HostFacts:
    """A host that says nothing of itself."""
    return HostFacts(layout=folder_layout(folder))


def telling_host(folder: Path) -> HostFacts:
    """A host that says everything, with characters that YAML and the supervisor read as something else."""
    certificate, extra = folder / "ca.pem", folder / "it's $5 & more.yaml"
    certificate.write_text(_CERTIFICATE)
    extra.write_text("service:\n  telemetry:\n    metrics:\n      level: none\n")
    return HostFacts(
        layout=folder_layout(folder),
        ca_file=str(certificate),
        name="web 17 'of' $HOME: {x}",
        labels={"team": "edge", "yes": "no", "number": "17"},
        config_files=[str(extra)],
    )


@pytest.mark.parametrize("host", [plain_host, telling_host])
@pytest.mark.parametrize("supervisor", SUPERVISORS, ids=str)
def test_every_generated_file_starts_its_supervisor(
    supervisor: Supervisor, host: Callable[[Path], HostFacts], ground: Path
) -> None:
    for number, options in enumerate(CHOICES):
        folder = ground / str(number)
        folder.mkdir()
        facts = replace(host(folder), collector=str(ensure(COLLECTORS[supervisor.version])))
        (folder / "supervisor.yaml").write_text(render(_plan(supervisor, options), facts))
        _starts(ensure(supervisor), folder)


@pytest.mark.parametrize("value", ["C:\\data", 'the "big" one'])
@pytest.mark.parametrize("supervisor", SUPERVISORS, ids=str)
def test_no_supervisor_starts_with_a_label_that_is_refused_here(
    supervisor: Supervisor, value: str, ground: Path
) -> None:
    with pytest.raises(InvalidOptions):
        DeploymentOptions(labels={"a": value}).check()
    facts = replace(
        plain_host(ground),
        collector=str(ensure(COLLECTORS[supervisor.version])),
        labels={"a": value},
    )
    (ground / "supervisor.yaml").write_text(render(_plan(supervisor, DeploymentOptions()), facts))

    process = _started(ensure(supervisor), ground)

    try:
        wait_until(
            process.has_ended,
            what="the supervisor gives up",
            within_s=PATIENCE_S,
            evidence=(ground / "log").read_text,
        )
        assert "could not compose initial merged config" in (ground / "log").read_text()
    finally:
        _end_with_collector(process)


def _plan(supervisor: Supervisor, options: DeploymentOptions) -> InstallPlan:
    return InstallPlan(
        base_url=SERVER,
        opamp_url=opamp_endpoint(SERVER, options.transport),
        fleet="Edge",
        platform=PLATFORM,
        supervisor_version=supervisor.version,
        collector_version=supervisor.version,
        options=options,
    )


def _starts(supervisor: Path, folder: Path) -> None:
    """It takes the file, its collector shows itself, and it ends well."""
    log = folder / "log"
    process = _started(supervisor, folder)
    try:
        wait_until(
            # By its next try it is past the moment up to which SIGINT ends it without a word.
            lambda: len(_FAILED_TRY.findall(log.read_text())) > 2,
            what="the supervisor starts and looks for its server",
            within_s=PATIENCE_S,
            evidence=lambda: f"{(folder / 'supervisor.yaml').read_text()}\n{log.read_text()}",
        )
        assert process.end(signal.SIGINT) == 0
    finally:
        _end_with_collector(process)


def _started(supervisor: Path, folder: Path) -> Process:
    command = (str(supervisor), "--config", str(folder / "supervisor.yaml"))
    environment = {"PATH": os.defpath, "TELFLO_TOKEN": "tlf_e_x"}
    process = Process(command, environment, folder / "log")
    process.start()
    return process


def _end_with_collector(process: Process) -> None:
    """An old supervisor that is killed leaves its collector behind, which would keep its port."""
    if process.has_ended():
        return
    left = list(children_of(process.pid))
    process.kill()
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
