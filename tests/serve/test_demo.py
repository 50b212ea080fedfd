"""The demo: what it throws away, what its texts are, and that it comes up with every kind of status."""

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from configs.collector.parse import parse
from opamp.simulator import workload
from telflo.demo.past import past
from telflo.demo.run import DATABASE, NotOurs, renew
from telflo.demo.texts import LINES
from tests.e2e.harness.server import Process, free_port, make_api_token
from tests.e2e.harness.waiting import tail, wait_until

WITHIN_S = 1_800
"""For a machine that does much else: a demo that gets stuck says so long before, and ends."""
PASSWORD = "a-passphrase-for-the-demo"


def test_its_own_folder_is_made_anew_and_nobody_elses_is_touched(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    renew(ours)
    (ours / DATABASE).write_text("old")
    renew(ours)
    assert not (ours / DATABASE).exists()
    theirs.mkdir()
    (theirs / DATABASE).write_text("a year of work")
    with pytest.raises(NotOurs):
        renew(theirs)
    assert (theirs / DATABASE).read_text() == "a year of work"


def test_another_installation_is_refused_in_one_line(
    tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The suite also runs on PostgreSQL, where the demo is refused for that.
    sqlite = SimpleNamespace(vendor="sqlite")
    monkeypatch.setattr("telflo.serve.management.commands.demo.connection", sqlite)
    settings.DATA_DIR, settings.REDIS_URL, settings.PORT = tmp_path, "", 0  # type: ignore[attr-defined]  # pytest-django's
    (tmp_path / DATABASE).touch()
    with pytest.raises(CommandError, match="no demo"):
        call_command("demo")
    with pytest.raises(CommandError, match="at least 20"):
        call_command("demo", collectors=19)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_every_version_can_be_read_and_runs_on_a_newer_collector(line: object) -> None:
    texts = [text for text, _ in line.versions()]  # type: ignore[attr-defined]  # a Line
    assert len(set(texts)) == len(texts) >= 3
    for text in texts:
        assert parse(text).text == text
        assert workload.run(workload.merge("", (("", text),)), "0.158.0").parts


def test_one_version_does_not_run_on_an_older_collector() -> None:
    payments = [text for text, _ in LINES[2].versions()]
    with pytest.raises(workload.Unusable, match="host_metrics"):
        workload.run(workload.merge("", (("", payments[1]),)), "0.149.0")
    mended = workload.run(workload.merge("", (("", payments[2]),)), "0.149.0")
    assert "receiver:hostmetrics" in mended.parts["pipeline:metrics"]


def days_behind() -> int:
    return round((datetime.now(UTC) - timezone.now()).total_seconds() / 86_400)


def test_time_leaps_forward_only_and_is_right_afterwards() -> None:
    with past(days=40) as clock:
        assert days_behind() == 40
        clock.move_to(days=2)
        clock.move_to(days=9)
        assert days_behind() == 2
    assert days_behind() == 0


def test_it_comes_up_with_a_rollout_under_way_and_every_kind_of_status(tmp_path: Path) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PORT": str(free_port()),
        "TELFLO_DATA": str(tmp_path / "data"),
        "TELFLO_ADMIN_PASSWORD": PASSWORD,
    }
    log = tmp_path / "demo.log"
    command = (sys.executable, "manage.py", "demo", "--collectors", "24")
    process = Process(command, environment, log)
    process.start()
    try:
        wait_until(
            lambda: process.has_ended() or "demo is at" in log.read_text(),
            what="the demo",
            within_s=WITHIN_S,
            evidence=lambda: tail(log, 40),
        )
        assert not process.has_ended(), tail(log, 40)
        headers = {"Authorization": f"Bearer {make_api_token(environment)}"}
        address = f"http://127.0.0.1:{environment['PORT']}/api/v1/"
        with httpx.Client(base_url=address, headers=headers) as client:
            statuses = {
                agent["status"] for agent in client.get("agents/?limit=100").json()["results"]
            }
            listed = client.get("rollouts/").json()["results"]
            rollouts = {one["state"] for one in listed}
            baking = next(one for one in listed if one["state"] == "baking")
            causes = client.get(f"rollouts/{baking['id']}/failures/").json()["causes"]
            stages = [
                one["state"] for one in client.get(f"rollouts/{baking['id']}/").json()["stages"]
            ]
            unhealthy = client.get("agents/?health=unhealthy").json()["results"]
            revoked = {
                token["prefix"]
                for fleet in client.get("fleets/").json()["results"]
                for token in client.get(f"fleets/{fleet['id']}/tokens/").json()["results"]
                if token["state"] == "revoked"
            }
        assert statuses >= {
            "in_sync",
            "applying",
            "rolled_back",
            "stale",
            "disconnected",
            "unmanaged",
            "drifted",
        }
        assert rollouts >= {"running", "baking", "succeeded", "superseded", "rolled_back"}
        assert stages == ["passed", "baking", "waiting"]
        assert any("already in use" in cause["error"] for cause in causes)
        assert unhealthy
        with closing(sqlite3.connect(tmp_path / "data" / DATABASE)) as database:
            asked = "SELECT token_prefix FROM fleets_refusedattempt WHERE reason = 'revoked'"
            refused = {prefix for (prefix,) in database.execute(asked)}
        assert refused == revoked, "who was refused used the token that is shown as revoked"
    finally:
        assert process.end(within_s=20) == 0, tail(log, 40)
