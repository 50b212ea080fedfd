"""PURE. What the server believes of an agent against what is so, and whether it has what its fleet was given."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from opamp.simulator.report import Truth

_WORDS: Final = {True: "healthy", False: "unhealthy"}
_UNKNOWN: Final = "unknown"


class Belief(NamedTuple):
    """An agent's row, its membership, and whether what it should run failed on it before."""

    uid: UUID
    connected: bool
    sequence_num: int | None
    remote_hash: str
    remote_status: int
    effective_sha256: str | None
    health: str
    health_status: str | None
    last_error: str
    fleet: UUID
    desired: str | None
    is_quarantined: bool
    identifying: Mapping[str, Any]
    non_identifying: Mapping[str, Any]
    components: str | None
    settings: str | None
    interval_s: int | None
    acknowledged_settings: str


def differences(truth: Truth, number: int, belief: Belief | None) -> Iterator[str]:
    """What is believed and not so. number: of the agent's last message that said something: the row has to cover it.

    Mere heartbeats may wait for 15 s, so the stored number may be that of any message since.
    """
    if belief is None:
        yield "the server does not know it"
        return
    for what, is_so, believed in (
        ("connected", truth.connected, belief.connected),
        ("remote configuration", truth.remote_hash, belief.remote_hash),
        ("status", truth.remote_status, belief.remote_status),
        ("effective configuration", truth.effective_sha256, belief.effective_sha256),
        ("description", truth.identifying, belief.identifying),
        ("description", truth.non_identifying, belief.non_identifying),
        ("components", truth.components, belief.components),
        ("connection settings", truth.settings.hash, belief.settings or ""),
        ("interval", truth.settings.interval_s, belief.interval_s or 0),
        ("acknowledged settings", _acknowledged(truth), belief.acknowledged_settings),
    ):
        if is_so != believed:
            yield f"{what}: is {is_so!r}, believed {believed!r}"
    yield from _differences_of_health(truth, belief)
    stored = belief.sequence_num
    if stored is None or not number <= stored <= truth.number:
        yield f"number: is {truth.number}, the last report has {number}, stored is {stored}"


def _acknowledged(truth: Truth) -> str:
    return truth.settings.hash if truth.settings.is_acknowledged else ""


def _differences_of_health(truth: Truth, belief: Belief) -> Iterator[str]:
    if not (truth.healthy or truth.health or truth.health_error):
        if belief.health != _UNKNOWN:
            yield f"health: it says nothing of it, believed {belief.health}"
        return
    is_so = (_WORDS[truth.healthy], truth.health, truth.health_error)
    believed = (belief.health, belief.health_status or "", belief.last_error)
    if is_so != believed:
        yield f"health: is {is_so}, believed {believed}"


def wrongs(truth: Truth, meant: Collection[str]) -> Iterator[str]:
    """What must never be, whenever one looks. meant: hashes of all versions that its fleet was ever given."""
    if truth.repeated_offers:
        yield "a hash came twice with no other in between"
    if truth.settings.repeated:
        yield f"connection settings {truth.settings.hash[:12]} came twice with no other in between"
    strange = {*truth.offered, truth.runs} - {*meant, ""}
    if strange:
        yield f"it was offered or runs what its fleet was never given: {sorted(strange)}"


def strays(belief: Belief, given: str) -> Iterator[str]:
    """After a rollout that succeeded its version is what everybody should run, also where it failed. given: its hash, as
    whoever gave it knows it.
    """
    if belief.desired != given:
        desired = (belief.desired or "")[:12] or "nothing"
        yield f"its fleet was given {given[:12]}, and it is to run {desired}"


def lags(
    truth: Truth, belief: Belief, interval_s: int, telemetry: Mapping[str, str]
) -> Iterator[str]:
    """What is still to happen: the agent is there, and follows its membership, but for what failed on it.

    interval_s, telemetry: what its fleet was given as connection settings last; 0 and nothing before that.
    """
    held = truth.settings
    if interval_s != held.interval_s:
        yield f"its interval should be {interval_s}, and is {held.interval_s}"
    used = {signal: endpoint for signal, endpoint in held.telemetry.items() if endpoint}
    if telemetry != used:
        yield f"its own telemetry should go to {dict(telemetry)}, and goes to {used}"
    if not truth.connected:
        yield "it has not come back"
    if not belief.desired:
        yield "its membership names nothing that it should run"
    elif belief.desired != truth.remote_hash and not belief.is_quarantined:
        yield f"it should run {belief.desired[:12]} and names {truth.remote_hash[:12] or 'nothing'}"
