"""The pages of quick deploy: making a command, watching it, revoking it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.models import AgentStatus
from fleets.models import Deployment, Fleet, Membership, RefusalReason, Token
from fleets.quickdeploy.services import IssuedDeployment, claim_deployment, create_deployment
from fleets.views.hosts import SILENT_AFTER, SILENT_FOR
from telflo.base.access import Role
from tests.factories import TESTER, make_collector, make_fleet, make_refusal, make_version
from tests.pages.reading import signed_in

pytestmark = pytest.mark.django_db

FORM = {
    "platform": "linux_amd64",
    "supervisor_version": "0.158.0",
    "collector_version": "0.158.0",
    "transport": "ws",
    "max_uses": "3",
    "lifetime": "24",
    "automatic_rollback": "on",
}


def post(**changes: Any) -> Any:
    return signed_in(Role.ADMIN).post("/fleets/edge/deploy/", {**FORM, **changes})


@pytest.fixture
def fleet() -> Fleet:
    return make_fleet(name="edge", version=make_version())


def made(fleet: Fleet, **how: Any) -> IssuedDeployment:
    return create_deployment(fleet=fleet, platform="linux_amd64", actor=TESTER, **how)


def address(deployment: Deployment) -> str:
    return f"/fleets/edge/deployments/{deployment.pk}/"


def test_the_answer_holds_the_command_once_and_later_visits_do_not(fleet: Fleet) -> None:
    client = signed_in(Role.ADMIN)
    answer = client.post("/fleets/edge/deploy/", FORM)
    html = answer.content.decode()
    deployment = Deployment.objects.get()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    command = answer.context["commands"].install
    code = command.split("/install/")[1].split()[0].strip("'")
    assert f"/install/{code} | sudo sh" in html
    assert f"/install/{code} | sh -s -- --no-systemd<" in html
    assert f"/install/{code} | sudo sh -s -- --uninstall<" in html
    assert f"/install/{code} | sh -s -- --no-systemd --uninstall<" in html
    assert "The same by hand" in html
    for path in (address(deployment), "/fleets/edge/deployments/", "/fleets/edge/deploy/"):
        assert code not in client.get(path).content.decode()


def test_when_nothing_connects_it_says_where_to_look_with_and_without_systemd(fleet: Fleet) -> None:
    deployment = made(fleet).deployment
    html = signed_in(Role.ADMIN).get(address(deployment)).content.decode()
    assert "journalctl -u telflo-collector" in html
    assert "<code>state/agent.log</code>" in html


def test_a_loopback_address_is_pointed_out(fleet: Fleet) -> None:
    answer = signed_in(Role.ADMIN).get("/fleets/edge/deploy/", headers={"host": "127.0.0.1:8000"})
    assert "Only this machine reaches http://127.0.0.1:8000" in answer.content.decode()


def test_options_are_kept_and_secrets_are_encrypted_and_never_shown(fleet: Fleet) -> None:
    answer = post(labels="site=ams\nrack=r1", secret_environment="API_KEY=hunter2hunter2", proxy="")
    deployment = Deployment.objects.get()
    assert deployment.options["labels"] == {"site": "ams", "rack": "r1"}
    assert deployment.secret_environment == "API_KEY=hunter2hunter2"
    assert "hunter2hunter2" not in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("supervisor_version", "0.1", "is no version"),
        ("collector_version", "0.100.0", "is too old"),
        ("labels", "no equals sign", "Line 1 is not of the form"),
        ("labels", "bad name!=x", "cannot name a label"),
        ("labels", "a=C:\\data", "The value of a must"),
        ("secret_environment", "1BAD=x", "cannot name a variable"),
        ("config_files", "local.yaml", "must be an absolute path"),
        ("proxy", "ftp://x", "http://host:port"),
        ("proxy", "http://[::1", "http://host:port"),
        ("collector", "relative/path", "must be an absolute path"),
        ("max_uses", "0", "greater than or equal to 1"),
        ("platform", "windows", "Select a valid choice"),
    ],
)
def test_what_cannot_be_used_is_said_at_its_field(
    fleet: Fleet, field: str, value: str, words: str
) -> None:
    answer = post(**{field: value})
    assert answer.status_code == 422
    assert words in str(answer.context["form"].errors[field])
    assert not Deployment.objects.exists()


def test_it_waits_live_and_shows_the_collector_the_moment_it_is_there(fleet: Fleet) -> None:
    issued = made(fleet, max_uses=2)
    client = signed_in(Role.VIEWER)
    path = address(issued.deployment)
    html = client.get(path).content.decode()
    assert f'data-live="deployment:{issued.deployment.pk} fleet:{fleet.pk} agents"' in html
    assert "Waiting for the first collector" in html
    claim_deployment(code=issued.code, host="web-1")
    assert "Not connected yet" in client.get(path).content.decode()
    agent = make_collector(name="web-1", fleet=fleet)
    Membership.objects.filter(agent=agent).update(token=Token.objects.get())
    html = client.get(path).content.decode()
    assert f'href="/collectors/{agent.pk}/">web-1</a> is connected' in html
    assert "Waiting for the first collector" not in html


def test_nothing_is_under_way_before_the_script_ran(fleet: Fleet) -> None:
    issued = made(fleet)
    client = signed_in()
    steps = client.get(address(issued.deployment)).context["steps"]
    assert [(step.name, step.state) for step in steps[:2]] == [
        ("Script runs", "waiting"),
        ("Connects", "waiting"),
    ]
    claim_deployment(code=issued.code, host="web-1")
    steps = client.get(address(issued.deployment)).context["steps"]
    assert [(step.name, step.state) for step in steps[:2]] == [
        ("Script ran", "passed"),
        ("Connects", "running"),
    ]


def claimed(fleet: Fleet, *hosts: str, ago: timedelta) -> Deployment:
    """A command that these hosts ran so long ago."""
    issued = made(fleet, max_uses=len(hosts))
    for host in hosts:
        claim_deployment(code=issued.code, host=host)
    Token.objects.update(created_at=timezone.now() - ago)
    return issued.deployment


SILENT = "Nothing is heard of "
LOOKS = (
    "systemctl status telflo-collector",
    "journalctl -u telflo-collector -n 50 --no-pager",
    "date -u",
    "curl -sSi http://testserver/v1/opamp",
    "firewall",
    "certificate",
)


def test_when_a_host_that_ran_the_script_stays_silent_it_says_what_to_look_at(fleet: Fleet) -> None:
    found = claimed(fleet, "web-1", "web-2", ago=SILENT_AFTER)
    html = signed_in().get(address(found)).content.decode()
    assert f"{SILENT}web-1, web-2</b>" in html
    for words in LOOKS:
        assert words in html
    assert "load delay" not in html


def test_before_that_it_waits_and_looks_again_by_itself(fleet: Fleet) -> None:
    found = claimed(fleet, "web-1", ago=SILENT_AFTER - timedelta(seconds=30))
    html = signed_in().get(address(found)).content.decode()
    assert SILENT not in html
    [seconds] = re.findall(rf'hx-get="{address(found)}" hx-trigger="load delay:(\d+)s"', html)
    assert 0 < int(seconds) <= 30


def test_a_collector_that_came_and_went_is_not_said_to_be_connected(fleet: Fleet) -> None:
    found = claimed(fleet, "web-1", ago=timedelta(hours=3))
    agent = make_collector(
        name="web-1",
        fleet=fleet,
        status="disconnected",
        status_since=timezone.now() - timedelta(minutes=5),
    )
    Membership.objects.filter(agent=agent).update(token=Token.objects.get())
    html = signed_in().get(address(found)).content.decode()
    assert "web-1</a> was connected" in html
    assert f"{SILENT}web-1</b>" in html
    AgentStatus.objects.update(connected=True, status="in_sync")
    assert SILENT not in signed_in().get(address(found)).content.decode()


@pytest.mark.parametrize("why", ["old news", "revoked"])
def test_a_host_that_nobody_waits_for_is_not_called_silent(fleet: Fleet, why: str) -> None:
    found = claimed(fleet, "web-1", ago=SILENT_FOR if why == "old news" else timedelta(minutes=9))
    if why == "revoked":
        Token.objects.update(revoked_at=timezone.now())
    assert SILENT not in signed_in().get(address(found)).content.decode()


def test_uses_and_state_in_the_head_are_live(fleet: Fleet) -> None:
    issued = made(fleet)
    client, path = signed_in(Role.ADMIN), address(issued.deployment)
    head = f'id="deployment-head" data-live="deployment:{issued.deployment.pk}"'
    assert head in client.get(path).content.decode()
    assert f'data-live-url="{path}"' in client.get(path).content.decode()
    assert "0 of 1 use" in client.get(path).content.decode()
    claim_deployment(code=issued.code, host="web-1")
    html = client.get(path).content.decode()
    assert "1 of 1 use" in html
    assert "Used up" in html


def test_a_second_collector_by_a_hosts_token_is_shown_beside_the_first_with_advice(
    fleet: Fleet,
) -> None:
    issued = made(fleet)
    claim_deployment(code=issued.code, host="web-1")
    token = Token.objects.get()
    agent = make_collector(name="web-1", fleet=fleet)
    Membership.objects.filter(agent=agent).update(token=token)
    for prefix, reason in (
        (token.prefix, RefusalReason.TAKEN),
        ("", RefusalReason.UNKNOWN),
    ):
        make_refusal(reason, token_prefix=prefix)
    html = signed_in(Role.ADMIN).get(address(issued.deployment)).content.decode()
    assert "The token of a host let in another collector already" in html
    assert "forget its old collector here" in html
    assert "The token was not issued by this server" not in html, "it may be anybody's"


def test_what_the_server_refused_since_is_shown_with_advice(fleet: Fleet) -> None:
    issued = made(fleet)
    make_refusal(RefusalReason.UNKNOWN)
    html = signed_in(Role.ADMIN).get(address(issued.deployment)).content.decode()
    assert "192.0.2.9" in html
    assert "The token was not issued by this server" in html


def test_revoking_closes_the_command(fleet: Fleet) -> None:
    issued = made(fleet)
    client = signed_in(Role.ADMIN)
    path = f"{address(issued.deployment)}revoke/"
    assert client.get(path).status_code == 200
    client.post(path, {"reason": "not needed"})
    issued.deployment.refresh_from_db()
    assert issued.deployment.revoked_at is not None
    assert "The command works no more" in client.get(address(issued.deployment)).content.decode()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.EDITOR])
def test_only_admins_make_and_revoke_commands(fleet: Fleet, role: Role) -> None:
    issued = made(fleet)
    client = signed_in(role)
    assert client.post("/fleets/edge/deploy/", FORM).status_code == 403
    assert client.post(f"{address(issued.deployment)}revoke/").status_code == 403
    assert client.get(address(issued.deployment)).status_code == 200


def test_a_deployment_of_another_fleet_is_not_found(fleet: Fleet) -> None:
    other = made(make_fleet(name="other"))
    assert signed_in(Role.ADMIN).get(address(other.deployment)).status_code == 404
