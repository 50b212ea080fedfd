"""Hostile input, a little of it: only what the rules name may come of it, for bounded work and bounded memory (M7, M8, A5)."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from channels.layers import InMemoryChannelLayer
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.snapshot import AgentSnapshot, Transport
from opamp.gateway import Gateway
from opamp.proto.opamp_pb2 import AgentToServer, ServerErrorResponseType
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.framing import decode_frame
from opamp.protocol.session import AgentSession
from tests.fuzz import __main__ as fuzzing
from tests.fuzz import inputs, longest, targets
from tests.fuzz.extremes import FLOODS, extremes
from tests.fuzz.measuring import peak_of, size_of, work_of
from tests.opamp.adapters import Adapter
from tests.opamp.fakes import MemoryDomain
from tests.protocol.world import LIMITS, START

pytestmark = pytest.mark.rule("M7", "M8", "A5")

ROOT = Path(__file__).parents[2]
MOST_CALLS = 120_000
MOST_BYTES = 18 * 1024 * 1024
SESSION_BYTES = 1024 * 1024
"""Texts of at most 64 KiB characters: status and error of the health, and the error of the configuration."""

seeds = st.integers(0, 2**64 - 1)
a_few = settings(max_examples=60, deadline=None)


@a_few
@given(seed=seeds, transport=st.sampled_from(Transport))
def test_a_session_answers_or_refuses_whatever_comes(seed: int, transport: Transport) -> None:
    rng, target = random.Random(seed), targets.LongSession(transport)
    for _ in range(10):
        target(inputs.make(rng).body)
    assert size_of(target.session) < SESSION_BYTES


@pytest.mark.parametrize("path", longest.texts(), ids=".".join)
def test_no_field_makes_a_session_large_however_long_it_is(path: tuple[str, ...]) -> None:
    target = targets.LongSession(Transport.WEBSOCKET)
    target(longest.with_long_text(path, 8 * 1024 * 1024).SerializeToString())
    assert size_of(target.session) < SESSION_BYTES


@a_few
@given(seed=seeds)
def test_a_posted_body_is_read_or_refused_with_its_status(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(5):
        targets.PostBody(rng)(inputs.make(rng).body)


@a_few
@given(seed=seeds)
def test_frames_values_and_health_trees_are_read_or_refused(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(5):
        targets.framing(inputs.frame(rng))
        targets.attribute(inputs.value(rng))
        targets.health_tree(inputs.health(rng))


@pytest.mark.parametrize("transport", list(Transport))
def test_what_the_recordings_say_is_taken(transport: Transport) -> None:
    """The targets can tell good from bad: else nothing would ever be tried behind the front door."""
    target = targets.LongSession(transport)
    assert Counter(map(target, inputs.RECORDED)) == {"taken": len(inputs.RECORDED)}


@pytest.mark.parametrize("name", list(extremes()))
def test_an_extreme_message_costs_bounded_work_and_leaves_little(name: str) -> None:
    try:
        message = decode_frame(b"\x00" + inputs.head(1) + extremes()[name])
    except MalformedMessage:
        return
    session = AgentSession(AgentSnapshot(targets.AGENT, 1), LIMITS)
    work = work_of(lambda: session.receive(message, START))
    assert work.calls < MOST_CALLS
    assert work.peak_bytes < MOST_BYTES
    assert size_of(session) < SESSION_BYTES


@pytest.mark.parametrize("name", list(FLOODS))
def test_what_many_small_parts_would_take_is_seen_and_not_taken(name: str) -> None:
    body = FLOODS[name](inputs.UID, 1_000_000)
    if name != "the same message again":
        assert peak_of(lambda: AgentToServer.FromString(body)) > 16 * 1024 * 1024
    assert peak_of(lambda: targets.framing(b"\x00" + body)) < 8 * 1024 * 1024


def test_a_session_does_not_grow_with_its_messages() -> None:
    rng, target = random.Random(7), targets.LongSession(Transport.WEBSOCKET)
    sizes = []
    for _ in range(3):
        for _ in range(600):
            target(inputs.make(rng).body)
        target(inputs.RECORDED[0])
        sizes.append(size_of(target.session))
    assert max(sizes) < min(sizes) + SESSION_BYTES / 4


async def test_every_hostile_message_on_a_connection_gets_one_answer(adapter: Adapter) -> None:
    """Through each adapter and the gateway: the connection stays, and no fault of ours is hidden behind an answer."""
    domain = MemoryDomain()
    gateway = Gateway(domain, InMemoryChannelLayer)
    wire, rng = adapter.connect(gateway), random.Random(11)
    await wire.next()
    for _ in range(300):
        wire.feed(b"\x00" + inputs.make(rng).body)
        error = (await wire.reply()).error_response
        assert error.type != ServerErrorResponseType.ServerErrorResponseType_Unavailable
        assert "could not process" not in error.error_message
    await wire.nothing_more()
    wire.hang_up()
    await wire.over()
    await gateway.stop()


class Costly:
    """Takes its time when it is done first, and none after that."""

    def __init__(self) -> None:
        self._cost_s = 1.2 * fuzzing.MOST_S

    def __call__(self) -> str:
        until_s, self._cost_s = time.thread_time() + self._cost_s, 0.0
        while time.thread_time() < until_s:
            pass
        return "taken"


def test_what_costs_much_at_its_first_coming_alone_is_seen_and_what_was_slow_once_is_not() -> None:
    assert fuzzing.timed(Costly(), Costly)[1] > fuzzing.MOST_S
    assert fuzzing.timed(Costly(), lambda: lambda: "taken")[1] < fuzzing.MOST_S


def test_a_slow_input_is_tried_again_by_sessions_that_heard_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fuzzing, "MOST_S", -1.0)
    heard: list[targets.LongSession] = []

    def hear(self: targets.LongSession, _body: bytes) -> str:
        heard.append(self)
        return "taken"

    monkeypatch.setattr(targets.LongSession, "__call__", hear)
    fuzzer = fuzzing.Fuzzer(seed=1)
    for number in range(20):
        heard.clear()
        fuzzer.run(iter([number]))
        assert len({id(session) for session in heard}) == len(heard)
        assert not [session for session in heard[1:] if session in fuzzer.sessions]
    assert fuzzer.tally.results["WebSocket", "taken"] > 1


def test_the_command_runs_by_itself() -> None:
    """As `make fuzz` starts it; how fast messages are is not judged here."""
    little = ["--inputs", "300", "--floods", "1"]
    command = [sys.executable, "-m", "tests.fuzz", *little, "--seed", "3"]
    alone = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, env=alone, timeout=120
    )
    assert "300 inputs in" in done.stdout, done.stderr
    assert "findings: 0" in done.stdout
