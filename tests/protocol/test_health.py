"""Health trees as they are stored (H1)."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.health import health_to_json
from opamp.proto.opamp_pb2 import ComponentHealth
from opamp.protocol.health import read_health
from opamp.protocol.limits import Limits

pytestmark = pytest.mark.rule("H1")
SECOND = datetime(2026, 7, 1, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("micros", [0, 1, 120, 999_999, 1_000_000])
def test_the_times_of_components_are_stored_as_python_writes_them(micros: int) -> None:
    moment = SECOND + timedelta(microseconds=micros)
    health = ComponentHealth()
    below = health.component_health_map["extensions"]
    below.start_time_unix_nano = (int(SECOND.timestamp()) * 1_000_000 + micros) * 1000 + 999
    stored = health_to_json(read_health(health, Limits()))["components"]["extensions"]
    assert (stored["started_at"], stored["status_at"]) == (moment.isoformat(), None)
