"""The systemd unit. systemd's own tools look at it in `make check`."""

import shutil

import pytest

from fleets.quickdeploy import unit
from tests.quickdeploy import check_host_files


@pytest.mark.parametrize(("version", "signal"), [("0.149.0", "SIGINT"), ("0.158.0", "SIGTERM")])
def test_the_supervisor_is_stopped_by_a_signal_that_it_heeds(version: str, signal: str) -> None:
    text = unit.render(version)

    assert f"\nKillSignal={signal}\n" in text
    assert "\nKillMode=mixed\n" in text
    assert "$" not in text


def test_the_token_comes_from_a_file_and_not_from_the_command_line() -> None:
    text = unit.render("0.158.0")

    assert "EnvironmentFile=/etc/telflo-collector/token.env" in text
    line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    assert "TOKEN" not in line


def test_the_check_fails_and_says_so_where_its_tools_are_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == "systemd-analyze" else tool)
    assert check_host_files.main() == 1
    assert capsys.readouterr().out == "systemd-analyze is missing: apt-get install systemd\n"
