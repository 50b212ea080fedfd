"""Addresses of filtered and sorted lists."""

from django.template import Context
from django.test import RequestFactory

from telflo.ui.templatetags.ui import filter_off, query, sort_th


def _context(address: str) -> Context:
    return Context({"request": RequestFactory().get(address)})


def test_one_parameter_changes_and_the_others_stay() -> None:
    assert (
        query(_context("/?fleet=edge&status=stale"), status="failed") == "?fleet=edge&status=failed"
    )


def test_the_place_in_the_list_ends_with_a_change() -> None:
    assert query(_context("/?page=4&fleet=edge"), sort="name") == "?fleet=edge&sort=name"
    assert query(_context("/?fleet=edge"), page=5) == "?fleet=edge&page=5"


def test_a_filter_is_dropped_whole() -> None:
    context = _context("/?label=a%3D1&label=b%3D2&q=x")
    assert filter_off(context, "label") == "?q=x"


def test_empty_parameters_do_not_travel() -> None:
    assert query(_context("/?q=&fleet=edge"), status=None) == "?fleet=edge"


def test_a_sorted_column_says_so_and_turns_round() -> None:
    first = sort_th(_context("/?sort=name"), "name", "Collector")
    assert 'aria-sort="ascending"' in first
    assert 'href="?sort=-name"' in first
    second = sort_th(_context("/?sort=-name"), "name", "Collector")
    assert 'aria-sort="descending"' in second
    assert 'href="?sort=name"' in second
    assert "aria-sort" not in sort_th(_context("/"), "name", "Collector")


def test_values_in_addresses_are_escaped() -> None:
    assert "<script>" not in sort_th(_context("/?q=<script>"), "name", "Collector")
