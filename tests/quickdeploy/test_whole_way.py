"""The pasted command against the real server: what its answers say, the script understands."""

import subprocess

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from fleets.models import Deployment, Token
from fleets.quickdeploy.services import commands, create_deployment
from telflo.base.secrets import hash_secret
from tests.factories import TESTER, make_fleet
from tests.quickdeploy.sandbox import Host


@pytest.mark.django_db(transaction=True)
def test_the_pasted_command_claims_once_and_runs_the_supervisor(
    host: Host, live_server: LiveServer, settings: Settings
) -> None:
    settings.ARTIFACTS_URL = host.server.url
    fleet = make_fleet(name="it's $(touch x) `touch y`")
    issued = create_deployment(
        fleet=fleet,
        platform="linux_amd64",
        actor=TESTER,
        secret_environment={"DB_PASSWORD": 'it\'s "quoted" $x'},
    )
    line = commands(issued.code, base_url=live_server.url).foreground

    outputs = [
        subprocess.run(
            ["sh", "-c", line],
            capture_output=True,
            text=True,
            check=False,
            cwd=host.home,
            env=host.environment(),
            timeout=60,
        )
        for _ in range(2)
    ]

    secret = outputs[0].stdout.partition("\ntoken ")[2].split("\n")[0]
    assert Token.objects.get().secret_hash == hash_secret(secret)
    for done in outputs:
        assert done.returncode == 0, done.stderr
        assert 'DB_PASSWORD=it\'s "quoted" $x\n' in done.stdout
        assert f"Fleet {fleet.name}:" in done.stdout
    assert Deployment.objects.get().uses == 1
    assert [path.name for path in host.home.iterdir()] == ["telflo-collector"]
