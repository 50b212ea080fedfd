"""The script with systemd, in a sandbox whose systemctl, id, useradd and chown are stubs."""

import pytest
import yaml

from fleets.quickdeploy import script, supervisor_yaml, unit
from fleets.quickdeploy.options import DeploymentOptions
from fleets.quickdeploy.supervisor_yaml import HostFacts
from tests.quickdeploy.sandbox import CODE, LACKING_COLLECTOR, SUPERVISOR, TOKEN, Host, Server

ETC = "etc/telflo-collector"
OPT = "opt/telflo-collector"


@pytest.mark.parametrize("version", ["0.149.0", "0.158.0"])
def test_an_install_puts_everything_in_place_and_starts_the_service(
    host: Host, version: str
) -> None:
    done = host.run(plan=host.plan(version))

    assert done.returncode == 0, done.stderr
    etc = host.root / ETC
    assert (etc / "token.env").read_text() == f"TELFLO_TOKEN={TOKEN}\n"
    assert oct((etc / "token.env").stat().st_mode)[-3:] == "640"
    assert TOKEN not in (etc / "supervisor.yaml").read_text() + done.stdout + done.stderr
    unit_file = host.root / "etc/systemd/system/telflo-collector.service"
    assert unit_file.read_text() == unit.render(version)
    assert (host.root / OPT / "bin/opampsupervisor").read_text() == SUPERVISOR
    assert "chown root:telflo-collector" in host.log
    assert "systemctl restart telflo-collector" in host.log
    assert host.server.claims == ["host=web-17.examplerm-rf"]
    assert "journalctl -u telflo-collector" in done.stdout
    assert not list((host.folder / "tmp").iterdir())
    assert not list((host.root / OPT).glob(".new*"))


