"""The text diff: right, as people expect it, and bounded."""

import random

import pytest

from configs.textdiff import TextDiff, diff_texts


def patched(before: str, diff: TextDiff) -> list[str]:
    """The text after, made from the text before and the diff."""
    old = before.split("\n")[:-1] if before else []
    result: list[str] = []
    position = 0
    for hunk in diff.hunks:
        start = hunk.old_start - 1 if hunk.old_count else hunk.old_start
        result += old[position:start]
        result += [line.text for line in hunk.lines if line.kind != "delete"]
        position = start + hunk.old_count
    return result + old[position:]


def test_equal_texts_have_no_hunks() -> None:
    diff = diff_texts("a\nb\n", "a\r\nb")
    assert (diff.hunks, diff.added, diff.deleted, diff.as_patch()) == ((), 0, 0, "")


def test_it_reads_like_diff_u() -> None:
    before = "".join(f"{n}\n" for n in range(1, 21))
    after = before.replace("5\n", "five\n", 1).replace("20\n", "20\n21\n")
    assert diff_texts(before, after).as_patch().splitlines() == [
        "@@ -2,7 +2,7 @@",
        " 2",
        " 3",
        " 4",
        "-5",
        "+five",
        " 6",
        " 7",
        " 8",
        "@@ -18,3 +18,4 @@",
        " 18",
        " 19",
        " 20",
        "+21",
    ]


def test_from_and_to_nothing() -> None:
    assert diff_texts("", "a\n").as_patch() == "@@ -0,0 +1,1 @@\n+a\n"
    assert diff_texts("a\n", "").as_patch() == "@@ -1,1 +0,0 @@\n-a\n"


def test_the_shown_text_stands_in_for_the_compared_one() -> None:
    diff = diff_texts("a\nt: 1\n", "a\nt: 2\n", shown_before="a\nt: *\n", shown_after="a\nt: *\n")
    assert diff.as_patch() == "@@ -1,2 +1,2 @@\n a\n-t: *\n+t: *\n"


def test_line_numbers_belong_to_each_side() -> None:
    lines = diff_texts("a\nb\nc\n", "a\nc\nd\n").hunks[0].lines
    assert [(line.kind, line.old, line.new, line.text) for line in lines] == [
        ("context", 1, 1, "a"),
        ("delete", 2, None, "b"),
        ("context", 3, 2, "c"),
        ("add", None, 3, "d"),
    ]


def test_any_two_texts_are_told_apart_rightly() -> None:
    chooser = random.Random(7)
    for _ in range(500):
        before, after = (
            "".join(chooser.choices(["a\n", "b\n", "c\n", "d\n", "\n"], k=chooser.randint(0, 12)))
            for _ in range(2)
        )
        for context in (0, 3):
            diff = diff_texts(before, after, context=context)
            assert patched(before, diff) == (after.split("\n")[:-1] if after else [])


@pytest.mark.parametrize("kind", ["repeated", "shuffled", "different", "edited"])
def test_ten_thousand_lines_are_compared_soon(kind: str) -> None:
    chooser = random.Random(3)
    lines = {
        "repeated": ["x", "y"] * 5000,
        "shuffled": [str(n % 50) for n in range(10_000)],
        "different": [f"a{n}" for n in range(10_000)],
        "edited": [f"a{n % 4000}" for n in range(10_000)],
    }[kind]
    other = [f"{line}!" for line in lines] if kind == "different" else list(lines)
    if kind == "edited":
        other[5000:5010] = ["new"]
    elif kind != "different":
        chooser.shuffle(other)
    before, after = ("\n".join(part) + "\n" for part in (lines, other))
    diff = diff_texts(before, after)
    assert patched(before, diff) == other
    assert diff.is_coarse == (kind in {"repeated", "shuffled"})
