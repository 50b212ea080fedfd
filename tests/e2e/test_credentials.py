"""The life of credentials with real supervisors: own ones, the token in their file, rotation, revocation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.harness import texts
from tests.e2e.harness.compose import composed
from tests.e2e.harness.machine import Machine
from tests.e2e.harness.pages import Pages
from tests.e2e.harness.server import Server, free_port
from tests.e2e.harness.several import Several

ACCEPTS: Final = ("accepts_opamp_connection_settings",)
HEARTBEAT_S: Final = 5
OVERLAP_S: Final = 25
SOON: Final = timedelta(seconds=2)
"""Well before the server looks by itself, every 4 to 6 s."""
HARDLY: Final = timedelta(seconds=20)
"""Less than it takes to be missed."""
GATEWAY_PORT: Final = 4320


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Several]:
    """A server that can tell collectors where to connect."""
    with ExitStack() as endings:
        server = Server(tmp_path, knows_address=True)
        endings.callback(server.clean_up)
        server.start()
        yield Several(server, tmp_path, endings)


@pytest.mark.rule("S5", "S6", "S8")
def test_credentials_are_rotated_made_and_revoked(several: Several) -> None:
    api, port = several.api, several.server.port
    version = api.publish(api.create_configuration("edge"), texts.text(1))
    # Plain HTTP hears of an offer at the next poll.
    shared = _fleet(several, "shared", version, heartbeat_s=HEARTBEAT_S)
    old, secret = several.token(shared)
    movers = [
        several.add(port, secret, "0.149.0", more=ACCEPTS, scheme="http"),
        several.add(port, secret, "0.158.0", more=ACCEPTS),
    ]
    stays = several.add(port, secret, "0.149.0")
    body = {"overlap_seconds": OVERLAP_S, "revoke_old": True}
    heir = str(api.post(f"/tokens/{old}/rotate/", body)["id"])
    _have_moved(several, movers, heir)
    _is_listed(several, stays, old)
    # The overlap goes on meanwhile.
    own = _fleet(several, "own", version, own_credentials=True)
    token, secret = several.token(own)
    owners = [several.add(port, secret, one, more=ACCEPTS) for one in ("0.149.0", "0.158.0")]
    _have_their_own(several, owners)
    for machine in owners:
        _falls_back_on_its_file(several, machine)
    _is_revoked_alone(several, *owners)
    _is_over(several, stays, old)
    assert all(several.seen(one).is_connected for one in movers)
    assert all(several.seen(one).is_healthy is not False for one in several.machines)
    _outlive_their_parent(several, owners, token)
    assert len(api.collectors()) == len(several.machines)
    assert [len(several.events(one, "enrolled")) for one in several.machines] == [1] * 5


def _fleet(several: Several, name: str, version: Any, **settings: Any) -> str:
    fleet = several.api.create_fleet(name, version)
    several.api.patch(f"/fleets/{fleet}/connection-settings/", settings)
    return fleet


def _have_moved(several: Several, machines: list[Machine], heir: str) -> None:
    """To the new token of a rotation, and were hardly away."""
    several.until(lambda: all(several.seen(one).token == heir for one in machines), "they moved")
    for machine in machines:
        gone, back = several.events(machine, "disconnected"), several.events(machine, "connected")
        if several.seen(machine).transport == "http":
            assert not gone
        else:
            assert timedelta() <= _at(back[0]) - _at(gone[0]) < HARDLY


def _is_listed(several: Several, machine: Machine, token: str) -> None:
    """Who still uses the old token, for programs and people."""
    uid = several.seen(machine).uid
    assert [one.uid for one in several.api.collectors(f"token={token}")] == [uid]
    with Pages(several.server.base_url) as pages:
        assert f"?token={token}" in pages.read("/tokens/")
        page = pages.read(f"/collectors/?token={token}")
    assert [one.uid for one in several.api.collectors() if one.uid in page] == [uid]


def _have_their_own(several: Several, machines: list[Machine]) -> None:
    several.until(
        lambda: all(_is_by_its_own(several, one) for one in machines), "they have their own"
    )
    with Pages(several.server.base_url) as pages:
        for machine in machines:
            page = pages.read(f"/collectors/{several.seen(machine).uid}/")
            assert "in use: it came back by the credential in them" in page


def _falls_back_on_its_file(several: Several, machine: Machine) -> None:
    """A supervisor that starts anew comes by the shared token, is known, and gets another one; the last is over."""
    before = several.seen(machine).token
    machine.restart()
    several.until(lambda: _is_by_its_own(several, machine, but=before), "it has another one")
    assert several.api.get(f"/tokens/{before}/")["state"] == "revoked"


def _is_revoked_alone(several: Several, machine: Machine, other: Machine) -> None:
    """Its connection is closed, it is refused until it starts anew, and nobody else notices."""
    token = several.seen(machine).token
    _revoke(several, token, [machine])
    several.holds(
        lambda: not several.seen(machine).is_connected and several.seen(other).is_connected,
        "it is refused, the other one is not",
        seconds=3,
    )
    with Pages(several.server.base_url) as pages:
        assert "The token is revoked" in pages.read("/tokens/refused/")
    machine.restart()
    several.until(lambda: _is_by_its_own(several, machine, but=token), "it is back")


def _is_over(several: Several, machine: Machine, token: str) -> None:
    """The overlap: who could not be moved loses the server."""
    several.until(lambda: several.api.get(f"/tokens/{token}/")["state"] == "revoked", "it is over")
    several.until(lambda: not several.seen(machine).is_connected, "it is cut off")
    assert several.events(machine, "disconnected")[0]["data"]["reason"] == "The token is revoked."


def _outlive_their_parent(several: Several, machines: list[Machine], token: str) -> None:
    """Who has a credential of its own stays when the shared token is revoked, until its supervisor starts anew."""
    several.api.post(f"/tokens/{token}/revoke/", {"reason": "a test"})
    several.holds(
        lambda: all(several.seen(one).is_connected for one in machines),
        "they stay connected",
        seconds=3,
    )
    first, other = machines
    first.restart()
    several.until(lambda: "401 Unauthorized" in first.last_start, "it is refused")
    several.until(lambda: not several.seen(first).is_connected, "its leaving is stored")
    assert several.seen(other).is_connected


def _is_by_its_own(several: Several, machine: Machine, *, but: str = "") -> bool:
    found = several.seen(machine)
    return found.is_connected and found.credential == "agent" and found.token != but


def _revoke(several: Several, token: str, machines: list[Machine]) -> None:
    """Revoke it; the connections of these end soon after, by the server's own clock."""
    answer = several.api.post(f"/tokens/{token}/revoke/", {"reason": "a test"})
    revoked_at = datetime.fromisoformat(answer["revoked_at"])
    several.until(
        lambda: not any(several.seen(one).is_connected for one in machines), "they are cut off"
    )
    for machine in machines:
        ended = several.events(machine, "disconnected")[0]
        assert ended["data"]["reason"] == "The token is revoked."
        assert _at(ended) - revoked_at < SOON