def test_the_script_fills_supervisor_yaml_as_the_page_shows_it(host: Host) -> None:
    local = host.home / "loc al.yaml"
    local.write_text("receivers: {}\n")
    authority = host.home / "ca.pem"
    authority.write_text("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
    flags = ["--name", "it's $HOME", "--label", "team=a=b $1 'q' #", "--label", "yes=5"]
    options = DeploymentOptions(labels={"team": "overruled", "site": "fra"})
    plan = host.plan(options=options)

    done = host.run(*flags, "--config", "loc al.yaml", "--ca-file", "ca.pem", plan=plan)

    assert done.returncode == 0, done.stderr
    facts = HostFacts(
        ca_file=f"/{ETC}/ca.pem",
        name="it's $HOME",
        labels={"team": "a=b $1 'q' #", "yes": "5", "site": "fra"},
        config_files=[f"/{ETC}/config.d/01-loc al.yaml"],
    )
    written = (host.root / ETC / "supervisor.yaml").read_text()
    assert written == supervisor_yaml.render(plan, facts)
    assert (host.root / ETC / "config.d/01-loc al.yaml").read_text() == "receivers: {}\n"


def test_a_second_run_claims_nothing_and_keeps_flags_and_values(host: Host) -> None:
    host.run("--name", "web 17", "--label", "a=1", "--proxy", "http://127.0.0.1:9", "--dry-run")
    assert host.run("--name", "web 17", "--label", "a=1").returncode == 0
    environment = host.root / ETC / "collector.env"
    environment.write_text(environment.read_text().replace("GREETING=", 'GREETING="h$i"'))
    host.server.asked.clear()

    done = host.run()

    assert done.returncode == 0, done.stderr
    assert len(host.server.claims) == 1
    assert "is installed already" in done.stdout
    assert not [path for path in host.server.asked if path.endswith((".tar.gz", "linux_amd64"))]
    written = yaml.safe_load((host.root / ETC / "supervisor.yaml").read_text())
    attributes = written["agent"]["description"]["non_identifying_attributes"]
    assert attributes == {"telflo.name": "web 17", "a": "1"}
    assert 'GREETING="h$i"' in environment.read_text()


def test_a_token_that_is_no_good_any_more_is_replaced(host: Host) -> None:
    host.run()
    host.server.shown.clear()
    host.server.held = (409, "The token is revoked.\n")
    host.server.claim = (200, "token=tlf_h_another\n")

    done = host.run()

    assert done.returncode == 0, done.stderr
    assert host.server.shown == [f"token={TOKEN}"]
    assert "is no good: The token is revoked. Another one is claimed." in done.stdout
    assert "tlf_h_another" in (host.root / ETC / "token.env").read_text()
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize("answer", [(200, "good\n"), (404, "Not found\n"), (503, "busy\n")])
def test_the_token_stays_unless_the_server_says_that_it_is_no_good(
    host: Host, answer: tuple[int, str]
) -> None:
    host.run()
    host.server.held = answer
    assert host.run().returncode == 0
    assert len(host.server.claims) == 1
    assert TOKEN in (host.root / ETC / "token.env").read_text()


def test_another_version_is_an_upgrade_with_the_same_token(host: Host) -> None:
    host.run(plan=host.plan("0.149.0"))
    host.server.publish("0.158.0", supervisor=SUPERVISOR + "# newer\n")

    done = host.run(plan=host.plan("0.158.0"))

    assert done.returncode == 0, done.stderr
    assert len(host.server.claims) == 1
    assert "# newer" in (host.root / OPT / "bin/opampsupervisor").read_text()
    unit_file = host.root / "etc/systemd/system/telflo-collector.service"
    assert "KillSignal=SIGTERM" in unit_file.read_text()


def test_a_damaged_program_is_repaired(host: Host) -> None:
    host.run()
    (host.root / OPT / "bin/opampsupervisor").write_text("#!/bin/sh\nexit 1\n")

    assert host.run().returncode == 0
    assert (host.root / OPT / "bin/opampsupervisor").read_text() == SUPERVISOR


def test_a_dry_run_changes_nothing_and_claims_nothing(host: Host) -> None:
    before = host.tree()
    host.write("uid", "1000")

    done = host.run("--dry-run", "--name", "web")

    assert done.returncode == 0, done.stderr
    assert host.tree() == before
    assert not host.server.claims
    assert not host.log.replace("systemctl is-active --quiet telflo-collector\n", "")
    text = done.stdout.partition("supervisor.yaml:\n")[2]
    plan = host.plan()
    assert text == supervisor_yaml.render(plan, HostFacts(name="web"))
    assert host.server.asked == [f"/install/{CODE}/check"]


@pytest.mark.parametrize("program", ["opampsupervisor", "otelcol-contrib"])
@pytest.mark.parametrize("version", ["0.149.0", "0.158.0"])
def test_a_wrong_checksum_refuses_before_anything_runs_and_leaves_nothing(
    host: Host, version: str, program: str
) -> None:
    before = host.tree()
    evil = f"#!/bin/sh\ntouch '{host.folder}/ran'\n".encode()
    path = next(
        path
        for path in host.server.files
        if path.split("/")[-1].startswith(f"{program}_{version}_linux_amd64")
        and not path.endswith(".sha256")
    )
    host.server.files[path] = evil

    done = host.run(plan=host.plan(version))

    assert done.returncode == 1
    assert "is not the published file" in done.stderr
    assert not (host.folder / "ran").exists()
    assert not host.server.claims
    assert host.tree() == before


def test_a_missing_checksum_refuses(host: Host) -> None:
    for path in [path for path in host.server.files if path.endswith(".sha256")]:
        del host.server.files[path]

    done = host.run()

    assert done.returncode == 1
    assert "There is no checksum" in done.stderr
    assert not (host.root / "opt").exists()


@pytest.mark.parametrize("named", [True, False])
def test_a_checksum_file_may_name_its_asset(host: Host, named: bool) -> None:
    for path, content in list(host.server.files.items()):
        if path.endswith(".sha256"):
            name = path.rpartition("/")[2].removesuffix(".sha256")
            digest = content.decode().split()[0].upper()
            host.server.files[path] = (f"{digest} *{name}\n" if named else digest).encode()

    assert host.run().returncode == 0


def test_a_refused_claim_prints_the_servers_words_and_leaves_nothing(host: Host) -> None:
    before = host.tree()
    host.server.claim = (410, "This quick-deploy code is used up: it was for 1 host(s).\n")

    done = host.run()

    assert done.returncode == 1
    assert "is used up" in done.stderr
    assert host.tree() == before
    assert not (host.folder / "user").exists()


def test_an_answer_that_is_no_token_is_refused(host: Host) -> None:
    host.server.claim = (200, "token=$(reboot)\n")

    done = host.run()

    assert done.returncode == 1
    assert "no Telflo server" in done.stderr
    assert not (host.root / ETC).exists()


def test_a_service_that_does_not_stay_is_rolled_back_but_for_its_token(host: Host) -> None:
    host.write("broken")

    done = host.run()

    assert done.returncode == 1
    assert "the journal says why" in done.stderr
    files = [path for path in host.root.rglob("*") if path.is_file()]
    assert files == [host.root / ETC / "token.env"]
    assert not (host.folder / "enabled").exists()

    (host.folder / "broken").unlink()
    assert host.run().returncode == 0
    assert len(host.server.claims) == 1


def test_a_failed_upgrade_leaves_the_old_installation_running(host: Host) -> None:
    host.run("--name", "old", plan=host.plan("0.149.0"))
    before = host.tree()
    host.server.claims.clear()
    host.stub(
        "systemctl",
        'case "$*" in is-active*) [ ! -e "$SANDBOX/again" ] ;;'
        ' restart*) touch "$SANDBOX/again" ;; start*) rm "$SANDBOX/again" ;; esac',
    )

    done = host.run("--name", "new")

    assert done.returncode == 1
    assert host.tree() == before
    assert not (host.folder / "again").exists()


def test_uninstall_leaves_nothing(host: Host) -> None:
    before = {path for path in host.tree() if "systemd" not in path}
    host.run()
    drop_in = host.root / "etc/systemd/system/telflo-collector.service.d"
    drop_in.mkdir()

    done = host.run("--uninstall")

    assert done.returncode == 0, done.stderr
    left = {path for path in host.tree() if "systemd" not in path}
    assert left - before == {"root/opt", "root/etc", "root/var", "root/var/lib"}
    assert not drop_in.exists()
    assert "systemctl stop telflo-collector" in host.log
    assert not (host.folder / "user").exists()
    assert "Forget the collector" in done.stdout


def test_a_closed_code_says_why_and_still_uninstalls(host: Host) -> None:
    host.run()
    reason = "This quick-deploy code was revoked."
    closed = script.render_closed(base_url=host.server.url, code=CODE, reason=reason)

    refused = host.pipe(closed)
    removed = host.pipe(closed, "--uninstall")

    assert refused.returncode == 1
    assert reason in refused.stderr
    assert removed.returncode == 0
    assert not (host.root / ETC).exists()


def test_the_claims_secrets_go_to_the_collectors_environment_only(host: Host) -> None:
    secret = 'p"a$s\\w`d #1'
    host.server.claim = (200, f"token={TOKEN}\nenvironment DB_PASSWORD={secret}\n")

    done = host.run()

    text = (host.root / ETC / "collector.env").read_text()
    assert 'DB_PASSWORD="p\\"a\\$s\\\\w\\`d #1"' in text
    assert "\nGREETING=\n" in text
    assert "\n#REGION=\n" in text
    assert secret not in done.stdout + done.stderr
    assert "the fleet's configuration uses GREETING" in done.stderr


def test_a_collector_that_is_here_is_used_where_it_lies(host: Host) -> None:
    own = host.home / "otelcol"
    own.write_text("#!/bin/sh\nprintf 'extensions:\\n  - opamp\\n'\n")
    own.chmod(0o755)

    done = host.run("--collector", "./otelcol")

    assert done.returncode == 0, done.stderr
    written = yaml.safe_load((host.root / ETC / "supervisor.yaml").read_text())
    assert written["agent"]["executable"].endswith("/home/otelcol")
    assert not (host.root / OPT / "bin/otelcol-contrib").exists()


def test_a_collector_without_the_opamp_extension_is_refused(host: Host) -> None:
    before = host.tree()
    host.server.publish("0.158.0", collector=LACKING_COLLECTOR)

    done = host.run()

    assert done.returncode == 1
    assert "lacks the opamp extension" in done.stderr
    assert host.tree() == before


def test_arm64_gets_its_own_files(host: Host) -> None:
    host.write("machine", "aarch64")

    assert host.run(plan=host.plan(platform="linux_arm64")).returncode == 0
    assert any("linux_arm64.tar.gz" in path for path in host.server.asked)


@pytest.mark.parametrize(
    ("machine", "uid", "words"),
    [
        ("aarch64", "0", "This command is for linux_amd64; this host is aarch64."),
        ("armv7l", "0", "this host is armv7l"),
        ("x86_64", "1000", "This needs root."),
    ],
)
def test_a_host_that_cannot_is_told_before_anything_is_fetched(
    host: Host, machine: str, uid: str, words: str
) -> None:
    host.write("machine", machine)
    host.write("uid", uid)
    before = host.tree()

    done = host.run()

    assert done.returncode == 1
    assert words in done.stderr
    assert not host.server.asked
    assert host.tree() == before


def test_a_host_without_systemd_is_told_what_to_use(host: Host) -> None:
    (host.root / "run/systemd/system").rmdir()

    done = host.run()

    assert done.returncode == 1
    assert "Use --no-systemd" in done.stderr


def test_a_clock_that_is_wrong_is_said(host: Host) -> None:
    host.server.clock_offset = 4000

    done = host.run()

    assert done.returncode == 0
    assert "clock differs from the server's by -4000" in done.stderr or "-3999" in done.stderr


def test_a_server_that_is_away_is_named(host: Host) -> None:
    done = host.run(plan=host.plan(base_url="http://127.0.0.1:9"))

    assert done.returncode == 1
    assert "http://127.0.0.1:9 does not answer" in done.stderr


def test_wget_serves_where_curl_is_missing(host: Host) -> None:
    host.stub("command_check", "exit 0")
    text = script.render(host.plan(), CODE).replace("command -v curl", "command -v no-curl-here")

    done = host.pipe(text)

    assert done.returncode == 0, done.stderr
    assert len(host.server.claims) == 1


def test_a_script_that_was_cut_off_does_nothing(host: Host, server: Server) -> None:
    text = script.render(host.plan(), CODE)
    before = host.tree()
    ends = [*range(0, len(text), len(text) // 25), *range(len(text) - 30, len(text) - 1)]

    for end in ends:
        host.pipe(text[:end])

    assert host.tree() == before
    assert not server.asked
