"""Times of PostgreSQL as Python has them."""

from datetime import UTC, datetime

import psycopg
import pytest

from agents.models import Agent
from telflo.base.moments import MomentLoader
from tests.factories import make_collector

LOADER = MomentLoader(psycopg.postgres.types["timestamptz"].oid)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b"2026-11-26 09:12:06+00", datetime(2026, 11, 26, 9, 12, 6, tzinfo=UTC)),
        (b"2026-11-26 09:12:06.5+00", datetime(2026, 11, 26, 9, 12, 6, 500_000, tzinfo=UTC)),
        (memoryview(b"0001-01-01 00:00:00.000001+00"), datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_it_was_written(text: bytes, moment: datetime) -> None:
    read = LOADER.load(text)
    assert (read, read.tzinfo) == (moment, UTC)


@pytest.mark.parametrize("text", [b"infinity", b"0044-03-15 12:00:00+00 BC"])
def test_what_is_no_time_of_python_is_refused_with_a_reason(text: bytes) -> None:
    with pytest.raises(psycopg.DataError, match=r"timestamp|date"):
        LOADER.load(text)


@pytest.mark.django_db
def test_times_of_the_database_are_of_utc_whatever_it_is() -> None:
    moment = datetime(2026, 11, 26, 9, 12, 6, 120, tzinfo=UTC)
    agent = make_collector(agent={"first_seen_at": moment})
    read = Agent.objects.get(pk=agent.pk).first_seen_at
    assert (read, read.tzinfo) == (moment, UTC)
