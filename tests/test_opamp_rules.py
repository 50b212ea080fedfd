"""docs/opamp.md is held to its word: every rule stands there, is proved by a test, and what it refers to exists.

Markers are read from the source, so that tests which other commands run (e2e, browser) count too.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PAGE = ROOT / "docs" / "opamp.md"

SPECIFICATION = {"T": 10, "M": 9, "C": 4, "R": 6, "H": 2, "D": 2, "S": 8, "P": 5, "K": 2, "A": 5}
"""How many rules each section of the specification has."""
RULES = {f"{letter}{n}" for letter, most in SPECIFICATION.items() for n in range(1, most + 1)}
INVARIANTS = {f"I{n}" for n in range(1, 7)}

_ID = re.compile(r"\b([A-Z])(\d+)(?:-[A-Z]?(\d+))?\b")
_ROW = re.compile(r"^\|(?P<ids>[^|]+)\|(?P<what>[^|]+)\|(?P<where>[^|]+)\|(?P<test>[^|]+)\|$")
_CODE = re.compile(r"`([^`]+)`")
_SAME_FILE = "…"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table of docs/opamp.md."""

    ids: set[str]
    where: str
    test: str


@dataclass(slots=True)
class Source:
    """The tests of one file: for each, by its qualified name, the rules that it is marked with."""

    marks: dict[str, set[str]] = field(default_factory=dict)


def ids_in(text: str) -> set[str]:
    """The rule ids of a text; S1-S7 and S1-7 stand for all of them."""
    found = set()
    for letter, first, last in _ID.findall(text):
        found |= {f"{letter}{n}" for n in range(int(first), int(last or first) + 1)}
    return found


@cache
def rows() -> tuple[Row, ...]:
    """The rows of all tables, without their heads."""
    matches = filter(None, map(_ROW.match, PAGE.read_text().splitlines()))
    found = [Row(ids_in(match["ids"]), match["where"], match["test"]) for match in matches]
    return tuple(row for row in found if row.ids)


def not_implemented() -> set[str]:
    """The ids in bold type under the heading of that name."""
    section = PAGE.read_text().partition("\n## Not implemented\n")[2].partition("\n## ")[0]
    return ids_in(" ".join(re.findall(r"\*\*([^*]+)\*\*", section)))


@cache
def sources() -> dict[str, Source]:
    """All files of tests, by their path below tests/."""
    return {str(path.relative_to(TESTS)): _read(path) for path in TESTS.rglob("test_*.py")}


def _read(path: Path) -> Source:
    tree, source = ast.parse(path.read_text()), Source()
    module = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and _names(node.targets) == ["pytestmark"]:
            module = set(_marks([node.value]))
    _walk(tree.body, "", module, source)
    return source


def _walk(body: Iterable[ast.stmt], prefix: str, inherited: set[str], source: Source) -> None:
    for node in body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        marks = inherited | set(_marks(node.decorator_list))
        if isinstance(node, ast.ClassDef):
            _walk(node.body, f"{prefix}{node.name}::", marks, source)
        elif node.name.startswith("test_"):
            source.marks[f"{prefix}{node.name}"] = marks


def _marks(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The arguments of every pytest.mark.rule(...) in these expressions."""
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.rule":
            yield from (ast.literal_eval(argument) for argument in node.args)


def _names(targets: Iterable[ast.expr]) -> list[str]:
    return [target.id for target in targets if isinstance(target, ast.Name)]


def proved() -> set[str]:
    """Every id that a test is marked with."""
    return set().union(*(marks for source in sources().values() for marks in source.marks.values()))


def references(text: str) -> Iterator[tuple[str, str]]:
    """(file, name) of every test that a text names; "…" is the file before it, "" is the whole file."""
    path = ""
    for code in _CODE.findall(text):
        file, _, name = code.partition("::")
        path = path if file == _SAME_FILE else file
        yield path, name


def marks_of(path: str, name: str) -> list[set[str]]:
    """The marks of each test that a reference stands for: one test, a class, a file, or a folder."""
    if path.endswith("/"):
        inside = [source for file, source in sources().items() if file.startswith(path)]
        return [marks for source in inside for marks in source.marks.values()]
    source = sources().get(path, Source())
    return [
        marks
        for test, marks in source.marks.items()
        if not name or test == name or test.startswith(f"{name}::")
    ]


def test_every_rule_of_the_specification_has_a_row_or_is_said_to_be_missing() -> None:
    told = set().union(*(row.ids for row in rows())) | not_implemented()
    assert RULES - told == set()
    assert told - RULES == set()


def test_no_rule_has_two_rows() -> None:
    times = Counter(rule for row in rows() for rule in row.ids)
    assert [rule for rule, rows_of_it in times.items() if rows_of_it > 1] == []


def test_every_rule_with_a_row_is_proved_by_a_test() -> None:
    implemented = set().union(*(row.ids for row in rows()))
    assert implemented - proved() == set()


def test_markers_name_rules_that_the_page_has() -> None:
    implemented = set().union(*(row.ids for row in rows()))
    assert proved() - implemented - INVARIANTS == set()


def test_tests_reach_a_websocket_by_both_adapters_or_say_by_which() -> None:
    makers = [str(path.relative_to(TESTS)) for path in TESTS.rglob("*.py") if _makes_one(path)]
    assert makers == ["opamp/adapters.py"]


def _makes_one(path: Path) -> bool:
    nodes = ast.walk(ast.parse(path.read_text()))
    calls = (ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call))
    return "OpampConsumer" in calls


def test_the_invariants_are_proved_too() -> None:
    assert INVARIANTS - proved() == set()


@pytest.mark.parametrize("row", rows(), ids=lambda row: ", ".join(sorted(row.ids)))
def test_the_tests_that_a_row_names_exist_and_are_marked_with_its_rules(row: Row) -> None:
    named = list(references(row.test))
    assert named, "the row names no test"
    for path, name in named:
        marks = marks_of(path, name)
        assert marks, f"{path}::{name} does not exist"
        assert row.ids & set().union(*marks), f"{path}::{name} is not marked with {row.ids}"
    together = set().union(*(marks for one in named for marks in marks_of(*one)))
    assert row.ids <= together


@pytest.mark.parametrize("row", rows(), ids=lambda row: ", ".join(sorted(row.ids)))
def test_the_files_that_a_row_names_exist(row: Row) -> None:
    files = [code for code in _CODE.findall(row.where) if "/" in code or code.endswith(".py")]
    missing = [
        file for file in files if not any((base / file).exists() for base in (ROOT / "opamp", ROOT))
    ]
    assert missing == []


def test_what_the_page_says_beside_its_tables_exists() -> None:
    for code in _CODE.findall(PAGE.read_text()):
        if "::" in code and not code.startswith(_SAME_FILE):
            path, _, name = code.partition("::")
            assert marks_of(path, name), f"{code} does not exist"
    for link in re.findall(r"\]\(([^)#:]+)\)", PAGE.read_text()):
        assert (PAGE.parent / link).exists(), f"{link} does not exist"
