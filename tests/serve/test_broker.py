"""What becomes of worker and beat while the broker is away: they are back as soon as it is."""

import pytest
from kombu import exceptions
from kombu.utils import functional

from telflo.celery import app
from tests.e2e.harness.server import free_port


def test_a_broker_that_was_away_for_long_is_tried_again_within_two_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(functional, "sleep", lambda _seconds: None)
    nobody = app.connection_for_read(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(exceptions.OperationalError):
        nobody.ensure_connection(lambda _error, pause_s: pauses.append(pause_s), 30)
    assert len(pauses) == 30
    assert min(pauses) > 0
    assert max(pauses) <= 2


def test_a_broker_is_waited_for_however_long_it_is_away() -> None:
    assert app.conf.broker_connection_max_retries is None
