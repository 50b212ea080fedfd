"""The script with --no-systemd: an ordinary user, one folder, the foreground."""

import signal
import subprocess

import pytest
import yaml

from fleets.quickdeploy import script
from tests.quickdeploy.sandbox import CODE, TOKEN, Host


def test_it_runs_the_supervisor_in_the_foreground_with_its_environment(host: Host) -> None:
    host.write("uid", "1000")
    host.server.claim = (200, f"token={TOKEN}\nenvironment DB_PASSWORD=p\"a$s\\w`d 'x' #1\n")

    done = host.run("--no-systemd", "--dir", "here it is")

    assert done.returncode == 0, done.stderr
    folder = host.home / "here it is"
    assert f"run with --config {folder}/supervisor.yaml\n" in done.stdout
    assert f"token {TOKEN}" in done.stdout
    assert "DB_PASSWORD=p\"a$s\\w`d 'x' #1\n" in done.stdout
    assert f"STATE_DIRECTORY={folder}/state\n" in done.stdout
    modes = {oct(path.stat().st_mode)[-3:] for path in folder.glob("*.env")}
    assert modes == {"600"}
    assert oct(folder.stat().st_mode)[-3:] == "700"
    written = yaml.safe_load((folder / "supervisor.yaml").read_text())
    assert written["agent"]["executable"] == f"{folder}/bin/otelcol-contrib"
    assert written["storage"]["directory"] == f"{folder}/state"
    assert not host.log
    assert not list((host.folder / "tmp").iterdir())
    assert not list(folder.glob(".new*"))


def test_values_typed_on_the_host_are_read_and_never_run(host: Host) -> None:
    host.run("--no-systemd")
    environment = host.home / "telflo-collector/collector.env"
    environment.write_text(f"# mine\nGREETING=two words $(touch {host.folder}/ran)\n")

    done = host.run("--no-systemd")

    assert f"GREETING=two words $(touch {host.folder}/ran)\n" in done.stdout
    assert not (host.folder / "ran").exists()
    assert len(host.server.claims) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_the_supervisor_which_takes_the_scripts_place(
    host: Host, number: signal.Signals
) -> None:
    running = _start(host)
    running.send_signal(number)

    output = running.communicate(timeout=20)[0]

    assert "stopped in order" in output
    assert running.returncode == 0


def test_a_second_start_beside_a_running_one_is_refused_and_uninstall_stops_it(host: Host) -> None:
    running = _start(host)

    second = host.run("--no-systemd")
    removed = host.run("--no-systemd", "--uninstall")

    assert second.returncode == 1
    assert f"runs already (process {running.pid})" in second.stderr
    assert removed.returncode == 0
    assert "stopped in order" in running.communicate(timeout=20)[0]


def test_uninstall_leaves_nothing_but_the_owners_files(host: Host) -> None:
    before = host.tree()
    host.run("--no-systemd")
    assert host.run("--no-systemd", "--uninstall").returncode == 0
    assert host.tree() == before

    host.run("--no-systemd")
    own = host.home / "telflo-collector/mine.txt"
    own.write_text("mine")
    done = host.run("--no-systemd", "--uninstall")
    assert "holds other files" in done.stderr
    assert [path.name for path in own.parent.iterdir()] == ["mine.txt"]


def test_help_needs_no_server(host: Host) -> None:
    host.server.asked.clear()

    done = host.run("--help")

    assert done.returncode == 0
    assert "--uninstall" in done.stdout
    assert not host.server.asked


def _start(host: Host) -> "subprocess.Popen[str]":
    """Run it in the background until its supervisor stays."""
    (host.home / "telflo-collector").mkdir()
    (host.home / "telflo-collector/stay").touch()
    path = host.folder / "install.sh"
    path.write_text(script.render(host.plan(), CODE))
    running = subprocess.Popen(
        ["sh", str(path), "--no-systemd"],
        cwd=host.home,
        env=host.environment(),
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_take_interrupts,  # noqa: PLW1509 - no thread runs here
    )
    assert running.stdout is not None
    # The stub says so once it catches signals.
    assert "supervisor runs\n" in iter(running.stdout.readline, ""), "it ended early"
    return running


def _take_interrupts() -> None:
    """As from a terminal. What a shell runs in the background ignores SIGINT, and so would the stub."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
