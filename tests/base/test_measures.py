"""Values that are counted: cheap, and JSON."""

import json

from telflo.base.measures import Histogram, buckets, by_label, families, sample, total


def test_a_bound_belongs_to_the_bucket_below_it() -> None:
    histogram = Histogram((1, 5))
    for size in (0.5, 1, 3, 5, 9):
        histogram.observe(size)
    value = json.loads(json.dumps(histogram.value()))
    assert value == {"bounds": [1, 5], "counts": [2, 2, 1], "sum": 18.5}
    assert buckets(value) == [("1", 2), ("5", 4), ("+Inf", 5)]


def test_only_numbers_add_up() -> None:
    numbers = {"a": [sample(2, kind="x"), sample(3, kind="y"), sample({"sum": 9})]}
    assert total(numbers, "a") == 5
    assert total(numbers, "b") == 0


def test_counts_become_samples_in_order() -> None:
    assert by_label("reason", {"revoked": 1, "missing": 2}) == [
        [{"reason": "missing"}, 2],
        [{"reason": "revoked"}, 1],
    ]


def test_families_carry_their_prefix() -> None:
    [gauge, counter] = families("x_", gauges={"a": "A."}, counters={"b": "B."})
    assert (gauge.name, gauge.kind, gauge.help) == ("x_a", "gauge", "A.")
    assert (counter.name, counter.kind) == ("x_b", "counter")
