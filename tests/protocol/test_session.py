"""What one session answers: identity, capabilities, sequence numbers, goodbyes."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from agents.snapshot import (
    UNSET,
    ComponentHealth,
    ConfigFile,
    ConfigStatus,
    EffectiveConfig,
    FactKind,
    RemoteConfigReport,
    Transport,
)
from agents.status import SHUTDOWN_ERROR
from opamp.proto import opamp_pb2 as pb
from opamp.protocol import replies
from opamp.protocol.anyvalue import attributes_from_json
from opamp.protocol.identity import read_instance_uid, wants_new_uid
from opamp.protocol.limits import Limits
from opamp.protocol.outcome import CloseReason
from opamp.protocol.replies import new_identity
from tests.fuzz import wire
from tests.protocol.sessions import MASK, UID, full, refusal, said, session
from tests.protocol.world import FULL_STATE, START

OTHER = UUID(int=7)


class TestEveryMessage:
    @pytest.mark.rule("M1", "M2")
    def test_with_nothing_to_say_the_reply_carries_the_uid_alone(self) -> None:
        one = session()
        one.receive(said(5), START)
        assert one.receive(said(6), START).reply == pb.ServerToAgent(instance_uid=UID.bytes)

    @pytest.mark.rule("M4")
    def test_the_first_reply_carries_the_servers_capabilities_and_no_later_one(self) -> None:
        one = session()
        assert one.receive(said(5), START).reply.capabilities == 0x27
        assert one.receive(said(6), START).reply.capabilities == 0

    @pytest.mark.rule("M3", "M4")
    def test_after_an_error_the_capabilities_come_with_the_next_reply(self) -> None:
        one = session(Limits(attributes=1))
        message = said(5)
        message.agent_description.identifying_attributes.extend(
            attributes_from_json({"a": 1, "b": 2})
        )
        refusal(one.receive(message, START))
        assert one.receive(said(6), START).reply.capabilities == 0x27

    @pytest.mark.rule("M5")
    @pytest.mark.parametrize(
        ("uid", "problem"),
        [
            (b"", "0 bytes"),
            (b"x" * 15, "15 bytes"),
            (b"0" * 26, "ULID"),
            (b"y" * 16, "not the one"),
        ],
    )
    def test_a_wrong_uid_is_refused_clearly(self, uid: bytes, problem: str) -> None:
        assert problem in refusal(session().receive(said(5, instance_uid=uid), START))

    @pytest.mark.rule("M5")
    def test_a_uid_of_16_bytes_is_read(self) -> None:
        assert read_instance_uid(said(0)) == UID

    @pytest.mark.rule("M6")
    def test_an_agent_that_asks_is_given_an_identity(self) -> None:
        message = said(0, flags=1)
        assert wants_new_uid(message)
        assert not wants_new_uid(said(0))
        reply = new_identity(message.instance_uid, OTHER)
        assert reply.agent_identification.new_instance_uid == OTHER.bytes
        assert (reply.instance_uid, reply.capabilities) == (UID.bytes, 0x27)

    @pytest.mark.rule("M8")
    def test_unknown_bits_and_numbers_are_no_error(self) -> None:
        message = said(5, capabilities=MASK | 1 << 60)
        message.remote_config_status.last_remote_config_hash = b"\x01"
        message.remote_config_status.status = 77  # type: ignore[assignment]  # a newer agent's
        outcome = session().receive(message, START)
        assert outcome.patch is not None
        assert outcome.patch.capabilities is UNSET
        assert outcome.patch.remote_config == RemoteConfigReport(ConfigStatus.UNSET, "01")

    @pytest.mark.rule("M8", "C1")
    def test_fields_that_we_do_not_know_or_do_not_read_are_ignored(self) -> None:
        message = said(5, health=pb.ComponentHealth(healthy=True))
        message.package_statuses.packages["collector"].agent_has_version = "1"
        message.connection_settings_status.last_connection_settings_hash = b"x"
        newer = wire.number(77, 1) + wire.block(5, wire.number(99, 1))
        newer += wire.block(78, b"of a newer agent")
        read = pb.AgentToServer.FromString(message.SerializeToString() + newer)
        assert session().receive(read, START) == session().receive(message, START)

    @pytest.mark.rule("M9")
    def test_a_changed_mask_takes_effect_with_its_message(self) -> None:
        outcome = session().receive(said(5, capabilities=MASK | 2), START)
        assert outcome.patch is not None
        assert outcome.patch.capabilities == MASK | 2

    @pytest.mark.rule("A3", "M3")
    def test_unavailable_names_the_time_to_wait(self) -> None:
        reply = replies.unavailable(UID.bytes, 30)
        assert {one.name for one, _ in reply.ListFields()} == {"instance_uid", "error_response"}
        error = reply.error_response
        assert error.retry_info.retry_after_nanoseconds == 30_000_000_000


@pytest.mark.rule("C2")
class TestSequenceNumbers:
    def test_a_known_agent_that_goes_on_counting_is_not_asked(self) -> None:
        outcome = session().receive(said(5), START)
        assert outcome.reply.flags == 0
        assert outcome.patch is not None
        assert outcome.patch.sequence_num == 5
        assert outcome.patch.is_heartbeat

    @pytest.mark.rule("I2")
    def test_a_gap_asks_every_5_seconds_and_stores_no_number_until_the_full_state_is_here(
        self,
    ) -> None:
        one = session()
        for number, seconds, asks in ((9, 0, True), (10, 4, False), (11, 5, True)):
            outcome = one.receive(said(number), START + timedelta(seconds=seconds))
            assert bool(outcome.reply.flags & FULL_STATE) is asks
            assert one.is_full_state_outstanding
            assert outcome.patch is not None
            assert outcome.patch.sequence_num is None
        done = one.receive(full(12), START)
        assert done.reply.flags == 0
        assert done.patch is not None
        assert done.patch.sequence_num == 12
        assert [fact.kind for fact in done.patch.facts][-1] is FactKind.FULL_STATE

    @pytest.mark.rule("I2")
    def test_a_question_whose_reply_was_lost_is_asked_again_by_the_next_session(self) -> None:
        assert session(sequence_num=None).receive(said(5), START).reply.flags == FULL_STATE

    def test_an_unknown_agent_that_is_full_at_once_is_not_asked(self) -> None:
        one = session(is_new=True, sequence_num=None, capabilities=0)
        assert one.receive(full(8), START).reply.flags == 0

    def test_the_last_message_again_is_no_alarm(self) -> None:
        one, message = session(), said(5, health=pb.ComponentHealth(healthy=True))
        first, again = one.receive(message, START), one.receive(message, START)
        assert first.patch is not None
        assert again.patch is not None
        assert (again.reply.flags, again.patch.facts) == (0, ())
        assert again.reply.instance_uid == UID.bytes
        assert one.receive(said(5), START).reply.flags == FULL_STATE  # the number, not the message

    def test_after_an_answer_a_new_gap_waits_for_30_seconds_and_is_not_forgotten(self) -> None:
        one = session()
        one.receive(said(9), START)
        one.receive(full(10), START)
        early = one.receive(said(20), START + timedelta(seconds=5))
        assert early.reply.flags == 0
        assert early.patch is not None
        assert early.patch.sequence_num is None
        assert one.receive(said(21), START + timedelta(seconds=30)).reply.flags == FULL_STATE

    def test_a_new_connection_with_a_gap_is_asked_however_short_ago_an_answer_was(self) -> None:
        one = session(full_state_at=START - timedelta(seconds=5))
        assert one.receive(said(9), START).reply.flags == FULL_STATE
        one.receive(full(10), START)
        assert one.receive(said(20), START + timedelta(seconds=5)).reply.flags == 0

    def test_changes_that_were_under_way_when_it_was_asked_are_not_the_answer_however_many(
        self,
    ) -> None:
        """Only what also follows a second question may leave out what is known: 5 s later nothing is under way."""
        one = session(remote_config=RemoteConfigReport(ConfigStatus.APPLIED, "aa"))
        assert one.receive(said(9), START).reply.flags == FULL_STATE
        for number in (10, 11, 12):
            outcome = one.receive(full(number), START + timedelta(seconds=number - 9))
            assert outcome.patch is not None
            assert outcome.patch.remote_config is UNSET
            assert one.is_full_state_outstanding
        assert one.receive(said(13), START + timedelta(seconds=5)).reply.flags == FULL_STATE
        believed = one.receive(full(14), START + timedelta(seconds=6))
        assert believed.patch is not None
        assert (believed.patch.remote_config, believed.patch.sequence_num) == (None, 14)

    @pytest.mark.rule("A3")
    def test_what_the_server_was_too_busy_to_take_is_asked_for_in_the_next_reply(self) -> None:
        one = session()
        one.receive(said(9), START)
        one.receive(full(10), START)
        one.miss(said(11, health=pb.ComponentHealth(healthy=True)), START)
        after = one.receive(said(12), START + timedelta(seconds=1))
        assert after.reply.flags == FULL_STATE
        assert after.patch is not None
        assert after.patch.sequence_num is None
        one.miss(full(13), START)  # the answer too
        assert one.receive(said(14), START + timedelta(seconds=1)).reply.flags == FULL_STATE

    @pytest.mark.rule("A3")
    def test_what_was_under_way_while_the_server_was_too_busy_is_not_the_answer_either(
        self,
    ) -> None:
        one = session(remote_config=RemoteConfigReport(ConfigStatus.APPLIED, "aa"))
        assert one.receive(said(9), START).reply.flags == FULL_STATE
        one.miss(full(10), START)
        assert one.receive(said(11), START).reply.flags == FULL_STATE
        outcome = one.receive(full(12), START)
        assert outcome.patch is not None
        assert outcome.patch.remote_config is UNSET

    @pytest.mark.rule("A3")
    def test_a_heartbeat_that_was_not_taken_leaves_no_doubt(self) -> None:
        one = session()
        one.miss(said(5), START)
        after = one.receive(said(6), START)
        assert (after.reply.flags, after.patch and after.patch.sequence_num) == (0, 6)
        one.miss(said(8), START)  # but there was a gap before this one
        assert one.receive(said(9), START).reply.flags == FULL_STATE

    def test_over_http_where_each_message_is_a_session_the_quiet_time_goes_on(self) -> None:
        one = session(full_state_at=START - timedelta(seconds=5), transport=Transport.HTTP)
        assert one.receive(said(9), START).reply.flags == 0

    def test_over_http_the_same_number_again_is_the_message_whose_answer_was_lost(self) -> None:
        again = session(transport=Transport.HTTP).receive(said(4), START)
        assert (again.reply.flags, again.patch and again.patch.sequence_num) == (0, 4)
        assert session(transport=Transport.WEBSOCKET).receive(said(4), START).reply.flags != 0

    def test_over_http_it_is_that_too_while_a_full_state_is_outstanding(self) -> None:
        """A step on the way up is news each time, since it says nothing lasting: told once all the same."""
        step = {"health": pb.ComponentHealth(status="StatusStarting")}
        first = session(transport=Transport.HTTP).receive(said(9, **step), START).patch
        assert first is not None
        assert (first.sequence_num, first.doubtful_num, len(first.facts)) == (None, 9, 1)
        known: dict[str, Any] = {
            "transport": Transport.HTTP,
            "sequence_num": None,
            "doubtful_num": 9,
            "health": first.health,
            "is_health_past": True,
        }
        again = session(**known).receive(said(9, **step), START).patch
        assert again is not None
        assert (again.doubtful_num, again.facts) == (9, ())
        other = session(**known).receive(said(10, **step), START).patch
        assert other is not None
        assert (other.doubtful_num, len(other.facts)) == (10, 1)

    @pytest.mark.parametrize("last_error", ["", SHUTDOWN_ERROR])
    def test_over_http_what_does_not_last_is_told_once_though_the_health_before_stays(
        self, last_error: str
    ) -> None:
        """While we have its collector restarted, the stored health is the one before, as of then."""
        known: dict[str, Any] = {
            "transport": Transport.HTTP,
            "health": ComponentHealth(healthy=True, status="StatusOK"),
            "is_health_past": True,
        }
        health = pb.ComponentHealth(status="StatusStarting", last_error=last_error)
        again = session(**known).receive(said(4, health=health), START).patch
        assert again is not None
        assert FactKind.HEALTH not in {fact.kind for fact in again.facts}
        other = session(**known).receive(said(5, health=health), START).patch
        assert other is not None
        assert FactKind.HEALTH in {fact.kind for fact in other.facts}
        ill = pb.ComponentHealth(status="StatusStarting", last_error="no port")
        patch = session(**known).receive(said(4, health=ill), START).patch
        assert patch is not None
        assert len(patch.facts) == 1

    def test_over_a_websocket_no_number_is_kept_beside_a_doubt(self) -> None:
        patch = session().receive(said(9), START).patch
        assert patch is not None
        assert (patch.sequence_num, patch.doubtful_num) == (None, None)

    @pytest.mark.rule("C3")
    def test_a_full_state_says_what_is_gone(self) -> None:
        before: dict[str, Any] = {
            "health": ComponentHealth(healthy=True),
            "remote_config": RemoteConfigReport(ConfigStatus.APPLIED, "aa"),
            "effective_sha256": "bb",
            "components_hash": "cc",
        }
        start = said(0)
        start.agent_description.SetInParent()
        patch = session(**before).receive(start, START).patch
        assert patch is not None
        assert (patch.health, patch.remote_config) == (None, None)
        assert (patch.effective_config, patch.components) == (None, None)
        assert patch.custom_capabilities == ()

    def test_a_number_that_no_column_holds_is_not_stored(self) -> None:
        patch = session(sequence_num=None).receive(full(2**64 - 1), START).patch
        assert patch is not None
        assert patch.sequence_num is None


class TestWhatElseIsReported:
    @pytest.mark.rule("R6")
    def test_effective_configurations_may_be_several_files_of_any_bytes(self) -> None:
        message = said(5)
        files = message.effective_config.config_map.config_map
        files[""].body = b"receivers: {}"
        files["other"].body, files["other"].content_type = b"\xff\x00\xfe", "application/x-odd"
        patch = session().receive(message, START).patch
        assert patch is not None
        assert isinstance(patch.effective_config, EffectiveConfig)
        assert patch.effective_config.files == (
            ConfigFile("", b"receivers: {}"),
            ConfigFile("other", b"\xff\x00\xfe", "application/x-odd"),
        )

    @pytest.mark.rule("K2")
    def test_custom_capabilities_are_remembered_and_custom_messages_are_no_error(self) -> None:
        message = said(5)
        message.custom_capabilities.capabilities.extend(["io.telflo.one/1", "io.telflo.two/3"])
        message.custom_message.capability = "nobody.knows/1"
        outcome = session().receive(message, START)
        assert not outcome.reply.HasField("error_response")
        assert outcome.patch is not None
        assert outcome.patch.custom_capabilities == ("io.telflo.one/1", "io.telflo.two/3")


class TestGoodbyes:
    @pytest.mark.rule("D1")
    def test_agent_disconnect_ends_the_session_and_a_closed_socket_adds_nothing(self) -> None:
        one = session()
        outcome = one.receive(said(5, agent_disconnect=pb.AgentDisconnect()), START)
        assert outcome.close is CloseReason.AGENT_LEFT
        assert outcome.patch is not None
        assert outcome.patch.disconnected_at == START
        later = one.disconnect(START + timedelta(seconds=1), "closed")
        assert (later.disconnected_at, later.facts) == (START, ())

    @pytest.mark.rule("D1")
    def test_over_http_the_shutdown_health_is_the_goodbye(self) -> None:
        message = said(5, health=pb.ComponentHealth(last_error=SHUTDOWN_ERROR))
        over_http = session(transport=Transport.HTTP).receive(message, START)
        assert over_http.close is CloseReason.AGENT_LEFT
        assert session().receive(message, START).close is None

    @pytest.mark.rule("I3")
    @pytest.mark.parametrize("transport", list(Transport))
    def test_the_store_is_told_what_was_posted_since_that_may_come_again(
        self, transport: Transport
    ) -> None:
        patch = (
            session(transport=transport).receive(said(5, health=pb.ComponentHealth()), START).patch
        )
        assert patch is not None
        assert patch.is_polled is (transport is Transport.HTTP)

    @pytest.mark.rule("I1")
    def test_a_closed_socket_stores_the_last_number_and_the_reason(self) -> None:
        one = session()
        one.receive(said(5), START)
        patch = one.disconnect(START + timedelta(seconds=9), "timeout")
        assert (patch.sequence_num, patch.seen_at) == (5, START)
        assert patch.disconnected_at == START + timedelta(seconds=9)
        assert patch.facts[0].reason == "timeout"
