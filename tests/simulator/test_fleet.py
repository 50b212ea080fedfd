"""What a fleet does with what its agents' connections report."""

from typing import Any

from opamp.proto import opamp_pb2 as pb
from opamp.protocol.config_offer import config_message
from opamp.protocol.framing import decode_frame
from opamp.simulator.agent import FULL_STATE
from opamp.simulator.fleet import Fleet
from opamp.simulator.member import Member
from opamp.simulator.plan import Amount, Part, Plan, parts
from tests.simulator.memory import GOOD, offer

OFFERED = config_message(offer(GOOD))


class Queue:
    """A connection over plain HTTP: the first message waits for its answer, the others behind it."""

    def __init__(self) -> None:
        self.said: list[pb.AgentToServer] = []
        self.waiting: list[pb.AgentToServer] = []

    @property
    def is_behind(self) -> bool:
        return bool(self.waiting)

    @property
    def is_accepted(self) -> bool:
        return True

    def send(self, frame: bytes) -> None:
        self.waiting.append(decode_frame(frame))

    def close(self) -> None: ...

    def cut(self) -> None: ...

    def answer(self, fleet: Fleet, member: Member, **fields: Any) -> None:
        self.said.append(self.waiting.pop(0))
        fleet.heard(member, pb.ServerToAgent(**fields).SerializeToString())


def test_over_http_all_questions_for_the_full_state_are_answered_once_as_it_is_in_the_end() -> None:
    plan = Plan(url="ws://nowhere.example/v1/opamp", tokens=["x"], count=1, http=Amount(count=1))
    [part] = parts(plan)
    fleet, link = Fleet(plan), Queue()
    member = Member(Part(0, part.agent, "x", over_http=True), plan.url)
    fleet.opened(member, link)
    assert len(link.waiting) > 2
    link.answer(fleet, member, flags=FULL_STATE)
    link.answer(fleet, member, flags=FULL_STATE, remote_config=OFFERED)
    while link.waiting:
        link.answer(fleet, member)
    whole = [
        one for one in link.said if one.HasField("available_components") and one.HasField("health")
    ]
    named = whole[-1].remote_config_status.last_remote_config_hash
    assert named == OFFERED.config_hash
    asked_for = [one for one in whole if one.available_components.components]
    assert len(asked_for) == 1
    assert link.said[-1] is asked_for[0]
    numbers = [one.sequence_num for one in link.said]
    assert numbers == sorted(set(numbers))
