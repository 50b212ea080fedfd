"""The systemd units of docs/systemd/ start what compose.yaml starts, all in the same sandbox.

systemd's own tools look at them in `make check` (tests/quickdeploy/check_host_files.py).
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from telflo.serve import processes
from tests.quickdeploy import check_host_files
from tests.quickdeploy.check_host_files import OWN_PROGRAM, OWN_UNITS

ROOT = Path(__file__).parents[2]
UNITS = {
    file.stem.removeprefix("telflo-"): file.read_text() for file in OWN_UNITS.glob("*.service")
}
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
SANDBOX = "# systemd makes the user"
EACH = pytest.mark.parametrize("name", sorted(UNITS))


def value(name: str, key: str) -> str:
    """What a unit sets once; empty where it does not."""
    found = [line for line in UNITS[name].splitlines() if line.startswith(f"{key}=")]
    assert len(found) < 2
    return found[0].partition("=")[2] if found else ""


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def test_each_service_of_telflo_has_its_unit() -> None:
    ours = {
        name for name, service in SERVICES.items() if "command" in service and "build" in service
    }
    assert set(UNITS) == ours


@EACH
def test_it_starts_what_compose_starts(name: str) -> None:
    program, *words = value(name, "ExecStart").split()
    assert program == OWN_PROGRAM
    assert ["python", "manage.py", *words] == SERVICES[name]["command"]


@EACH
def test_all_have_the_same_sandbox(name: str) -> None:
    def sandbox(text: str) -> str:
        return text.partition(SANDBOX)[2].partition("\n[Install]")[0].strip()

    assert "NoNewPrivileges=yes" in sandbox(UNITS[name])
    assert sandbox(UNITS[name]) == sandbox(UNITS["web"])


@EACH
def test_secrets_come_from_a_file_that_only_root_reads(name: str) -> None:
    assert value(name, "EnvironmentFile") == "/etc/telflo/telflo.env"
    assert "TELFLO_SECRET_KEY=" not in UNITS[name]
    assert "TELFLO_DATA=/var/lib/telflo" in value(name, "Environment")


@pytest.mark.parametrize("name", sorted(UNITS.keys() - {"migrate"}))
def test_it_is_started_again_and_stopped_in_order(name: str) -> None:
    assert value(name, "Restart") == "always"
    assert value(name, "KillMode") == "mixed"
    assert value(name, "WantedBy") == "multi-user.target"
    allowed_s = seconds(SERVICES[name].get("stop_grace_period", "10s"))
    assert int(value(name, "TimeoutStopSec")) > allowed_s
    if "--processes" in value(name, "ExecStart"):
        assert int(value(name, "TimeoutStopSec")) > processes._STOP_S


def test_systemd_is_asked_about_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def run(command: list[str]) -> int:
        file = Path(command[-1])
        assert "ExecStart=/bin/true " in file.read_text()
        asked.append((file.name, command[1]))
        return int(file.name == "telflo-beat.service")

    monkeypatch.setattr(check_host_files, "_run", run)
    assert check_host_files._check_own_units(tmp_path) == 1
    expected = [(f"telflo-{name}.service", way) for name in UNITS for way in ("security", "verify")]
    assert sorted(asked) == sorted(expected)
