"""Of too much that is unfinished it is never the small and honest that has to go (A5)."""

from functools import partial
from uuid import uuid4

import pytest

from opamp.metrics import Counters
from opamp.unfinished import Unfinished

pytestmark = pytest.mark.rule("A5")

ONE, OTHER = uuid4(), uuid4()


class Held:
    """Messages of 10 bytes at a time; `cut` has those that had to go."""

    def __init__(self, most: int) -> None:
        self.cut: list[str] = []
        self.unfinished = Unfinished(most, Counters())

    def hold(self, who: str, size: int) -> None:
        holder = ONE if who.startswith("one") else OTHER
        self.unfinished.hold(who, size, partial(self.cut.append, who), holder)


def test_of_a_token_that_holds_most_the_oldest_goes() -> None:
    held = Held(100)
    for name in ("other 1", "other 2", "one 1", "one 2", "one 3"):
        held.hold(name, 10 if name.startswith("other") else 30)
    assert held.cut == ["one 1"]
    held.hold("other 1", 40)
    assert held.cut == ["one 1", "one 2"]
    assert held.unfinished.bytes == 80


def test_one_alone_may_be_larger_than_all_together() -> None:
    held = Held(10)
    held.hold("one 1", 100)
    assert held.cut == []
    held.hold("other 1", 1)
    assert held.cut == ["one 1"]


def test_one_that_goes_on_with_another_message_is_younger_than_what_began_before() -> None:
    held = Held(50)
    held.hold("one 1", 20)
    held.hold("one 2", 20)
    held.unfinished.done("one 1")
    held.hold("one 1", 20)
    held.hold("one 3", 20)
    assert held.cut == ["one 2"]


def test_nothing_is_left_of_what_is_done() -> None:
    held = Held(50)
    held.hold("one 1", 20)
    held.hold("one 1", 35)
    held.unfinished.done("one 1")
    held.unfinished.done("one 1")
    assert held.unfinished.bytes == 0
    held.hold("other 1", 50)
    assert held.cut == []
