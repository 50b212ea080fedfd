"""One word for an agent: decisions 16 and 17, case by case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agents.models import Status
from agents.snapshot import Capability, ComponentHealth, ConfigStatus, Transport
from agents.status import (
    StatusFacts,
    Word,
    derive,
    health_now,
    says_goodbye,
    silence_allowed,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FINE = StatusFacts(
    connected=True,
    last_seen_at=NOW,
    capabilities=int(Capability.ACCEPTS_REMOTE_CONFIG),
    is_managed=True,
    desired_hash="bb",
    attempt_failed=False,
    remote_config_status=ConfigStatus.APPLIED,
    remote_config_hash="bb",
)


def test_the_words_are_those_of_the_model() -> None:
    assert {word.value for word in Word} == set(Status.values)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, "in_sync"),
        ({"drifted": True}, "drifted"),
        ({"remote_config_hash": "aa"}, "pending"),
        ({"remote_config_hash": "", "remote_config_status": ConfigStatus.UNSET}, "pending"),
        ({"remote_config_hash": "aa", "remote_config_status": ConfigStatus.FAILED}, "pending"),
        ({"remote_config_hash": "aa", "remote_config_status": ConfigStatus.APPLYING}, "pending"),
        ({"remote_config_status": ConfigStatus.APPLYING}, "applying"),
        ({"remote_config_status": ConfigStatus.APPLYING, "attempt_failed": True}, "failed"),
        ({"remote_config_status": ConfigStatus.FAILED}, "failed"),
        ({"remote_config_status": ConfigStatus.FAILED, "attempt_failed": True}, "failed"),
        ({"attempt_failed": True}, "failed"),
        ({"attempt_failed": True, "remote_config_hash": "aa"}, "rolled_back"),
        (
            {
                "attempt_failed": True,
                "remote_config_hash": "aa",
                "remote_config_status": ConfigStatus.APPLYING,
            },
            "failed",
        ),
        ({"is_managed": False}, "unmanaged"),
        ({"is_managed": False, "remote_config_status": ConfigStatus.FAILED}, "unmanaged"),
        ({"desired_hash": ""}, "unmanaged"),
        ({"capabilities": int(Capability.REPORTS_STATUS)}, "unmanaged"),
        ({"capabilities": 0}, "in_sync"),
    ],
)
def test_the_word_for_the_configuration(change: dict[str, object], word: str) -> None:
    derived = derive(replace(FINE, **change), NOW)  # type: ignore[arg-type]  # a table of fields
    assert (derived.status, derived.config_status) == (word, word)


def test_a_failure_stays_visible_while_the_agent_is_away() -> None:
    derived = derive(replace(FINE, connected=False, remote_config_status=ConfigStatus.FAILED), NOW)
    assert (derived.status, derived.config_status) == ("disconnected", "failed")


@pytest.mark.parametrize(
    ("away", "word"),
    [
        (timedelta(hours=24) - timedelta(seconds=1), "disconnected"),
        (timedelta(hours=24), "stale"),
    ],
)
def test_an_agent_is_stale_after_a_day_without_a_word(away: timedelta, word: str) -> None:
    gone = replace(FINE, connected=False, last_seen_at=NOW - away)
    assert derive(gone, NOW).status == word


def test_an_agent_that_was_never_seen_is_disconnected() -> None:
    assert derive(replace(FINE, connected=False, last_seen_at=None), NOW).status == "disconnected"


def test_three_intervals_of_silence_are_allowed_and_late_flushes_are_not_silence() -> None:
    interval, lag = timedelta(seconds=30), timedelta(seconds=15)
    assert silence_allowed(Transport.HTTP, interval, flush_lag=lag) == timedelta(seconds=90)
    assert silence_allowed(Transport.WEBSOCKET, interval, flush_lag=lag) == timedelta(seconds=105)


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("in_sync", "healthy"),
        ("failed", "healthy"),
        ("disconnected", "unknown"),
        ("stale", "unknown"),
    ],
)
def test_the_last_known_health_of_an_agent_that_is_cut_off_does_not_count(
    status: str, health: str
) -> None:
    assert health_now("healthy", status) == health


@pytest.mark.parametrize(
    ("health", "transport", "goodbye"),
    [
        (ComponentHealth(False, last_error="Supervisor is shutdown"), Transport.HTTP, True),
        (ComponentHealth(False, last_error="Supervisor is shutdown"), Transport.WEBSOCKET, False),
        (ComponentHealth(False, last_error="exporter is down"), Transport.HTTP, False),
    ],
)
def test_only_plain_http_says_goodbye_by_its_health(
    health: ComponentHealth, transport: Transport, goodbye: bool
) -> None:
    assert says_goodbye(health, transport) is goodbye
