"""What one session answers: identity, capabilities, sequence numbers, health, limits, goodbyes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from agents.snapshot import (
    UNSET,
    AgentSnapshot,
    Capability,
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
from opamp.protocol.outcome import CloseReason, Outcome
from opamp.protocol.replies import new_identity
from opamp.protocol.session import AgentSession
from tests.fuzz import wire
from tests.protocol.world import FULL_STATE, LIMITS, START

UID = UUID(bytes=bytes(range(16)))
OTHER = UUID(int=7)
MASK = int(Capability.REPORTS_STATUS | Capability.REPORTS_HEALTH)
BAD_REQUEST = pb.ServerErrorResponseType.ServerErrorResponseType_BadRequest


def known(**changes: object) -> AgentSnapshot:
    return AgentSnapshot(
        **{
            "instance_uid": UID,
            "epoch": 3,
            "sequence_num": 4,
            "is_new": False,
            "capabilities": MASK,
        }  # type: ignore[arg-type]  # the fields of the dataclass
        | changes
    )


def said(number: int, **parts: object) -> pb.AgentToServer:
    fields = {"instance_uid": UID.bytes, "sequence_num": number, "capabilities": MASK} | parts
    return pb.AgentToServer(**fields)  # type: ignore[arg-type]  # the message's own fields


def full(number: int) -> pb.AgentToServer:
    description = pb.AgentDescription(identifying_attributes=attributes_from_json({"a": 1}))
    return said(number, agent_description=description, health=pb.ComponentHealth(healthy=True))


def session(limits: Limits = LIMITS, **changes: object) -> AgentSession:
    return AgentSession(known(**changes), limits)


def refusal(outcome: Outcome) -> str:
    """The text of a BAD_REQUEST, which stands alone (M3)."""
    assert outcome.patch is None
    assert outcome.close is None
    assert outcome.reply.error_response.type == BAD_REQUEST
    assert {one.name for one, _ in outcome.reply.ListFields()} <= {"instance_uid", "error_response"}
    return outcome.reply.error_response.error_message


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


class TestHealth:
    @pytest.mark.rule("H1")
    def test_the_tree_is_taken_with_its_times_texts_and_attributes(self) -> None:
        health = pb.ComponentHealth(status="anything", start_time_unix_nano=1_500_000_000)
        inner = health.component_health_map["a"].component_health_map["b"]
        inner.last_error, inner.status_time_unix_nano = "port in use", 2**64 - 1
        inner.attributes.extend(attributes_from_json({"port": 4317}))
        patch = session().receive(said(5, health=health), START).patch
        assert patch is not None
        assert isinstance(patch.health, ComponentHealth)
        assert (patch.health.status, patch.health.started_at) == (
            "anything",
            datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC),
        )
        leaf = patch.health.components["a"].components["b"]
        assert (leaf.last_error, leaf.attributes) == ("port in use", {"port": 4317})
        assert leaf.status_at is not None
        assert leaf.status_at.year == 2554

    @pytest.mark.rule("H1")
    def test_an_empty_health_is_unknown_and_keeps_the_last_known_one(self) -> None:
        one = session(health=ComponentHealth(healthy=True, status="StatusOK"))
        patch = one.receive(said(5, health=pb.ComponentHealth()), START).patch
        assert patch is not None
        assert patch.health is UNSET
        assert [fact.health for fact in patch.facts] == [ComponentHealth(healthy=False)]

    @pytest.mark.rule("H1")
    def test_only_a_change_of_the_root_is_an_event(self) -> None:
        one = session()
        health = pb.ComponentHealth(healthy=True, status="StatusOK", status_time_unix_nano=10**18)
        first = one.receive(said(5, health=health), START).patch
        health.component_health_map["pipeline:logs"].healthy = True
        second = one.receive(said(6, health=health), START).patch
        assert first is not None
        assert second is not None
        assert (len(first.facts), len(second.facts)) == (1, 0)
        assert second.health is not UNSET
        assert second.health is not None
        assert "pipeline:logs" in second.health.components


@pytest.mark.rule("A5", "M7")
class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "problem"),
        [
            (Limits(attributes=2), "more than 2 attributes"),
            (Limits(attribute_length=3), "longer than 3"),
            (Limits(value_depth=1), "1 levels deep"),
            (Limits(health_depth=2), "health is nested"),
            (Limits(health_components=2), "more than 2 components"),
            (Limits(component_depth=1), "available_components is nested"),
            (Limits(component_details=1), "more than 1 entries"),
            (Limits(config_files=1), "2 files"),
            (Limits(config_bytes=5), "6 bytes"),
            (Limits(custom_capabilities=1), "2 entries"),
            (Limits(packages=1), "package_statuses has 2 entries"),
            (Limits(hash_bytes=1), "hash of remote_config_status has 2 bytes"),
            (Limits(hash_bytes=2), "hash of available_components has 3 bytes"),
        ],
    )
    def test_too_much_of_anything_is_refused_by_name(self, limits: Limits, problem: str) -> None:
        assert problem in refusal(session(limits).receive(rich(), START))

    def test_the_same_message_is_taken_within_the_limits(self) -> None:
        assert session().receive(rich(), START).patch is not None

    def test_the_metadata_of_all_components_is_counted_together(self) -> None:
        message = rich()
        for name in ("receivers", "exporters"):
            node = message.available_components.components[name]
            node.metadata.extend(attributes_from_json({"a": 1, "b": 2}))
        assert session(Limits(component_details=4)).receive(message, START).patch is not None
        problem = refusal(session(Limits(component_details=3)).receive(message, START))
        assert "more than 3 attributes" in problem

    def test_a_refused_message_leaves_a_doubt_that_is_asked_about_later(self) -> None:
        one = session(Limits(config_files=1))
        refusal(one.receive(rich(), START))
        assert one.receive(said(6), START).reply.flags == 0
        assert one.receive(said(7), START + timedelta(seconds=30)).reply.flags == FULL_STATE

    def test_a_health_as_deep_as_protobuf_allows_is_refused_and_not_a_crash(self) -> None:
        health = pb.ComponentHealth()
        for _ in range(45):
            outer = pb.ComponentHealth()
            outer.component_health_map["x"].CopyFrom(health)
            health = outer
        assert "levels deep" in refusal(session().receive(said(5, health=health), START))

    def test_a_long_error_is_cut_in_the_middle(self) -> None:
        health = pb.ComponentHealth(last_error="begin" + "x" * 100 + "end")
        patch = session(Limits(text_length=20)).receive(said(5, health=health), START).patch
        assert patch is not None
        assert isinstance(patch.health, ComponentHealth)
        assert patch.health.last_error.startswith("begin")
        assert patch.health.last_error.endswith("end")
        assert "88 characters left out" in patch.health.last_error


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


def rich() -> pb.AgentToServer:
    """A message with some of everything."""
    message = said(5)
    message.agent_description.identifying_attributes.extend(
        attributes_from_json({"name": "collector", "nested": {"inner": [1]}})
    )
    message.health.component_health_map["a"].component_health_map["b"].healthy = True
    message.effective_config.config_map.config_map["one"].body = b"123"
    message.effective_config.config_map.config_map["two"].body = b"456"
    message.remote_config_status.last_remote_config_hash = b"\x01\x02"
    message.available_components.hash = b"\x01\x02\x03"
    message.available_components.components["receivers"].sub_component_map["otlp"].SetInParent()
    message.custom_capabilities.capabilities.extend(["io.a/1", "io.b/1"])
    for name in ("one", "two"):
        message.package_statuses.packages[name].agent_has_version = "1"
    return message


class TestHealthThatWasKnown:
    """What an earlier session heard of it may be written late, behind what this one takes as known."""

    HEALTHY = ComponentHealth(healthy=True)

    def is_news(self, number: int, **changes: object) -> list[bool]:
        """Of a first report that says what is stored, and of the same once more."""
        session = AgentSession(known(health=self.HEALTHY, **changes), LIMITS)
        outcomes = [session.receive(full(one), START) for one in (number, number + 1)]
        facts = [outcome.patch.facts for outcome in outcomes if outcome.patch is not None]
        return [any(fact.kind is FactKind.HEALTH for fact in each) for each in facts]

    def test_behind_a_gap_it_is_told_once_more(self) -> None:
        assert self.is_news(6) == [True, False]
        assert self.is_news(5, sequence_num=None) == [True, False]

    def test_where_all_is_stored_it_is_no_news(self) -> None:
        assert self.is_news(5) == [False, False]

    def test_over_plain_http_all_that_was_answered_is_stored(self) -> None:
        assert self.is_news(6, transport=Transport.HTTP) == [False, False]

    def test_what_is_posted_anew_was_told_also_beside_a_restart(self) -> None:
        """The health counts as past from a restart on, so what is said of it next is news, but not twice."""
        restarting = {"transport": Transport.HTTP, "is_health_past": True}
        assert self.is_news(4, **restarting) == [False, False]
        assert self.is_news(5, **restarting) == [True, False]

    def test_that_nothing_is_known_is_told_once_when_it_is_posted_anew(self) -> None:
        silent = said(4, health=pb.ComponentHealth())
        for is_past in (False, True):
            stored = known(health=self.HEALTHY, is_health_past=is_past, transport=Transport.HTTP)
            patch = AgentSession(stored, LIMITS).receive(silent, START).patch
            assert patch is not None
            is_told = any(fact.kind is FactKind.HEALTH for fact in patch.facts)
            assert is_told is not is_past

    def test_a_report_later_than_the_first_message_is_news_too(self) -> None:
        session = AgentSession(known(health=self.HEALTHY), LIMITS)
        session.receive(said(6), START)
        patch = session.receive(full(7), START).patch
        assert patch is not None
        assert any(fact.kind is FactKind.HEALTH for fact in patch.facts)
