"""A belief that is not so is named; a number has to cover the last report."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from opamp.simulator.report import Settings, Truth
from tests.chaos.belief import Belief, differences, lags, strays, wrongs

UID = UUID(int=1)
HELD = Settings("cc", 5, {"metrics": "http://there/"}, is_acknowledged=True)
TRUTH = Truth(
    uid=UID,
    name="host",
    connected=True,
    number=9,
    remote_hash="aa",
    remote_status=1,
    remote_error="",
    runs="aa",
    effective_sha256="ee",
    healthy=True,
    health="StatusOK",
    health_error="",
    offered=("aa",),
    identifying={"service.version": "1"},
    non_identifying={"rack": "7"},
    components="dd",
    settings=HELD,
)
BELIEF = Belief(
    uid=UID,
    connected=True,
    sequence_num=8,
    remote_hash="aa",
    remote_status=1,
    effective_sha256="ee",
    health="healthy",
    health_status="StatusOK",
    last_error="",
    fleet=UUID(int=2),
    desired="aa",
    is_quarantined=False,
    identifying={"service.version": "1"},
    non_identifying={"rack": "7"},
    components="dd",
    settings="cc",
    interval_s=5,
    acknowledged_settings="cc",
)


def behind(belief: Belief, truth: Truth = TRUTH) -> list[str]:
    """For a fleet that was given what HELD is."""
    return list(lags(truth, belief, HELD.interval_s, HELD.telemetry))


def test_what_is_so_is_believed() -> None:
    assert list(differences(TRUTH, 7, BELIEF)) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("connected", False),
        ("sequence_num", None),
        ("sequence_num", 6),
        ("sequence_num", 10),
        ("remote_hash", "bb"),
        ("remote_status", 3),
        ("effective_sha256", None),
        ("health", "unknown"),
        ("health_status", "StatusStarting"),
        ("last_error", "old"),
        ("identifying", {"service.version": "0"}),
        ("non_identifying", {}),
        ("components", None),
        ("settings", "bb"),
        ("interval_s", 6),
        ("acknowledged_settings", ""),
    ],
)
def test_each_part_that_differs_is_named(field: str, value: Any) -> None:
    assert len(list(differences(TRUTH, 7, BELIEF._replace(**{field: value})))) == 1


def test_an_agent_that_is_not_known_is_named() -> None:
    assert list(differences(TRUTH, 7, None))


def test_an_empty_health_is_unknown() -> None:
    silent = replace(TRUTH, healthy=False, health="")
    assert list(differences(silent, 7, BELIEF))
    assert not list(differences(silent, 7, BELIEF._replace(health="unknown")))


def test_it_follows_its_membership_unless_that_failed_here() -> None:
    assert not behind(BELIEF)
    late = BELIEF._replace(desired="bb")
    assert behind(late)
    assert not behind(late._replace(is_quarantined=True))
    assert behind(BELIEF._replace(desired=None))


def test_what_its_fleet_was_given_last_is_what_it_is_to_run_once_that_has_succeeded() -> None:
    assert not list(strays(BELIEF, "aa"))
    assert list(strays(BELIEF, "bb"))
    assert list(strays(BELIEF._replace(desired=None), "aa"))


def test_it_holds_the_settings_that_its_fleet_was_given() -> None:
    assert behind(BELIEF, replace(TRUTH, settings=HELD._replace(interval_s=6)))
    assert behind(BELIEF, replace(TRUTH, settings=HELD._replace(telemetry={"metrics": ""})))
    off = replace(TRUTH, settings=HELD._replace(telemetry={"metrics": ""}))
    assert not list(lags(off, BELIEF, HELD.interval_s, {}))


def test_settings_that_are_not_acknowledged_are_not_believed_to_be() -> None:
    silent = replace(TRUTH, settings=HELD._replace(is_acknowledged=False))
    assert list(differences(silent, 7, BELIEF))
    assert not list(differences(silent, 7, BELIEF._replace(acknowledged_settings="")))


def test_all_have_come_back() -> None:
    assert behind(BELIEF, replace(TRUTH, connected=False))


def test_what_must_never_be() -> None:
    assert not list(wrongs(TRUTH, {"aa"}))
    assert list(wrongs(TRUTH, {"bb"}))
    assert list(wrongs(replace(TRUTH, runs="bb"), {"aa"}))
    assert list(wrongs(replace(TRUTH, repeated_offers=1), {"aa"}))
    assert list(wrongs(replace(TRUTH, settings=HELD._replace(repeated=1)), {"aa"}))
