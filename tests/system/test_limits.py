"""The limits in force: all that can be set and all that is counted, in one table of the code, on a page and in the API."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as known
from django.test import Client

from telflo.base.access import Role
from telflo.system.limits import GROUPS
from telflo.system.limits_met import LimitRow, limits_in_force
from telflo.system.state import processes_now
from tests.factories import make_person
from tests.system.rows import make_process

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
PORTS = {"PORT", "TELFLO_OPAMP_PORT"}
"""Numbers, but no limits: the Server page has the addresses."""


def rows() -> list[LimitRow]:
    return [row for _, found in limits_in_force(processes_now()) for row in found]


def page() -> str:
    client = Client()
    client.force_login(make_person(role=Role.VIEWER))
    return str(client.get("/settings/limits/").content.decode())


def numbers_of_the_settings() -> Iterator[tuple[str, str]]:
    """Each number that the settings read: its variable, and the name of the setting."""
    files = [ROOT / "telflo" / name for name in ("settings.py", "opamp_settings.py")]
    for node in chain.from_iterable(ast.parse(file.read_text()).body for file in files):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        for call in ast.walk(node.value):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "env.integer":
                variable = ast.literal_eval(call.args[0])
                yield variable, node.targets[0].id


def listed_in_the_documentation() -> Iterator[tuple[set[str], set[str]]]:
    """Of each row of operations.md that can be set: its variables, and the names of its counter."""
    text = (ROOT / "docs" / "operations.md").read_text()
    _, _, table = text.partition("| what | limit | to change")
    for line in table.partition("\n\n")[0].splitlines():
        *_, change, _over, counters, _ = line.split("|")
        first = re.findall(r"`(TELFLO_[A-Z_]+)`", change)
        if first:
            short = re.findall(r"`…(_[A-Z_]+)`", change)
            names = {*first, *(f"TELFLO_OPAMP{name}" for name in short)}
            yield names, set(re.findall(r"`([a-z_]+)`", counters))


def test_every_number_that_can_be_set_is_listed_with_its_setting() -> None:
    listed = {
        (value.variable, value.setting)
        for group in GROUPS
        for limit in group.limits
        for value in limit.values
    }
    assert len(listed) > 40
    assert listed == {pair for pair in numbers_of_the_settings() if pair[0] not in PORTS}


def test_every_row_of_the_documentation_is_a_row_here() -> None:
    here = {
        frozenset(value.variable for value in limit.values): set(limit.counters)
        for group in GROUPS
        for limit in group.limits
    }
    documented = list(listed_in_the_documentation())
    assert len(documented) > 30
    for variables, counters in documented:
        assert here[frozenset(variables)] == counters, variables


def test_every_counter_that_the_documentation_names_is_listed() -> None:
    text = (ROOT / "docs" / "operations.md").read_text().partition("\n## Limits\n")[2]
    prose = text.partition("Other values of `limit`:")[2].partition("| what |")[0]
    others = set(re.findall(r"`([a-z_]+)`", prose))
    assert {"away", "send_bytes", "hash"} <= others
    counted = {name for group in GROUPS for limit in group.limits for name in limit.counters}
    assert others <= counted


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("OPAMP_MESSAGE_BYTES", 24 * 1024 * 1024, "24 MiB"),
        ("OPAMP_HEADER_BYTES", 12 * 1024, "12 KiB"),
        ("OPAMP_TOKEN_BURST_BYTES", 2 * 1024**3, "2 GiB"),
        ("OPAMP_CONNECTIONS", 12_345, "12,345"),
        ("OPAMP_MESSAGES_PER_S", 7, "7 a second"),
        ("OPAMP_TOKEN_BYTES_PER_S", 3 * 1024 * 1024, "3 MiB a second"),
        ("ENROLMENTS_PER_MINUTE", 42, "42 a minute"),
        ("OPAMP_BUFFER_SHARE_PERCENT", 33, "33 %"),
        ("OPAMP_PING_S", 45, "45 s"),
        ("STALE_AFTER", timedelta(hours=36), "36 h"),
        ("FORGET_AFTER", timedelta(0), "never"),
    ],
)
def test_what_is_in_force_is_said_in_words(
    settings: Any, setting: str, value: Any, words: str
) -> None:
    setattr(settings, setting, value)
    found = {shown.setting: shown.words for row in rows() for shown in row.limit.values}
    assert found[setting] == words


def test_no_two_values_are_said_without_telling_them_apart() -> None:
    for group in GROUPS:
        for limit in group.limits:
            assert len({value.name for value in limit.values}) == len(limit.values), limit.what


class TestWhoMetThem:
    def test_all_processes_are_added_up_and_named(self) -> None:
        for pid, count in ((1, 3), (2, 1_200), (3, 0)):
            process = make_process(kind="web", pid=pid)
            process.numbers = {"telflo_opamp_limits_hit": [[{"limit": "attributes"}, count]]}
            process.save()
        [row] = [row for row in rows() if "attributes" in row.limit.counters]
        assert row.met == 1_203
        assert row.by_process == [("box:2", 1_200), ("box:1", 3)]
        html = page()
        assert "1,203" in html
        assert "box:2" in html

    def test_a_limit_that_nothing_counts_says_no_number(self) -> None:
        uncounted = {row.limit.values[0].setting for row in rows() if row.met is None}
        assert "STALE_AFTER" in uncounted
        assert "OPAMP_PING_S" not in uncounted

    def test_a_counter_that_is_not_known_here_is_shown_all_the_same(self) -> None:
        row = make_process(kind="gateway")
        row.numbers = {"telflo_opamp_limits_hit": [[{"limit": "of_tomorrow"}, 5]]}
        row.save()
        assert ("of_tomorrow", 5) in [(row.limit.what, row.met) for row in rows()]
        assert "of_tomorrow" in page()


def test_the_page_has_each_variable_and_no_secret(settings: Any) -> None:
    settings.METRICS_TOKEN = "s3cret"
    html = page()
    for variable, _ in numbers_of_the_settings():
        assert (f">{variable}<" in html) is (variable not in PORTS)
    assert "s3cret" not in html
    assert known.SECRET_KEY not in html


def test_the_call_says_the_same() -> None:
    row = make_process(kind="web")
    row.numbers = {"telflo_opamp_limits_hit": [[{"limit": "buffer"}, 4]]}
    row.save()
    client = Client()
    client.force_login(make_person(role=Role.VIEWER))
    limits = client.get("/api/v1/system/").json()["limits"]
    assert len(limits) == len(rows())
    [buffer] = [limit for limit in limits if "buffer" in limit["counters"]]
    assert buffer["met"] == 4
    assert buffer["by_process"] == [{"process": "box:1", "count": 4}]
    assert [(value["variable"], value["value"], value["unit"]) for value in buffer["values"]] == [
        ("TELFLO_OPAMP_BUFFER_ROWS", known.OPAMP_BUFFER_ROWS, "count"),
        ("TELFLO_OPAMP_BUFFER_MIB", known.OPAMP_BUFFER_BYTES, "bytes"),
    ]


@pytest.mark.parametrize("processes", [0, 12])
def test_the_number_of_queries_is_fixed(processes: int, django_assert_max_num_queries: Any) -> None:
    client = Client()
    client.force_login(make_person(role=Role.VIEWER))
    client.get("/settings/limits/")
    for pid in range(processes):
        make_process(kind="web", pid=pid)
    # session, person, two counts of the navigation, SELECT 1, size on PostgreSQL, rows
    with django_assert_max_num_queries(7):
        client.get("/settings/limits/")
