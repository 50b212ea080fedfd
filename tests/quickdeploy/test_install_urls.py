"""Deployments behind their URLs: the script, the check, the claim, and what is kept of them."""

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from fleets.models import Deployment, RefusalReason, RefusedAttempt, Token, TokenKind
from fleets.quickdeploy import manual
from fleets.quickdeploy.errors import InvalidOptions
from fleets.quickdeploy.options import DeploymentOptions
from fleets.quickdeploy.plan import is_loopback
from fleets.quickdeploy.services import (
    IssuedDeployment,
    commands,
    create_deployment,
    manual_steps,
    revoke_deployment,
)
from fleets.services import archive_fleet
from fleets.tokens import revoke_token
from telflo.base import clock
from telflo.base.models import Activity
from telflo.base.secrets import hash_secret
from tests.factories import TESTER, make_fleet, make_version
from tests.quickdeploy.sandbox import CODE, TOKEN, Host

pytestmark = pytest.mark.django_db


def issue(**how: Any) -> IssuedDeployment:
    fleet = how.pop("fleet", None) or make_fleet()
    return create_deployment(**{"fleet": fleet, "platform": "linux_amd64", "actor": TESTER, **how})


def expire(issued: IssuedDeployment) -> None:
    past = clock.now() - timedelta(hours=1)
    Deployment.objects.filter(pk=issued.deployment.pk).update(expires_at=past)


def test_the_script_has_no_side_effect_and_holds_no_secret(client: Client) -> None:
    issued = issue(secret_environment={"DB_PASSWORD": "hunter2"})

    answer = client.get(f"/install/{issued.code}")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/x-shellscript; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    text = answer.content.decode()
    assert "hunter2" not in text
    assert f"CODE_URL='http://testserver/install/{issued.code}'" in text
    issued.deployment.refresh_from_db()
    assert issued.deployment.uses == 0
    assert not Token.objects.exists()


def test_a_claim_is_counted_and_answers_a_host_token_once(client: Client) -> None:
    issued = issue(secret_environment={"DB_PASSWORD": "hunter 2"})

    answer = client.post(f"/install/{issued.code}/claim", {"host": "web-17; <b>"})

    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    first, second = answer.content.decode().splitlines()
    token = Token.objects.get()
    assert token.secret_hash == hash_secret(first.removeprefix("token="))
    assert second == "environment DB_PASSWORD=hunter 2"
    assert (token.kind, token.name, token.deployment) == (
        TokenKind.HOST,
        "web-17b",
        issued.deployment,
    )
    issued.deployment.refresh_from_db()
    assert issued.deployment.uses == 1


def test_a_used_up_code_still_answers_the_script_and_no_claim(client: Client) -> None:
    issued = issue(max_uses=1)
    client.post(f"/install/{issued.code}/claim")

    answer = client.post(f"/install/{issued.code}/claim")

    assert answer.status_code == 410
    assert b"is used up" in answer.content
    assert Token.objects.count() == 1
    assert client.get(f"/install/{issued.code}/check").status_code == 200
    assert b"CLOSED_REASON=''" in client.get(f"/install/{issued.code}").content


def test_an_expired_code_says_so_everywhere(client: Client) -> None:
    issued = issue()
    expire(issued)

    assert b"CLOSED_REASON='This quick-deploy code expired at " in (
        client.get(f"/install/{issued.code}").content
    )
    for answer in (
        client.get(f"/install/{issued.code}/check"),
        client.post(f"/install/{issued.code}/claim"),
    ):
        assert answer.status_code == 410
        assert b"expired at" in answer.content
    refused = RefusedAttempt.objects.get()
    assert (refused.token_prefix, refused.count) == (issued.deployment.code_prefix, 3)
    assert refused.reason == RefusalReason.CODE


def test_a_revoked_code_claims_nothing(client: Client) -> None:
    issued = issue()
    revoke_deployment(deployment=issued.deployment, actor=TESTER, reason="pasted in public")

    answer = client.post(f"/install/{issued.code}/claim")

    assert answer.status_code == 410
    assert answer.content == b"This quick-deploy code was revoked.\n"
    assert not Token.objects.exists()