def _at(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["at"])


@pytest.mark.rule("S8", "K1")
def test_in_every_process_collectors_are_restarted_and_cut_off(ground: Path) -> None:
    """One on the web's port, one on the gateway's: each has processes of its own."""
    port = free_port()
    with ExitStack() as endings:
        compose = endings.enter_context(composed(ground / "server", port))
        compose.profiles = ("gateway",)
        compose.start()
        several = Several(compose, ground, endings)
        fleet = several.api.create_fleet(
            "edge", several.api.publish(several.api.create_configuration("edge"), texts.text(1))
        )
        token, secret = several.token(fleet)
        machines = [
            several.add(port, secret, "0.149.0"),
            several.add(GATEWAY_PORT, secret, "0.158.0"),
        ]
        several.until(lambda: all(one.is_settled(1) for one in several.api.collectors()), "well")
        for machine in machines:
            _is_restarted(several, machine)
        _revoke(several, token, machines)
        for machine in machines:
            several.until(lambda one=machine: "401 Unauthorized" in one.last_start, "refused")  # type: ignore[misc]
            assert machine.collector_pids(), "a collector without a server runs on"


def _is_restarted(several: Several, machine: Machine) -> None:
    before = machine.collector_pids()
    several.api.post(f"/agents/{several.seen(machine).uid}/restart/", {"reason": "a test"})
    several.until(lambda: machine.collector_pids() - before, "another collector runs")
    several.until(lambda: several.seen(machine).is_settled(1), "it is well")
    assert several.events(machine, "restart_sent")
