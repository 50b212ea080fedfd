"""Expressions of log operators, as expr-lang reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.collector.expressions import expression_fault


@pytest.mark.parametrize(
    "text",
    [
        r'body matches "^\\d{4}"',
        r"body matches `^\d{4}`",
        r'body == "\n\t\r\a\b\f\v\\\""',
        r"body == '\''",
        r'body == "\x41\u00e9\101\U0001F600"',
        'body == "a" // "\\d" is no text',
        'body == "a" /* and */',
        r"body == '`\\d`' or body == `\"\d\"`",
    ],
)
def test_an_expression_that_collectors_take(text: str) -> None:
    assert expression_fault(text) == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (r'body matches "^\d{4}"', r"write \\d"),
        (r"body matches '^a\.b'", r"write \\."),
        (r'body == "\'"', "escape"),
        (r"body == '\"'", "escape"),
        (r'body == "\x4"', "escape"),
        (r'body == "\u00"', "escape"),
        (r'body == "\8"', "escape"),
        (r'body == "\0"', "escape"),
        (r'body == "a\"', "never closed"),
        ("body == /* a */", "too early"),
        ("(body == 'a'", "never closed"),
        ("body == 'a')", "closes nothing"),
    ],
)
def test_one_that_they_refuse(text: str, says: str) -> None:
    assert says in expression_fault(text)


@given(st.text(alphabet="\\\"'`/*dx0 (body)=\n", max_size=30))
def test_nothing_makes_it_fail(text: str) -> None:
    assert isinstance(expression_fault(text), str)