def test_an_unknown_code_is_refused_and_nothing_of_it_is_kept(client: Client) -> None:
    answers = [
        client.get("/install/nosuch"),
        client.get("/install/nosuch/check"),
        client.post("/install/nosuch/claim"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    refused = RefusedAttempt.objects.get()
    assert (refused.token_prefix, refused.count) == ("", 3)


def test_the_claim_of_an_archived_fleet_is_refused_without_a_use(client: Client) -> None:
    issued = issue()
    archive_fleet(fleet=issued.deployment.fleet, actor=TESTER)

    answer = client.post(f"/install/{issued.code}/claim")

    assert answer.status_code == 409
    issued.deployment.refresh_from_db()
    assert issued.deployment.uses == 0


def test_a_host_is_told_whether_the_token_that_it_has_is_good(client: Client) -> None:
    issued, other = issue(), issue()
    url = f"/install/{issued.code}/held"
    secrets = [
        client.post(f"/install/{one.code}/claim").content.decode().split()[0][6:]
        for one in (issued, other)
    ]
    good = client.post(url, {"token": secrets[0]})
    assert (good.status_code, good.content) == (200, b"good\n")
    elsewhere = client.post(url, {"token": secrets[1]})
    assert (elsewhere.status_code, elsewhere.content) == (409, b"It is a token of another fleet.\n")
    revoke_token(token=Token.objects.get(fleet=issued.deployment.fleet), actor=TESTER)
    revoked = client.post(url, {"token": secrets[0]})
    assert (revoked.status_code, revoked.content) == (409, b"The token is revoked.\n")
    assert client.post(url).status_code == 409
    assert client.post("/install/nosuch/held", {"token": secrets[0]}).status_code == 404
    assert client.get(url).status_code == 405


def test_a_claim_is_a_post(client: Client) -> None:
    issued = issue()

    assert client.get(f"/install/{issued.code}/claim").status_code == 405
    assert client.post(f"/install/{issued.code}").status_code == 405


def test_the_check_tells_the_servers_clock(client: Client) -> None:
    answer = client.get(f"/install/{issue().code}/check").content.decode()

    told = int(answer.removeprefix("time="))
    assert abs(told - clock.now().timestamp()) < 5


def test_only_the_codes_hash_is_stored_and_the_log_has_no_secret(client: Client) -> None:
    issued = issue(secret_environment={"DB_PASSWORD": "hunter2"})
    secret = client.post(f"/install/{issued.code}/claim").content.decode().split()[0][6:]

    stored = str(list(Deployment.objects.values_list())) + str(list(Activity.objects.values_list()))
    assert issued.code not in stored + repr(issued)
    assert secret not in stored
    assert "hunter2" not in str(list(Activity.objects.values_list()))
    actions = set(Activity.objects.values_list("action", flat=True))
    assert {"deployment.create", "deployment.claim"} <= actions


def test_the_script_asks_for_what_the_fleets_version_names(client: Client) -> None:
    fleet = make_fleet(
        version=make_version(yaml="a: ${env:API_KEY} ${env:REGION:-eu} ${env:GIVEN}")
    )
    issued = issue(fleet=fleet, secret_environment={"GIVEN": "x"})

    text = client.get(f"/install/{issued.code}").content.decode()

    assert "NEEDED_VARIABLES='API_KEY'" in text
    assert "OPTIONAL_VARIABLES='REGION'" in text


@override_settings(
    BASE_URL="https://telflo.example",
    OPAMP_URL="wss://opamp.example/v1/opamp",
    ARTIFACTS_URL="https://mirror.example",
)
def test_settings_choose_the_addresses(client: Client) -> None:
    issued = issue(options=DeploymentOptions(transport="http"))

    text = client.get(f"/install/{issued.code}").content.decode()

    assert f"CODE_URL='https://telflo.example/install/{issued.code}'" in text
    assert "endpoint: 'https://opamp.example/v1/opamp'" in text
    assert "SUPERVISOR_URL='https://mirror.example/cmd%2Fopampsupervisor%2Fv0.158.0/" in text


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"platform": "windows_amd64"}, "platform"),
        ({"supervisor_version": "latest"}, "supervisor_version"),
        ({"collector_version": "0.100.0"}, "collector_version"),
        ({"max_uses": 0}, "max_uses"),
        ({"lifetime": timedelta(days=31)}, "lifetime"),
        ({"secret_environment": {"A B": "x"}}, "secret_environment"),
        ({"secret_environment": {"A": "x\ny"}}, "secret_environment"),
        ({"secret_environment": {"A": "x" * 16_385}}, "secret_environment"),
        ({"secret_environment": {f"A{n}": "x" for n in range(101)}}, "secret_environment"),
    ],
)
def test_a_deployment_that_cannot_work_is_not_made(how: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidOptions) as error:
        issue(**how)

    assert error.value.field == field
    assert not Deployment.objects.exists()


