"""One client is never taken for two, whatever it loses, repeats or skips; two live ones are found soon."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.trails import Trails
from tests.factories import T0, at

pytestmark = pytest.mark.rule("A2")

HERE, THERE = "192.0.2.1", "192.0.2.2"
addresses = st.sampled_from([HERE, THERE])


@dataclass(frozen=True)
class Said:
    number: int
    address: str = HERE
    after_s: float = 30


def found_after(messages: Iterable[Said]) -> int | None:
    """How many messages it took to see several agents; None: one agent."""
    trails, now = Trails(), T0
    for count, said in enumerate(messages, start=1):
        now += timedelta(seconds=said.after_s)
        trails = Trails.from_json(trails.follow(said.number, said.address, now).as_json())
        if trails.are_several_agents:
            return count
    return None


# ── One client ──

steps = st.one_of(
    st.just("next"),
    st.just("repeat"),
    st.integers(2, 40).map(lambda n: f"skip {n}"),
    st.just("restart"),
)


def one_client(plan: list[tuple[str, str, float]], first: int) -> Iterator[Said]:
    """Counts on, repeats, skips what was lost or tried in vain, and begins anew; addresses may change any time."""
    number = first
    for step, address, after_s in plan:
        what, _, amount = step.partition(" ")
        if what == "restart":
            number = first
        elif what != "repeat":
            number += int(amount or 1)
        yield Said(number, address, after_s)


@settings(deadline=None)
@given(
    plan=st.lists(st.tuples(steps, addresses, st.floats(0, 90)), max_size=60),
    first=st.integers(0, 1),
)
def test_losses_repeats_skips_and_restarts_are_one_client(
    plan: list[tuple[str, str, float]], first: int
) -> None:
    assert found_after(one_client(plan, first)) is None


@settings(deadline=None)
@given(start=st.integers(0, 100), behind=st.lists(st.integers(0, 6), min_size=1, max_size=4))
def test_repeats_that_were_held_up_and_arrive_in_a_burst_are_one_client(
    start: int, behind: list[int]
) -> None:
    """A stopped process lets go of what clients tried again elsewhere, between messages of a busy client."""
    story = [Said(start + n) for n in range(8)]
    for n, late in enumerate(behind):
        story += [Said(start + 7 - late, after_s=0.01), Said(start + 8 + n, after_s=0.01)]
    story += [Said(start + 8 + len(behind) + n) for n in range(5)]
    assert found_after(story) is None


def test_numbers_that_are_each_sent_twice_are_one_client() -> None:
    """The Python client encodes what waits with one number and counts at every try."""
    twice = [Said(number) for number in range(5, 60) for _ in range(2)]
    skipping = [Said(number) for number in range(5, 300, 7) for _ in range(2)]
    assert found_after(twice) is None
    assert found_after(skipping) is None


def test_one_client_behind_two_addresses_in_turn_is_one_client() -> None:
    assert found_after(Said(n, (HERE, THERE)[n % 2]) for n in range(100)) is None


# ── Two clients ──


@settings(deadline=None)
@given(
    first=st.integers(0, 1000),
    apart=st.integers(2, 1000),
    bursts=st.lists(st.integers(1, 12), min_size=16, max_size=16),
    same_address=st.booleans(),
)
def test_two_live_agents_are_found_after_a_few_turns(
    first: int, apart: int, bursts: list[int], same_address: bool
) -> None:
    """Each says one or several messages in a turn: an answer to a question, an apply."""
    numbers = [first, first + apart + sum(bursts)]
    story, ends = [], []
    for turn, length in enumerate(bursts):
        who = turn % 2
        for n in range(length):
            address = HERE if same_address or not who else THERE
            story.append(Said(numbers[who], address, 30 if n == 0 else 0.01))
            numbers[who] += 1
        ends.append(len(story))
    turns = 8 if same_address else 6
    count = found_after(story)
    assert count is not None
    assert count <= ends[turns - 1]


@settings(deadline=None)
@given(first=st.integers(0, 1000), apart=st.integers(0, 1))
def test_two_that_count_in_step_are_found_by_their_addresses(first: int, apart: int) -> None:
    story = [
        said for n in range(12) for said in (Said(first + n, HERE), Said(first + apart + n, THERE))
    ]
    count = found_after(story)
    assert count is not None
    assert count <= 16


@settings(deadline=None)
@given(
    first=st.integers(0, 1000),
    order=st.lists(st.permutations(range(5)), min_size=8, max_size=8),
    apart=st.lists(st.integers(2, 50), min_size=5, max_size=5),
)
def test_a_crowd_with_one_uid_is_found(
    first: int, order: list[list[int]], apart: list[int]
) -> None:
    """A machine image with its identity in it, started five times."""
    numbers = [first + sum(apart[:n]) for n in range(5)]
    story = []
    for turn in order:
        for who in turn:
            story.append(Said(numbers[who], f"192.0.2.{who}", 6))
            numbers[who] += 1
    count = found_after(story)
    assert count is not None
    assert count <= 25


def test_two_that_lose_messages_now_and_then_are_found_in_the_end() -> None:
    numbers = [5, 900]
    story = []
    for turn in range(60):
        numbers[turn % 2] += 2 if turn % 9 == 8 else 1
        story.append(Said(numbers[turn % 2], (HERE, THERE)[turn % 2]))
    assert found_after(story) is not None


def test_once_one_goes_by_another_uid_the_other_is_left_alone() -> None:
    trails, now = Trails(), T0
    for turn in range(5):
        now += timedelta(seconds=30)
        address = (HERE, THERE)[turn % 2]
        trails = trails.follow(5 + turn // 2 + 100 * (turn % 2), address, now)
    assert trails.are_several_agents
    left = trails.without_the_last()
    for number in range(107, 140):
        now += timedelta(seconds=30)
        left = left.follow(number, THERE, now)
        assert not left.are_several_agents


# ── Beside a WebSocket ──


def test_a_websocket_that_is_heard_after_plain_http_was_is_another_agent() -> None:
    trails = Trails().beside(at(0), at(10))
    trails = Trails.from_json(trails.as_json())
    assert not trails.are_several_agents
    assert not trails.beside(at(12), at(40)).are_several_agents  # it was on its way
    assert trails.beside(at(30), at(40)).are_several_agents


def test_a_websocket_that_fell_silent_made_room_for_plain_http() -> None:
    trails = Trails()
    for poll in range(20):
        trails = trails.beside(at(-1), at(30 * poll))
        assert not trails.are_several_agents
