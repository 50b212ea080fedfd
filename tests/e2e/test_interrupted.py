"""Rollouts that do not go their usual way: a supervisor that dies in between, that goes back alone, that had nothing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from tests.e2e.harness import texts
from tests.e2e.harness.machine import QUIET, Machine
from tests.e2e.harness.rolling import ALL, Rolling, rolling

PATIENT: Final = {**ALL, "apply_timeout_seconds": 20}
OWN: Final = f"""\
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:0"}}}}}}}}
exporters: {{nop: {{}}}}
{QUIET.replace("}}}", "}}, pipelines: {traces: {receivers: [otlp], exporters: [nop]}}}")}"""
"""What a collector runs before it is given anything."""
FINAL: Final = {"succeeded", "reverted"}


def test_a_supervisor_that_is_killed_while_it_applies_ends_in_one_state_and_is_offered_nothing_twice(
    tmp_path: Path,
) -> None:
    with rolling(tmp_path, "0.158.0", "0.149.0") as pair:
        rollout = pair.roll_out(texts.text(2), PATIENT)
        for machine in pair.machines:
            pair.until(partial(_is_applying, pair, machine), "it applies version 2")
            machine.crash()
        for machine in pair.machines:
            pair.start_again(machine)
        pair.until(
            lambda: all(pair.target(rollout, one)["state"] in FINAL for one in pair.machines),
            "each target ends",
        )
        pair.until_state(rollout, "rolled_back")
        pair.until(lambda: pair.all_run(1), "both run version 1")
        for machine in pair.machines:
            [attempt] = pair.offers(machine, 2)
            assert attempt.state == "timed_out", "after a restart it says applying for ever"


def _is_applying(pair: Rolling, machine: Machine) -> bool:
    return any(one.state == "applying" for one in pair.offers(machine, 2))


def test_who_takes_itself_back_has_failed_as_who_does_not(tmp_path: Path) -> None:
    with rolling(tmp_path, "0.158.0") as pair:
        plain = pair.machines[0]
        alone = pair.join("0.158.0", takes_itself_back=True)
        rollout = pair.roll_out(texts.text(texts.REFUSED), {**ALL, "automatic_rollback": False})
        pair.until(lambda: pair.seen(alone).status == "rolled_back", "one is back by itself")
        pair.until(lambda: pair.seen(plain).status == "failed", "the other one is not")
        pair.until_state(rollout, "paused")
        for machine in pair.machines:
            [attempt] = pair.offers(machine, 2)
            assert attempt.state == "failed"
            assert pair.target(rollout, machine)["state"] == "failed"
        assert pair.seen(alone).is_healthy
        assert sum(cause["count"] for cause in pair.causes(rollout)) == len(pair.machines)

        pair.act(rollout, "rollback", "it is broken")
        pair.until_state(rollout, "rolled_back")
        pair.until(lambda: pair.all_run(1), "both run version 1 again")
        assert len(pair.offers(plain, 1)) == 2
        assert len(pair.offers(alone, 1)) == 1, "it has acknowledged version 1 already"


def test_who_had_nothing_of_ours_keeps_what_it_runs_and_the_page_says_so(tmp_path: Path) -> None:
    with rolling(tmp_path, is_empty=True) as one:
        machine = one.bring(one.port, one.secret, "0.158.0", local=OWN)
        rollout = one.roll_out(texts.text(texts.REFUSED))
        one.until_state(rollout, "rolled_back")
        target = one.target(rollout, machine)
        assert target["state"] == "revert_failed"
        assert target["reason"].startswith("It had no version of ours before")
        assert len(one.server.ledger.attempts()) == 1
        one.roll_out(texts.text(4))
        one.until(lambda: one.all_run(3), "a good version heals it")


def test_who_had_nothing_gets_the_stable_version_where_there_is_one(tmp_path: Path) -> None:
    with rolling(tmp_path, arrival="observed") as one:
        machine = one.bring(one.port, one.secret, "0.158.0", local=OWN)
        machine.stop()
        one.until(lambda: not one.is_in(machine), "it is away")
        one.api.post(f"/agents/{machine.uid}/mode/", {"mode": "managed"})
        rollout = one.roll_out(texts.text(texts.REFUSED), {**ALL, "waits_for_offline": True})
        assert not one.server.ledger.attempts()
        one.start_again(machine)
        one.until_state(rollout, "rolled_back")
        assert one.target(rollout, machine)["state"] == "reverted"
        one.until(lambda: one.all_run(1), "it runs the stable version")
        assert [len(one.offers(machine, number)) for number in (1, 2)] == [1, 1]
