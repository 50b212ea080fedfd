"""Every rule with a bad example, its exact place and its quick fix, and a good one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.collector.findings import Edit, applied
from configs.collector.parse import read
from configs.collector.rules.registry import BY_ID, RULES
from configs.collector.validate import EMPTY, SYNTAX
from configs.collector.values import plain, value_of
from tests.configs.rules import advice, components, contributed, listening, reading, wiring
from tests.configs.rules.example import FILE, Example

EXAMPLES: list[Example] = [
    *reading.EXAMPLES,
    *wiring.EXAMPLES,
    *components.EXAMPLES,
    *contributed.EXAMPLES,
    *listening.EXAMPLES,
    *advice.EXAMPLES,
]
OF_SEVERAL_FILES = {"M01"}
"""Rules that one file cannot break; tests of their own are below."""
parametrized = pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)


def test_every_rule_has_a_good_and_a_bad_example_and_an_id_of_its_own() -> None:
    assert {one.rule for one in EXAMPLES} | OF_SEVERAL_FILES == {*BY_ID, SYNTAX, EMPTY}
    assert len(BY_ID) == len(RULES)


def test_every_rule_links_to_documentation() -> None:
    assert all(rule.doc_url.startswith("https://") and rule.title for rule in RULES)


def test_the_documentation_lists_every_rule() -> None:
    rows = (Path(__file__).parents[3] / "docs/validation.md").read_text().splitlines()
    listed = {
        tuple(row.strip("| ").split(" | "))
        for row in rows
        if row[:2] == "| " and row[3:5].isdigit()
    }
    assert {one for one in listed if one[0] not in {SYNTAX, EMPTY}} == {
        (rule.id, rule.severity.value, rule.title) for rule in RULES
    }


@parametrized
def test_a_bad_example_is_found_at_its_place_and_a_good_one_is_not(example: Example) -> None:
    found = example.found(example.text)
    assert found, "the bad example is not found"
    assert all(example.says in one.message for one in found)
    if example.is_error is not None:
        assert [one.severity == "error" for one in found] == [example.is_error] * len(found)
    if "«" in example.bad:
        begin, end = example.bad.index("«"), example.bad.index("»") - 1
        assert (begin, end) in {(one.span.start, one.span.end) for one in found}
    assert not example.found(example.good), "the good example is found"


@parametrized
def test_a_message_ends_with_a_full_stop_and_has_no_braces_left(example: Example) -> None:
    for one in example.found(example.text):
        assert one.message.endswith((".", "?")), one.message
        assert one.message[0].isupper() or one.message[0] in '$"`' or one.message[0].islower()


@parametrized
def test_a_quick_fix_mends_and_leaves_all_else_as_it_was(example: Example) -> None:
    found = example.found(example.text)
    fixes = [one.fix for one in found if one.fix]
    if example.fixed is None:
        assert not fixes
        return
    fixed = applied({FILE: example.text}, fixes[0])[FILE]
    assert fixed == example.fixed
    read(fixed)
    messages = [one.message for one in found]
    left = [one.message for one in example.found(fixed)]
    mended = next(one.message for one in found if one.fix)
    assert left.count(mended) == messages.count(mended) - 1
    assert _outside(example.text, fixes[0].edits)


SWAPS: list[Any] = [
    None,
    True,
    7,
    -1.5,
    "text",
    "",
    "${env:A}",
    [],
    ["a"],
    [None],
    [{}],
    {},
    {"a": 1},
]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(EXAMPLES), st.data())
def test_no_value_makes_a_rule_fail(example: Example, data: st.DataObject) -> None:
    """Whatever stands where something else is expected: validate never raises."""
    value = plain(value_of(read(example.good).root))
    parent, key = data.draw(st.sampled_from(list(places_in(value))))
    parent[key] = data.draw(st.sampled_from(SWAPS))
    example.report(yaml.safe_dump(value))


def places_in(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every map with each of its keys, and every list with each of its numbers."""
    steps: list[Any] = []
    if isinstance(value, dict):
        steps = list(value)
    elif isinstance(value, list):
        steps = list(range(len(value)))
    for step in steps:
        yield value, step
        yield from places_in(value[step])


def _outside(text: str, edits: tuple[Edit, ...]) -> bool:
    """No edit overlaps another one, and all are inside of the text."""
    ordered = sorted(edits, key=lambda one: one.start)
    ends = [0, *(one.end for one in ordered)]
    return all(
        end <= one.start <= one.end <= len(text) for end, one in zip(ends, ordered, strict=False)
    )
