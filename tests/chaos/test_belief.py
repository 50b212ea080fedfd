"""A belief that is not so is named; a number has to cover the last report."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from opamp.simulator.report import Truth
from tests.chaos.belief import Belief, differences, lags, wrongs

UID = UUID(int=1)
TRUTH = Truth(UID, "host", True, 9, "aa", 1, "", "aa", "ee", True, "StatusOK", "", ("aa",))
BELIEF = Belief(UID, True, 8, "aa", 1, "ee", "healthy", "StatusOK", "", UUID(int=2), "aa", False)


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
    behind = BELIEF._replace(desired="bb")
    assert list(lags(TRUTH, behind))
    assert not list(lags(TRUTH, behind._replace(is_quarantined=True)))
    assert list(lags(TRUTH, BELIEF._replace(desired=None)))


def test_all_have_come_back() -> None:
    assert list(lags(replace(TRUTH, connected=False), BELIEF))


def test_what_must_never_be() -> None:
    assert not list(wrongs(TRUTH, {"aa"}))
    assert list(wrongs(TRUTH, {"bb"}))
    assert list(wrongs(replace(TRUTH, runs="bb"), {"aa"}))
    assert list(wrongs(replace(TRUTH, repeated_offers=1), {"aa"}))
