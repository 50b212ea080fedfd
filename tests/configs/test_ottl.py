"""Statements in OTTL: what collectors take is taken, whatever is written ends soon."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.collector.ottl.check import Place, faults
from configs.collector.ottl.fault import OttlError
from configs.collector.ottl.grammar import TooLargeError, condition, statement

GOOD = [
    'set(attributes["a"], "b")',
    'set(attributes["a"]["b"], 1) where attributes["c"] != nil and not (body == "x" or true)',
    'set(attributes["a"], (1 + 2) * -3 / Len(body))',
    'set(attributes["a"], {"a": 1, "b": [1, 2.5, "c", nil, true]})',
    'set(attributes["a"], Split(body, ",")[1])',
    'set(attributes["a"], attributes[Concat(["a", "b"], "")])',
    'replace_pattern(body, "(?i)pass\\\\w+", "$1", SHA256)',
    'replace_pattern(body, "a", "b", function=SHA256, replacement_format="x%s")',
    'merge_maps(attributes, ParseJSON(body), "upsert") where IsMatch(body, "^{")',
    "set(trace_id, TraceID(0x0102030405060708090a0b0c0d0e0f10))",
    'set(cache["a"], 1)',
    "set(severity_number, SEVERITY_NUMBER_INFO)",
    "flatten(attributes, resolve_conflicts=true)",
    "flatten(attributes, resolveConflicts=true)",
    'set(attributes["a"], ParseCSV(body, "a|b", headerDelimiter="|", mode="lazyQuotes"))',
    'set(body, GetXML(body, xPath="/a"))',
    'set(body, GetXML(body, x_path="/a"))',
    'set(body.string, "a")',
    'set(resource.attributes["a"], instrumentation_scope.name)',
]


@pytest.mark.parametrize("text", GOOD)
def test_what_collectors_take_is_taken(text: str) -> None:
    assert list(faults([text], Place("log", "log", version=(0, 158, 0)))) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            'merge_maps(attributes, cache, "replace")',
            "strategy of merge_maps is one of insert, update, upsert",
        ),
        (
            'set(body, ConvertCase(body, "UPPER"))',
            "to_case of ConvertCase is one of lower, upper, snake, camel",
        ),
        (
            'set(body, ParseCSV(body, "a", mode="lazy"))',
            "mode of ParseCSV is one of strict, lazyQuotes, ignoreQuotes",
        ),
        ('set(body, GetXML(body, xpath="/a"))', "GetXML has no parameter xpath"),
        (
            'set(time, Time(body, ""))',
            "format of Time has to be a text in double quotes that is not empty",
        ),
    ],
)
def test_words_and_names_that_collectors_refuse(text: str, words: str) -> None:
    assert list(faults([text], Place("log", "log", version=(0, 158, 0)))) == [(0, words)]


def test_statements_that_belong_together_have_one_context() -> None:
    together = ['set(metric.name, "a")', "set(datapoint.value_int, 1)"]
    assert list(faults(together, Place(signal="metric"))) == []
    assert list(faults(['set(resource.attributes["a"], 1)'], Place(signal="log"))) == []


def test_a_function_that_came_later_is_no_function_before() -> None:
    text = 'set(body, Coalesce([body, "a"]))'
    (found,) = faults([text], Place("log", version=(0, 149, 0)))
    assert found == (0, "there is no function Coalesce before 0.158")
    assert not list(faults([text], Place("log", version=(0, 158, 0))))


def test_routes_have_three_functions_that_act_and_filters_none() -> None:
    texts = ["route()", 'delete_key(attributes, "a")', 'delete_matching_keys(attributes, "a")']
    assert list(faults(texts, Place("resource", is_route=True))) == []
    assert [
        at for at, _ in faults(['set(attributes["a"], 1)'], Place("resource", is_route=True))
    ] == [0]
    assert [at for at, _ in faults(["route()"], Place("resource"))] == [0]


def test_only_the_statements_that_are_wrong_are_named() -> None:
    texts = ['set(body, "a")', "set(body", 'set(body, "a")', 'set(bodi, "a")']
    assert [at for at, _ in faults(texts, Place("log"))] == [1, 3]


@pytest.mark.parametrize("unit", ["(", "[", "{", "not ", "a.", "1+", "f(", "((a", '"a":{', "-"])
def test_hostile_texts_end_soon(unit: str) -> None:
    for text in (unit * 40, f"set(body, {unit * 200}"):
        for read in (statement, condition):
            with suppress(OttlError, TooLargeError):
                read(text)


PIECES = """
( ) [ ] { } , . = + - * / < set Concat IsMatch body log "a" 1 1.5 nil not and or where == true SPAN_KIND_SERVER
0x01 => ' é _ :
"""
WORDS = st.sampled_from([*PIECES.split(), " "])


@settings(deadline=None, max_examples=200)
@given(st.lists(WORDS, max_size=25).map("".join), st.sampled_from(["", "log", "span", "odd"]))
def test_nothing_that_is_written_makes_it_fail(text: str, context: str) -> None:
    for is_condition in (False, True):
        list(faults([text], Place(context, "log", is_condition), [text]))
