"""What a fleet offers as connection settings reaches real collectors: the interval, and where own telemetry goes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.harness.pages import Pages
from tests.e2e.harness.receiver import Receiver, receive
from tests.e2e.harness.server import Server
from tests.e2e.harness.several import Several

VERSIONS: Final = ("0.149.0", "0.158.0")
HEARTBEAT_S: Final = 5
QUIET_S: Final = 4
"""Several of the intervals at which collectors send what they have."""
SIGNALS: Final = ("metrics", "traces", "logs")
IN_USE: Final = f"in use: it is heard every {HEARTBEAT_S} s"
TOLD: Final = "New OpAMP settings resulted in invalid configuration"
"""What a supervisor prints for each offer without an endpoint: it takes the interval, and stays."""
CAPABILITIES: Final = (
    "accepts_opamp_connection_settings",
    "reports_own_traces",
    "reports_own_logs",
)
LOCAL: Final = """\
service:
  telemetry:
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}}]
"""
"""Metrics of its own stay on the host until the server says where they go."""
YAML: Final = """\
receivers:
  hostmetrics: {collection_interval: 1s, scrapers: {load: {}}}
exporters:
  nop: {}
service:
  pipelines:
    metrics: {receivers: [hostmetrics], exporters: [nop]}
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Takes own telemetry."""
    with receive() as made:
        yield made


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Several]:
    """A supervisor of each version."""
    with ExitStack() as endings:
        server = Server(tmp_path)
        endings.callback(server.clean_up)
        server.start()
        yield Several(server, tmp_path, endings)


@pytest.mark.rule("S1", "S4", "H1")
def test_an_interval_and_own_telemetry_reach_collectors_and_nobody_is_alarmed(
    several: Several, receiver: Receiver
) -> None:
    api = several.api
    fleet = api.create_fleet("edge", api.publish(api.create_configuration("edge"), YAML))
    _, secret = several.token(fleet)
    for version in VERSIONS:
        _add(several, secret, version, "ws")
    several.until(lambda: all(one.is_settled(1) for one in api.collectors()), "all are well")
    began_at = datetime.now(UTC)
    _beat_faster(several, fleet)
    # On plain HTTP it is told in the first answer.
    _add(several, secret, "0.158.0", "http")
    _are_heard(several)
    _tell_of_themselves(several, receiver, fleet)
    _fall_silent(several, receiver, fleet)
    _were_well(several, began_at)


def _add(several: Several, secret: str, version: str, scheme: str) -> None:
    port = several.server.port
    several.add(port, secret, version, scheme=scheme, more=CAPABILITIES, local=LOCAL)


def _change(several: Several, fleet: str, **wanted: Any) -> None:
    several.api.patch(f"/fleets/{fleet}/connection-settings/", wanted)


def _beat_faster(several: Several, fleet: str) -> None:
    _change(several, fleet, heartbeat_s=HEARTBEAT_S)
    several.until(
        lambda: all(one.interval_s == HEARTBEAT_S for one in several.api.collectors()),
        "they are told the interval",
    )


def _are_heard(several: Several) -> None:
    """At the new interval, which each was told once."""
    with Pages(several.server.base_url) as pages:
        for machine in several.machines:
            uid = several.seen(machine).uid
            several.until(
                lambda uid=uid: IN_USE in pages.read(f"/collectors/{uid}/"),  # type: ignore[misc]
                f"{machine.version} is heard every {HEARTBEAT_S} s",
            )
    assert [machine.log.read_text().count(TOLD) for machine in several.machines] == [1, 1, 1]


def _tell_of_themselves(several: Several, receiver: Receiver, fleet: str) -> None:
    """Each kind arrives with its header; when that changes, with the new one."""
    for secret in ("first-of-two-secrets", "second-of-two-secrets"):
        _change(
            several,
            fleet,
            own_telemetry={
                signal: {"endpoint": f"{receiver.url}/v1/{signal}", "headers": {"X-Key": secret}}
                for signal in SIGNALS
            },
        )
        for machine, signal in itertools.product(several.machines, SIGNALS):
            text = (f"/v1/{signal}", several.seen(machine).uid, ("x-key", secret))
            several.until(
                lambda text=text: receiver.has(*text),  # type: ignore[misc]
                f"{signal} of {machine.version} with {secret}",
            )
    for machine in several.machines:
        assert "of-two-secrets" not in several.api.effective_text(several.seen(machine).uid)


def _fall_silent(several: Several, receiver: Receiver, fleet: str) -> None:
    """What is taken back stops, one kind first, then all."""
    _change(several, fleet, own_telemetry={"traces": None})
    _no_longer_name(several, f"{receiver.url}/v1/traces")
    _change(several, fleet, own_telemetry=dict.fromkeys(SIGNALS))
    _no_longer_name(several, receiver.url)
    several.until(partial(receiver.is_quiet, QUIET_S), "nothing arrives any more")


def _no_longer_name(several: Several, url: str) -> None:
    for machine in several.machines:
        uid = several.seen(machine).uid
        several.until(
            lambda uid=uid: url not in several.api.effective_text(uid),  # type: ignore[misc]
            f"{machine.version} does not send to {url}",
        )


def _were_well(several: Several, began_at: datetime) -> None:
    """Nobody was said to be gone or ill; a collector that restarted for us did just that. What was sent is told."""
    several.until(
        lambda: all(one.is_settled(1) for one in several.api.collectors()), "all are well"
    )
    for machine in several.machines[: len(VERSIONS)]:
        events = [
            one
            for one in several.api.events(several.seen(machine).uid)
            if datetime.fromisoformat(one["at"]) > began_at
        ]
        assert {one["kind"] for one in events} == {"health", "settings_sent"}, events
        for one in events:
            if one["kind"] == "health":
                assert one["data"]["healthy"] or one["data"]["restarting"], events
