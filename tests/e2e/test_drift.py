"""Files on the host against versions from here: what differs is told, what is added is none of our business."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.harness import texts
from tests.e2e.harness.machine import Machine
from tests.e2e.harness.pages import Pages
from tests.e2e.harness.rolling import Rolling, rolling

HOSTS: Final = """\
receivers: {nop: {}, otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
exporters: {nop: {}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
    metrics/edge: {receivers: [nop], exporters: [nop]}
"""
"""A pipeline of the host's own, and one that waits for something to run."""
OTHER: Final = HOSTS.replace("{nop: {},", "{nop: {}, hostmetrics: {collection_interval: 30s},", 1)
MOVED: Final = texts.text(2).replace("    metrics:\n      rec", "    metrics/edge:\n      rec")
"""The same pipeline under the name that the host has taken: valid, and nothing moves."""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Rolling]:
    """Two machines that run version 1, with files of the host above it."""
    with rolling(tmp_path) as made:
        for version in ("0.158.0", "0.149.0"):
            made.join(version, local=HOSTS, local_wins=True)
        made.until(lambda: made.all_run(1), "all run version 1")
        yield made


def test_an_intended_part_that_a_host_changes_is_drift_until_it_is_changed_back(
    pair: Rolling,
) -> None:
    machine, other = pair.machines
    assert [row["part"] for row in _drift(pair, machine)["additions"]] == [
        "Receiver otlp",
        "Pipeline traces",
    ]
    machine.local.write_text(OTHER)
    machine.restart()
    pair.until(lambda: pair.seen(machine).status == "drifted", "it drifted")
    [row] = _drift(pair, machine)["drifted"]
    assert (row["part"], row["place"]) == ("Receiver hostmetrics", "collection_interval")
    assert (row["should_be"], row["runs"]) == ("10s", "30s")
    with Pages(pair.server.base_url) as pages:
        page = pages.read(f"/collectors/{machine.uid}/configuration/")
        assert machine.uid in pages.read("/collectors/?status=drifted")
    assert "What differs" in page
    assert "30s" in page
    assert pair.seen(other).is_settled(1)

    machine.local.write_text(HOSTS)
    machine.restart()
    pair.until(lambda: pair.all_run(1), "it is as intended")
    assert not _drift(pair, machine)["drifted"]
    assert [len(pair.offers(one, 1)) for one in pair.machines] == [1, 1]


def test_a_version_that_is_applied_and_healthy_and_moves_nothing_is_taken_back(
    pair: Rolling,
) -> None:
    rollout = pair.roll_out(MOVED)
    pair.until_state(rollout, "rolled_back")
    pair.until(lambda: pair.all_run(1), "both run version 1 again")
    for machine in pair.machines:
        [attempt] = pair.offers(machine, 2)
        assert attempt.state == "applied", "the supervisor is content"
        assert pair.target(rollout, machine)["state"] == "reverted"
    [cause] = pair.causes(rollout)
    assert (cause["count"], "lacks pipelines" in cause["error"]) == (2, True)


def _drift(pair: Rolling, machine: Machine) -> dict[str, Any]:
    """As the API tells it."""
    found: dict[str, Any] = pair.api.get(f"/agents/{machine.uid}/drift/")
    return found
