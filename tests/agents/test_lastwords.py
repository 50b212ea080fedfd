"""What a supervisor quotes of its collector's log is cut down to what says why."""

import json

import pytest

from agents.lastwords import gist_of, own_words

HEAD = (
    "Agent exited unexpectedly with exit code 1 while applying configuration\nCollector log tail:"
)
LAST = 'Error: cannot start pipelines: failed to start "otlp" receiver: listen tcp :4317: bind: address already in use'


def entry(level: str, msg: str, **fields: str) -> str:
    resource = {"host.name": "web-1", "service.instance.id": "01a21bf7-0535-77a5-9bd0-9de37fecb8a9"}
    return json.dumps({"level": level, "msg": msg, "resource": resource, **fields})


JSON = (
    entry("warn", '"hostmetrics" alias is deprecated'),
    entry("info", "Everything is ready"),
    entry("error", "Failed to start component", error="bind: address already in use"),
    entry("info", "Shutdown complete."),
)
COLUMNS = tuple(
    f"2026-11-27T07:55:03.089Z\t{level}\tgraph/graph.go:454\t{msg}\t{{}}"
    for level, msg in (("info", "Starting"), ("error", "Failed"), ("info", "Shutdown complete."))
)


@pytest.mark.parametrize("log", [JSON, COLUMNS], ids=["json", "columns"])
def test_what_the_collector_prints_beside_its_log_is_its_last_word(log: tuple[str, ...]) -> None:
    assert gist_of("\n".join([HEAD, *log, LAST])) == f"{HEAD}\n{LAST}"


def test_without_it_the_errors_of_the_log_are_left() -> None:
    assert gist_of("\n".join([HEAD, *JSON])) == (
        f"{HEAD}\nFailed to start component: bind: address already in use"
    )
    assert gist_of("\n".join([HEAD, *COLUMNS])) == f"{HEAD}\n{COLUMNS[1]}"


def test_several_lines_stay_in_order() -> None:
    lines = ("'exporters' unknown type: \"nosuch\"", "", "goroutine 1 [running]:", "main.main()")
    kept = [one for one in lines if one]
    assert gist_of("\n".join([HEAD, JSON[1], *lines])) == "\n".join([HEAD, *kept])


def test_a_first_line_that_was_cut_in_the_middle_says_nothing() -> None:
    assert gist_of("\n".join([HEAD, JSON[1][40:], *JSON, LAST])) == f"{HEAD}\n{LAST}"


@pytest.mark.parametrize(
    "error",
    [
        "",
        "timeout",
        "Agent exited unexpectedly with exit code 1 while applying configuration",
        HEAD,
        f"{HEAD}\n{JSON[1]}",
        f"{HEAD}\n[1, 2]}}",
    ],
)
def test_where_nothing_stands_out_the_text_stays(error: str) -> None:
    assert gist_of(error) == error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("\n".join([HEAD, *JSON, LAST]), LAST),
        ("timeout", "timeout"),
        (HEAD, HEAD),
    ],
)
def test_where_there_is_one_line_the_collectors_own_words_are_told(error: str, words: str) -> None:
    assert own_words(error) == words
