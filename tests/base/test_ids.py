"""Ids sort by the time of what they name."""

from datetime import timedelta
from uuid import RFC_4122

from telflo.base.ids import id_at
from tests.factories import T0


def test_ids_of_moments_sort_as_these_do_and_then_as_they_were_made() -> None:
    moments = [T0 + timedelta(microseconds=step) for step in (0, 1, 999, 1_000, 10**9)]
    ids = [id_at(moment) for moment in moments for _ in range(3)]
    assert ids == sorted(ids)
    assert {(one.version, one.variant) for one in ids} == {(7, RFC_4122)}
    assert ids[0].int >> 80 == int(T0.timestamp() * 1_000)
