"""Two texts that grew out of one, made one again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from configs.merging import Merged, merge

BASE = "a\nb\nc\nd\ne\nf\n"
TEXTS = st.lists(st.sampled_from("abcdefg"), max_size=12).map("\n".join)


def merged(mine: str, theirs: str, base: str = BASE) -> Merged:
    return merge(base, mine, theirs, name="Maria")


def test_changes_at_different_places_are_both_kept() -> None:
    mine, theirs = BASE.replace("b\n", "b1\n"), BASE.replace("e\n", "e1\ne2\n")
    assert merged(mine, theirs) == Merged("a\nb1\nc\nd\ne1\ne2\nf\n", 0)
    assert merged(theirs, mine) == merged(mine, theirs)


def test_lines_that_one_side_took_out_and_the_other_left_alone_are_gone() -> None:
    assert merged(BASE.replace("c\n", ""), BASE + "g\n") == Merged("a\nb\nd\ne\nf\ng\n", 0)


def test_the_same_change_on_both_sides_is_one() -> None:
    both = BASE.replace("c\n", "C\n")
    assert merged(both, both) == Merged(both, 0)


def test_where_both_changed_the_same_place_both_stand_marked() -> None:
    found = merged(BASE.replace("c\n", "mine\n"), BASE.replace("c\n", "theirs\n"))
    assert found.conflicts == 1
    assert found.text == ("a\nb\n<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> Maria\nd\ne\nf\n")


def test_changes_of_neighbouring_lines_are_left_to_a_person() -> None:
    found = merged(BASE.replace("c\n", "C\n"), BASE.replace("d\n", "D\n"))
    assert found.conflicts == 1
    assert "C\nd\n=======\nc\nD\n" in found.text


def test_a_text_out_of_nothing_is_taken_as_it_is() -> None:
    assert merged("", "x\n", base="") == Merged("x\n", 0)
    assert merged("x\n", "", base="") == Merged("x\n", 0)


@settings(deadline=None)
@given(base=TEXTS, other=TEXTS)
def test_who_changed_nothing_takes_the_other_side(base: str, other: str) -> None:
    assert merged(base, other, base) == Merged(other, 0)
    assert merged(other, base, base) == Merged(other, 0)
    assert merged(other, other, base) == Merged(other, 0)


@settings(deadline=None)
@given(base=TEXTS, mine=TEXTS, theirs=TEXTS)
def test_both_sides_agree_on_what_needs_a_person(base: str, mine: str, theirs: str) -> None:
    one, other = merged(mine, theirs, base), merged(theirs, mine, base)
    assert one.conflicts == other.conflicts
    if not one.conflicts:
        assert one.text == other.text
