"""Differences in two columns."""

from configs.sides import side_by_side
from configs.textdiff import diff_texts


def rows(before: str, after: str) -> list[tuple[str, str | None, str | None]]:
    return [
        (
            row.kind,
            row.before.text if row.before else None,
            row.after.text if row.after else None,
        )
        for row in side_by_side(diff_texts(before, after, context=1).hunks)
    ]


def test_a_changed_line_stands_beside_what_became_of_it() -> None:
    assert rows("a\nb\nc\n", "a\nB\nc\n") == [
        ("hunk", None, None),
        ("same", "a", "a"),
        ("changed", "b", "B"),
        ("same", "c", "c"),
    ]


def test_what_has_no_counterpart_stands_alone() -> None:
    assert rows("a\nb\nc\n", "a\nx\ny\nz\nc\n")[2:5] == [
        ("changed", "b", "x"),
        ("add", None, "y"),
        ("add", None, "z"),
    ]
    assert rows("a\nb\n", "a\n")[-1] == ("del", "b", None)


def test_each_column_counts_its_own_lines() -> None:
    found = list(side_by_side(diff_texts("a\nb\n", "x\na\nb\n").hunks))
    numbers = [(row.before and row.before.old, row.after and row.after.new) for row in found[1:]]
    assert numbers == [(None, 1), (1, 2), (2, 3)]