def test_options_that_cannot_work_are_refused_and_close_a_code_that_was_made_with_them(
    client: Client,
) -> None:
    bad = DeploymentOptions(labels={"a": "C:\\data"})
    with pytest.raises(InvalidOptions):
        issue(options=bad)
    issued = issue()
    Deployment.objects.update(options=bad.to_json())

    script = client.get(f"/install/{issued.code}").content.decode()

    assert "CLOSED_REASON='This quick-deploy code cannot be used: The value of a " in script
    assert client.get(f"/install/{issued.code}/check").status_code == 410
    steps = manual_steps(Deployment.objects.get(), issued.code, base_url="https://telflo.example")
    assert steps


def test_the_page_gets_commands_and_steps_with_the_same_values() -> None:
    issued = issue(options=DeploymentOptions(labels={"site": "fra"}))
    url = "https://telflo.example"

    lines = commands(issued.code, base_url=url)
    steps = manual_steps(issued.deployment, issued.code, base_url=url)

    assert lines.install == f"curl -fsSL {url}/install/{issued.code} | sudo sh"
    assert lines.foreground == f"curl -fsSL {url}/install/{issued.code} | sh -s -- --no-systemd"
    everything = "\n".join(
        [step.commands for step in steps] + [file.content for step in steps for file in step.files]
    )
    for part in ("sha256sum -c", f"{url}/install/{issued.code}/claim", "'site': 'fra'", "KillMode"):
        assert part in everything


def test_what_the_steps_by_hand_leave_behind_is_readable_for_the_service(tmp_path: Path) -> None:
    """It runs as a user of its own: whatever root wrote, the group must be able to read."""
    issued = issue(options=DeploymentOptions(proxy="http://proxy:3128"))
    steps = manual_steps(issued.deployment, issued.code, base_url="https://telflo.example")
    etc, programs = tmp_path / "etc", tmp_path / "bin"
    etc.mkdir()
    programs.mkdir()
    for name in ("chown", "systemctl"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/calls\n')
        (programs / name).chmod(0o755)
    (etc / "token.env").touch(mode=0o600)
    for step in steps[-3:-1]:  # writing the configuration, starting the service
        for file in step.files:
            if file.path.startswith("/etc/telflo-collector/"):
                path = etc / Path(file.path).name
                path.write_text(file.content)
                path.chmod(0o600)
        script = step.commands.replace("/etc/telflo-collector", str(etc))
        environment = {"PATH": f"{programs}:/usr/bin:/bin"}
        subprocess.run(["sh", "-eu", "-c", script], env=environment, check=True)
    assert {path.stat().st_mode & 0o777 for path in etc.iterdir()} == {0o640}
    owned = (tmp_path / "calls").read_text().splitlines()[0].split()
    assert owned[:2] == ["chown", "root:telflo-collector"]
    assert {Path(path) for path in owned[2:]} == set(etc.iterdir())


def test_secret_values_by_hand_are_written_as_the_script_writes_them(host: Host) -> None:
    answer = f'token={TOKEN}\nenvironment DB_PASSWORD=p"a$s\\w`d=e #1\nenvironment EMPTY=\n'
    host.server.claim = (200, answer)
    assert host.run().returncode == 0
    plan = host.plan(options=DeploymentOptions(proxy='http://p:1/"$x'))
    claim, files = manual.manual_steps(plan, CODE)[2:4]
    by_hand = host.folder / "by-hand"
    by_hand.mkdir()

    commands = claim.commands.replace("/etc/telflo-collector", str(by_hand))
    environment = {"PATH": f"{host.stubs}:/usr/bin:/bin", "SANDBOX": str(host.folder)}
    subprocess.run(["sh", "-eu", "-c", commands], env=environment, check=True, cwd=host.home)

    written = (by_hand / "collector.env").read_text().splitlines()
    by_script = (host.root / "etc/telflo-collector/collector.env").read_text().splitlines()
    assert written == ['DB_PASSWORD="p\\"a\\$s\\\\w\\`d=e #1"', 'EMPTY=""']
    assert set(written) <= set(by_script)
    assert (by_hand / "token.env").read_text() == f"TELFLO_TOKEN={TOKEN}\n"
    proxies = next(file for file in files.files if file.path.endswith("supervisor.env"))
    assert 'HTTPS_PROXY="http://p:1/\\"\\$x"\n' in proxies.content


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://[::1]:1", True),
        ("https://telflo.example", False),
        ("http://10.0.0.1", False),
    ],
)
def test_an_address_that_others_cannot_reach_is_known(url: str, answer: bool) -> None:
    assert is_loopback(url) is answer
