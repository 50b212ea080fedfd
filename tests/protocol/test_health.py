"""Health trees: what came is kept, and read as it was (H1)."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.health import health_to_json
from agents.snapshot import ComponentHealth
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.health import read_health, read_tree, write_tree
from opamp.protocol.limits import Limits

pytestmark = pytest.mark.rule("H1")
SECOND = datetime(2026, 7, 1, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("micros", [0, 1, 120, 999_999, 1_000_000])
def test_the_times_of_components_are_shown_as_python_writes_them(micros: int) -> None:
    moment = SECOND + timedelta(microseconds=micros)
    health = pb.ComponentHealth()
    below = health.component_health_map["extensions"]
    below.start_time_unix_nano = (int(SECOND.timestamp()) * 1_000_000 + micros) * 1000 + 999
    shown = health_to_json(read_health(health, Limits()))["components"]["extensions"]
    assert (shown["started_at"], shown["status_at"]) == (moment.isoformat(), None)


def test_a_tree_is_read_as_it_was_written() -> None:
    leaf = ComponentHealth(
        False, "StatusFatalError", "refused", SECOND, SECOND, {"tries": 3, "at": ["a", {"b": True}]}
    )
    tree = ComponentHealth(True, "StatusOK", components={"b": leaf, "a": ComponentHealth(True)})
    assert read_tree(write_tree(tree)) == tree
    assert read_tree(write_tree(ComponentHealth(False))) == ComponentHealth(False)


def test_what_was_taken_with_wider_limits_can_be_read() -> None:
    attributes = {f"key.{number}": "v" * 20_000 for number in range(600)}
    wide = Limits(attributes=1_000, attribute_length=30_000, tree_bytes=2**24)
    message = pb.ComponentHealth.FromString(
        write_tree(ComponentHealth(True, attributes=attributes))
    )
    assert read_tree(read_health(message, wide).report).attributes == attributes
