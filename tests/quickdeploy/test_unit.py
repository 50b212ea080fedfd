"""The systemd unit. systemd's own tools look at it in `make check`."""

import pytest

from fleets.quickdeploy import unit


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
