"""The session's half of the offer rules (R1-R4, decision 1)."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.snapshot import (
    AgentSnapshot,
    Capability,
    ConfigFile,
    ConfigStatus,
    FactKind,
    RemoteConfigReport,
    Transport,
)
from fleets.offer import Offer
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.limits import Limits
from opamp.protocol.outcome import Outcome
from opamp.protocol.session import AgentSession
from tests.protocol.world import FULL_STATE, LIMITS, START

UID = UUID(bytes=bytes(range(16)))
MASK = int(
    Capability.REPORTS_STATUS | Capability.ACCEPTS_REMOTE_CONFIG | Capability.REPORTS_REMOTE_CONFIG
)
A, B, C = "aa" * 32, "bb" * 32, "cc" * 32
APPLIED, APPLYING, FAILED = ConfigStatus.APPLIED, ConfigStatus.APPLYING, ConfigStatus.FAILED


def offer(config_hash: str) -> Offer:
    return Offer(config_hash, (ConfigFile("", b"receivers:"),))


class Talk:
    """An agent in the middle of a session."""

    def __init__(self, *, limits: Limits = LIMITS, **changes: object) -> None:
        fields: dict[str, object] = {
            "instance_uid": UID, "epoch": 1, "sequence_num": 0, "is_new": False,
            "capabilities": MASK, "remote_config": RemoteConfigReport(APPLIED, A), "desired_hash": A,
        }  # fmt: skip
        self.session = AgentSession(AgentSnapshot(**fields | changes), limits)  # type: ignore[arg-type]  # the fields of the dataclass
        self.number = 0

    def say(
        self, status: ConfigStatus | None = None, config_hash: str = "", *,
        full: bool = False, mask: int = MASK,
    ) -> Outcome:  # fmt: skip
        message = self.next_message(status, config_hash, mask=mask)
        if full:
            message.agent_description.SetInParent()
        return self.session.receive(message, START)

    def miss(self, status: ConfigStatus, config_hash: str) -> None:
        self.session.miss(self.next_message(status, config_hash), START)

    def next_message(
        self, status: ConfigStatus | None, config_hash: str, *, mask: int = MASK
    ) -> pb.AgentToServer:
        self.number += 1
        message = pb.AgentToServer(
            instance_uid=UID.bytes, sequence_num=self.number, capabilities=mask
        )
        if status is not None:
            message.remote_config_status.last_remote_config_hash = bytes.fromhex(config_hash)
            message.remote_config_status.status = int(status)  # type: ignore[assignment]  # same numbers
        return message

    def send(self, config_hash: str) -> bool:
        return self.session.make_offer(offer(config_hash), START) is not None


@pytest.mark.rule("R2")
class TestWhenAnOfferIsDue:
    def test_what_the_agent_has_is_not_offered(self) -> None:
        talk = Talk()
        assert not talk.say().offer_due
        assert not talk.send(A)

    def test_a_difference_is_due_with_the_first_message_and_said_once(self) -> None:
        talk = Talk(desired_hash=B)
        assert [talk.say().offer_due for _ in range(3)] == [True, False, False]
        assert talk.session.set_desired(B)  # the reconcile asks again

    def test_a_new_intent_is_due_at_once(self) -> None:
        talk = Talk()
        talk.say()
        assert talk.session.set_desired(B)
        assert talk.session.desired_hash == B
        assert not talk.session.set_desired("")

    @pytest.mark.rule("R1", "M9", "I5")
    def test_nothing_is_offered_without_the_capability_and_it_counts_at_once(self) -> None:
        talk = Talk(desired_hash=B)
        assert not talk.say(mask=1).offer_due
        assert not talk.send(B)
        assert talk.say().offer_due

    def test_nothing_is_offered_while_a_full_state_is_outstanding(self) -> None:
        talk = Talk(desired_hash=B, sequence_num=None)
        asked = talk.say()
        assert (asked.reply.flags, asked.offer_due) == (FULL_STATE, False)
        assert not talk.send(B)
        assert not talk.session.set_desired(B)
        assert talk.say(APPLIED, A, full=True).offer_due

    @pytest.mark.rule("D1")
    def test_nothing_is_offered_to_an_agent_that_has_left(self) -> None:
        talk = Talk(desired_hash=B)
        talk.session.disconnect(START, "closed")
        assert not talk.session.set_desired(B)
        assert not talk.send(B)


@pytest.mark.rule("R2")
class TestNeverTwice:
    def test_a_hash_in_flight_is_not_offered_again_and_another_is(self) -> None:
        talk = Talk(desired_hash=B)
        assert talk.say().offer_due
        assert talk.send(B)
        assert not talk.send(B)
        assert not talk.session.set_desired(B)
        assert talk.session.set_desired(C)
        assert list(talk.session.in_flight) == [B]

    @pytest.mark.parametrize("status", [APPLYING, APPLIED, FAILED])
    def test_an_acknowledged_hash_is_not_offered_again(self, status: ConfigStatus) -> None:
        talk = Talk(desired_hash=B)
        talk.say()
        talk.send(B)
        assert not talk.say(status, B).offer_due
        assert not talk.session.in_flight
        assert not talk.send(B)

    def test_there_and_back_again_works(self) -> None:
        talk = Talk(desired_hash=B)
        talk.say()
        assert talk.send(B)
        talk.say(APPLIED, B)
        assert talk.session.set_desired(A)
        assert talk.send(A)
        talk.say(APPLIED, A)
        assert talk.session.set_desired(B)
        assert talk.send(B)

    def test_after_a_rollback_the_claim_decides_and_heartbeats_do_not_ask_again(self) -> None:
        """FAILED(B), then APPLIED(A): B is quarantined, so the claim is not granted."""
        talk = Talk(desired_hash=B)
        talk.say()
        talk.send(B)
        assert not talk.say(FAILED, B).offer_due
        assert talk.say(APPLIED, A).offer_due
        assert not any(talk.say().offer_due for _ in range(5))

    @settings(max_examples=150, deadline=None)
    @given(
        steps=st.lists(
            st.tuples(st.sampled_from(["want", "send", "say"]), st.sampled_from([A, B, C])),
            max_size=40,
        )
    )
    def test_the_same_hash_is_never_sent_twice_with_no_other_acknowledged_in_between(
        self, steps: list[tuple[str, str]]
    ) -> None:
        talk = Talk()
        talk.say()
        sent: dict[str, bool] = {}  # hash -> another hash was acknowledged since
        for what, config_hash in steps:
            if what == "want":
                talk.session.set_desired(config_hash)
            elif what == "say":
                talk.say(APPLIED, config_hash)
                sent = {one: free or one != config_hash for one, free in sent.items()}
            elif talk.send(config_hash):
                assert sent.get(config_hash, True)
                sent[config_hash] = False


@pytest.mark.rule("R2", "I4")
class TestOffersOfEarlierSessions:
    def test_an_unanswered_one_is_cleared_up_by_a_full_state(self) -> None:
        talk = Talk(desired_hash=B, in_flight_hash=B)
        asked = talk.say()
        assert (asked.reply.flags, asked.offer_due) == (FULL_STATE, False)
        lost = talk.say(APPLIED, A, full=True)
        assert lost.offer_due
        assert lost.patch is not None
        assert lost.patch.facts[-1].remote_config == RemoteConfigReport(APPLIED, A)
        assert talk.send(B)

    def test_one_that_is_answered_at_once_needs_no_question(self) -> None:
        talk = Talk(desired_hash=B, in_flight_hash=B)
        outcome = talk.say(APPLYING, B)
        assert (outcome.reply.flags, outcome.offer_due) == (0, False)

    def test_a_full_state_of_the_session_that_offered_proves_nothing(self) -> None:
        talk = Talk(desired_hash=B)
        talk.say()
        talk.send(B)
        talk.number += 5  # a gap
        assert talk.say().reply.flags == FULL_STATE
        assert not talk.say(APPLIED, A, full=True).offer_due
        assert not talk.send(B)

    @pytest.mark.rule("A3")
    def test_an_answer_in_a_refused_message_is_told_with_the_next_one(self) -> None:
        talk = Talk(desired_hash=B)
        talk.say()
        talk.send(B)
        for status, config_hash in ((APPLYING, B), (FAILED, B), (APPLIED, A)):
            talk.miss(status, config_hash)
        told = talk.say().patch
        assert told is not None
        assert [fact.remote_config for fact in told.facts] == [RemoteConfigReport(FAILED, B)]
        assert told.remote_config == RemoteConfigReport(FAILED, B)
        assert not talk.session.in_flight
        after = talk.say(APPLIED, A, full=True).patch
        assert after is not None
        assert after.remote_config == RemoteConfigReport(APPLIED, A)

    @pytest.mark.rule("A3", "D1")
    def test_an_answer_in_a_refused_message_is_told_when_the_agent_hangs_up(self) -> None:
        talk = Talk(desired_hash=B)
        talk.say()
        talk.send(B)
        talk.miss(FAILED, B)
        told = talk.session.disconnect(START, "closed")
        kinds = [FactKind.REMOTE_CONFIG, FactKind.DISCONNECTED]
        assert [fact.kind for fact in told.facts] == kinds
        assert told.remote_config == RemoteConfigReport(FAILED, B)

    def test_an_agent_that_reports_no_hash_cannot_show_that_an_offer_was_lost(self) -> None:
        mask = MASK & ~int(Capability.REPORTS_REMOTE_CONFIG)
        talk = Talk(desired_hash=B, in_flight_hash=B, remote_config=None, capabilities=mask)
        assert talk.say(mask=mask).reply.flags == 0
        talk.number = -1
        assert not talk.say(full=True, mask=mask).offer_due


class TestTheOffer:
    @pytest.mark.rule("R3", "R4")
    def test_it_carries_files_and_hash(self) -> None:
        talk = Talk(desired_hash=B)
        talk.say()
        message = talk.session.make_offer(offer(B), START)
        assert message is not None
        assert message.instance_uid == UID.bytes
        assert message.remote_config.config_hash.hex() == B
        assert message.remote_config.config.config_map[""].body == b"receivers:"

    @pytest.mark.rule("R1")
    def test_over_http_it_joins_the_reply(self) -> None:
        talk = Talk(desired_hash=B, transport=Transport.HTTP)
        outcome = talk.say()
        message = talk.session.make_offer(offer(B), START)
        assert message is not None
        outcome.reply.MergeFrom(message)
        assert outcome.reply.capabilities == 0x27
        assert outcome.reply.remote_config.config_hash.hex() == B

    @pytest.mark.rule("T4")
    def test_one_over_the_send_limit_is_not_sent_and_not_in_flight(self) -> None:
        talk = Talk(desired_hash=B, limits=Limits(send_bytes=50))
        talk.say()
        assert not talk.send(B)
        assert not talk.session.in_flight

    @pytest.mark.rule("R3", "R4")
    @pytest.mark.parametrize(
        ("config_hash", "names", "problem"),
        [("", [""], "hash"), (B, [], "empty map"), (B, ["x", "x"], "same name")],
    )
    def test_an_impossible_one_is_an_error_of_ours(
        self, config_hash: str, names: list[str], problem: str
    ) -> None:
        files = tuple(ConfigFile(name, b"") for name in names)
        with pytest.raises(ValueError, match=problem):
            Talk().session.make_offer(Offer(config_hash, files), START)


def over_http(number: int, *, stored: int | None = 4, offered: str = B) -> Outcome:
    """A poll while an offer of the poll before, whose message had number 4, is unanswered; a full state came lately."""
    known = AgentSnapshot(
        UID, 2, sequence_num=stored, is_new=False, capabilities=MASK, transport=Transport.HTTP,
        full_state_at=START - timedelta(seconds=5),
        remote_config=RemoteConfigReport(APPLIED, A), desired_hash=B, in_flight_hash=offered, seen_at=START,
    )  # fmt: skip
    message = pb.AgentToServer(instance_uid=UID.bytes, sequence_num=number, capabilities=MASK)
    return AgentSession(known, LIMITS).receive(message, START)


@pytest.mark.rule("R2")
def test_over_http_the_next_number_proves_that_the_offer_arrived() -> None:
    outcome = over_http(5)
    assert not outcome.reply.flags
    assert not outcome.offer_due


@pytest.mark.rule("R2")
def test_over_http_the_same_number_again_asks_what_arrived() -> None:
    outcome = over_http(4)
    assert outcome.reply.flags == FULL_STATE
    assert not outcome.offer_due


@pytest.mark.rule("R2")
def test_over_http_nothing_is_offered_in_one_of_two_answers_to_a_message() -> None:
    """The client hears one of them, and nobody knows which: its next number would prove that both arrived."""
    again = over_http(4, offered="")
    assert not again.offer_due
    assert again.reply.flags == FULL_STATE
    assert again.patch is not None
    assert again.patch.sequence_num is None
    following = over_http(5, stored=None, offered="")
    assert following.offer_due or following.reply.flags == FULL_STATE


@pytest.mark.rule("R2")
def test_over_http_nothing_due_leaves_a_message_that_is_posted_anew_alone() -> None:
    known = AgentSnapshot(
        UID, 2, sequence_num=4, is_new=False, capabilities=MASK, transport=Transport.HTTP,
        remote_config=RemoteConfigReport(APPLIED, B), desired_hash=B, seen_at=START,
    )  # fmt: skip
    message = pb.AgentToServer(instance_uid=UID.bytes, sequence_num=4, capabilities=MASK)
    outcome = AgentSession(known, LIMITS).receive(message, START)
    assert (outcome.reply.flags, outcome.offer_due) == (0, False)
