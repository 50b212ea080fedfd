"""Regular expressions as Go reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.collector.goregex import group_names, regex_fault


@pytest.mark.parametrize(
    "text",
    [
        "",
        r"^(?P<a>\d{4})-(?<b>[a-z]+)$",
        r"[]a]|[^]]|[[:alpha:]]|[\]]",
        r"(?i)a(?:b|c)*?(?s:.)+?(?-m)",
        r"\Qa(b\E\.\pL\x{10FFFF}\z\-\/",
        r"a{2,3}{",
        "é+",
    ],
)
def test_what_go_takes_has_no_fault(text: str) -> None:
    assert regex_fault(text) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(", "never closed"),
        (")", "closes nothing"),
        ("[a", "never closed"),
        ("*a", "nothing to repeat"),
        ("(|+)", "nothing to repeat"),
        ("a\\", "backslash"),
        (r"(a)\1", "references"),
        ("(?=a)", "begin with"),
        ("(?P<a-b>c)", "cannot be called"),
        (r"\q", "no escape"),
    ],
)
def test_what_go_refuses_is_told(text: str, words: str) -> None:
    assert words in regex_fault(text)


def test_groups_are_named_in_order() -> None:
    assert group_names(r"(?P<a>x)(y)(?:z)(?<b>[(])\((?i)") == ["a", "", "b"]


@given(st.text(alphabet="()[]{}?P<>:*+\\aQE|^$", max_size=30))
def test_nothing_makes_it_fail(text: str) -> None:
    regex_fault(text)
    group_names(text)
