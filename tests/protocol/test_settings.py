"""Connection settings in the protocol core: when they are due, sent once, and as what message."""

import pytest

from agents.snapshot import (
    AgentSnapshot,
    Capability,
    ConfigStatus,
    ConnectionReport,
    FactKind,
    SettingsState,
    Transport,
)
from fleets.connection_offer import Destination, SettingsOffer, Signal
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.limits import Limits
from opamp.protocol.session import AgentSession
from opamp.protocol.settings_offer import offers_message
from tests.opamp.fakes import UID
from tests.protocol.world import START

HASH, OTHER = "ab" * 32, "cd" * 32
MASK = int(Capability.REPORTS_STATUS | Capability.REPORTS_HEARTBEAT)
REPORTS = MASK | int(Capability.REPORTS_CONNECTION_SETTINGS_STATUS)
INTERVAL = SettingsOffer(HASH, heartbeat_s=60)
COMPLETE = SettingsOffer(
    HASH, heartbeat_s=60, endpoint="wss://telflo.example/v1/opamp", secret="tlf_a_secret"
)


def session(
    state: SettingsState,
    *,
    capabilities: int = MASK,
    transport: Transport = Transport.WEBSOCKET,
    report: ConnectionReport | None = None,
    stored: int | None = 4,
) -> AgentSession:
    """Of an agent whose last stored number is 4, or another; None: what it said last is doubtful."""
    known = AgentSnapshot(
        UID,
        1,
        sequence_num=stored,
        capabilities=capabilities,
        is_new=False,
        settings=state,
        transport=transport,
        connection=report,
    )
    return AgentSession(known, Limits())


def bare(number: int, capabilities: int = MASK) -> pb.AgentToServer:
    return pb.AgentToServer(instance_uid=UID.bytes, sequence_num=number, capabilities=capabilities)


def started(number: int = 0, capabilities: int = MASK) -> pb.AgentToServer:
    """A client's first message: a full state."""
    message = bare(number, capabilities)
    message.agent_description.SetInParent()
    return message


def status(number: int, digest: str, word: int, error: str = "") -> pb.AgentToServer:
    message = bare(number, REPORTS)
    message.connection_settings_status.last_connection_settings_hash = bytes.fromhex(digest)
    message.connection_settings_status.status = word  # type: ignore[assignment]  # an enum's number
    message.connection_settings_status.error_message = error
    return message


@pytest.mark.rule("M4")
def test_the_server_says_that_it_offers_connection_settings() -> None:
    reply = session(SettingsState()).receive(bare(5), START).reply
    assert reply.capabilities & pb.ServerCapabilities.ServerCapabilities_OffersConnectionSettings


class TestWhenTheyAreDue:
    @pytest.mark.rule("S3")
    def test_the_first_message_says_so_and_no_later_one(self) -> None:
        one = session(SettingsState(wanted=HASH))
        assert [one.receive(bare(n), START).offer_due for n in (5, 6)] == [True, False]
        assert one.wants_settings

    @pytest.mark.rule("S2")
    def test_once_sent_they_are_not_sent_again_in_the_session(self) -> None:
        one = session(SettingsState(wanted=HASH))
        one.receive(bare(5), START)
        message = one.make_settings_offer(INTERVAL)
        assert message is not None
        assert message.connection_settings.hash.hex() == HASH
        assert not one.set_settings(HASH)
        assert not any(one.receive(bare(n), START).offer_due for n in (6, 7))

    @pytest.mark.rule("S2")
    def test_another_hash_is_due_at_once(self) -> None:
        one = session(SettingsState(wanted=HASH))
        one.receive(bare(5), START)
        one.make_settings_offer(INTERVAL)
        assert one.set_settings(OTHER)

    @pytest.mark.rule("S2")
    @pytest.mark.parametrize("transport", list(Transport))
    def test_a_client_that_starts_anew_has_forgotten_them(self, transport: Transport) -> None:
        state = SettingsState(wanted=HASH, offered=HASH, arrived=True)
        one = session(state, transport=transport)
        assert one.receive(started(), START).offer_due

    @pytest.mark.rule("S2")
    @pytest.mark.parametrize(
        ("transport", "arrived", "due"),
        [
            (Transport.WEBSOCKET, True, False),
            (Transport.WEBSOCKET, False, True),
            (Transport.HTTP, False, False),
        ],
    )
    def test_a_client_that_goes_on_keeps_what_arrived(
        self, transport: Transport, arrived: bool, due: bool
    ) -> None:
        state = SettingsState(wanted=HASH, offered=HASH, arrived=arrived)
        assert session(state, transport=transport).receive(bare(5), START).offer_due is due

    @pytest.mark.rule("S2")
    @pytest.mark.parametrize(("offered_to", "due"), [(3, False), (4, True), (None, True)])
    def test_a_message_that_is_posted_anew_got_the_answers_before_it(
        self, offered_to: int | None, due: bool
    ) -> None:
        state = SettingsState(wanted=HASH, offered=HASH, number=offered_to)
        one = session(state, transport=Transport.HTTP)
        one.receive(bare(4), START)
        assert (one.offered_settings == "") is due

    @pytest.mark.rule("S2")
    @pytest.mark.parametrize(
        ("stored", "number", "due"),
        [(4, 9, False), (None, 9, False), (None, 2, True), (4, 3, True), (None, 3, True)],
    )
    def test_behind_a_gap_an_http_client_has_what_answered_an_earlier_number(
        self, stored: int | None, number: int, due: bool
    ) -> None:
        """Else a gap that the server itself caused would bring each agent its settings twice."""
        state = SettingsState(wanted=HASH, offered=HASH, number=3 if stored is None else 2)
        one = session(state, transport=Transport.HTTP, stored=stored)
        one.receive(bare(number), START)
        assert (one.offered_settings == "") is due

    @pytest.mark.rule("S2")
    def test_an_offer_is_counted_from_its_number_while_that_is_doubtful_too(self) -> None:
        one = session(SettingsState(), transport=Transport.HTTP)
        one.receive(bare(9), START)
        assert one.number == 9

    @pytest.mark.rule("S2")
    def test_over_plain_http_a_repeated_number_shows_that_the_answer_was_lost(self) -> None:
        state = SettingsState(wanted=HASH, offered=HASH)
        one = session(state, transport=Transport.HTTP)
        one.receive(started(4), START)
        assert one.wants_settings or one.is_full_state_outstanding
        assert one.offered_settings == ""

    @pytest.mark.rule("S6")
    def test_the_restart_that_an_own_credential_causes_is_no_reason_to_offer_again(self) -> None:
        state = SettingsState(wanted=HASH, offered=HASH, in_use=True)
        assert not session(state).receive(started(), START).offer_due

    @pytest.mark.rule("S2")
    @pytest.mark.parametrize("word", [ConfigStatus.APPLIED, ConfigStatus.FAILED])
    def test_who_reports_the_hash_is_not_offered_it_again(self, word: ConfigStatus) -> None:
        report = ConnectionReport(word, HASH)
        known = session(SettingsState(wanted=HASH), capabilities=REPORTS, report=report)
        assert not known.receive(bare(5, REPORTS), START).offer_due
        told = session(SettingsState(wanted=HASH), capabilities=REPORTS)
        assert not told.receive(status(5, HASH, int(word)), START).offer_due

    @pytest.mark.rule("S2")
    def test_who_reports_another_hash_is_offered_the_wanted_one(self) -> None:
        one = session(SettingsState(wanted=HASH, offered=OTHER, arrived=True), capabilities=REPORTS)
        assert one.receive(status(5, OTHER, 1), START).offer_due

    @pytest.mark.rule("M9", "S1")
    def test_changed_capabilities_are_looked_at_again_only_where_that_matters(self) -> None:
        changed = MASK | int(Capability.REPORTS_OWN_METRICS)
        plain, varies = session(SettingsState()), session(SettingsState(varies=True))
        due = [one.receive(bare(5, changed), START).offer_due for one in (plain, varies)]
        assert due == [False, True]
        varies.decline_settings()
        assert not varies.receive(bare(6, changed), START).offer_due

    def test_nothing_is_due_while_a_full_state_is_owed(self) -> None:
        one = session(SettingsState(wanted=HASH))
        one.receive(bare(9), START)
        assert one.is_full_state_outstanding
        assert one.make_settings_offer(INTERVAL) is None
        assert one.receive(started(10), START).offer_due


@pytest.mark.rule("C1")
class TestTheReport:
    def test_it_is_kept_with_its_error_and_told_once(self) -> None:
        one = session(SettingsState(), capabilities=REPORTS)
        outcome = one.receive(status(5, HASH, 3, "no route"), START)
        assert outcome.patch is not None
        report = ConnectionReport(ConfigStatus.FAILED, HASH, "no route")
        assert outcome.patch.connection == report
        [fact] = outcome.patch.facts
        assert (fact.kind, fact.connection) == (FactKind.CONNECTION_SETTINGS, report)
        again = one.receive(status(6, HASH, 3, "no route"), START).patch
        assert again is not None
        assert again.is_heartbeat

    @pytest.mark.rule("C3")
    def test_a_full_state_without_it_says_that_there_is_none(self) -> None:
        report = ConnectionReport(ConfigStatus.APPLIED, HASH)
        one = session(SettingsState(), capabilities=REPORTS, report=report)
        patch = one.receive(started(0, REPORTS), START).patch
        assert patch is not None
        assert patch.connection is None


class TestTheMessage:
    @pytest.mark.rule("S4")
    def test_an_interval_alone_names_no_endpoint(self) -> None:
        opamp = offers_message(INTERVAL).opamp
        assert opamp.heartbeat_interval_seconds == 60
        assert not (opamp.destination_endpoint)
        assert not (opamp.HasField("headers"))
        assert not opamp.HasField("certificate")

    @pytest.mark.rule("S4")
    def test_opamp_settings_without_an_interval_are_never_sent(self) -> None:
        with pytest.raises(ValueError, match="above 0"):
            offers_message(SettingsOffer(HASH, endpoint="wss://a", secret="s"))
        only = SettingsOffer(HASH, telemetry={Signal.LOGS: Destination("http://a/v1/logs")})
        assert not offers_message(only).HasField("opamp")

    @pytest.mark.rule("S5", "S6")
    def test_a_credential_comes_with_endpoint_header_and_interval(self) -> None:
        opamp = offers_message(COMPLETE).opamp
        assert opamp.destination_endpoint == "wss://telflo.example/v1/opamp"
        [header] = opamp.headers.headers
        assert (header.key, header.value) == ("Authorization", "Bearer tlf_a_secret")
        assert opamp.heartbeat_interval_seconds == 60

    def test_the_certificate_part_is_always_there_since_without_it_tls_is_not_verified(
        self,
    ) -> None:
        assert offers_message(COMPLETE).opamp.HasField("certificate")

    @pytest.mark.rule("S1")
    def test_each_destination_stands_in_its_own_place(self) -> None:
        there = Destination("https://o.example/v1/metrics", {"x-key": "k"}, "-----BEGIN")
        message = offers_message(
            SettingsOffer(HASH, telemetry={Signal.METRICS: there, Signal.LOGS: Destination()})
        )
        assert message.own_metrics.destination_endpoint == there.endpoint
        assert message.own_metrics.headers.headers[0].value == "k"
        assert message.own_metrics.tls.ca_pem_contents == "-----BEGIN"
        assert message.HasField("own_logs")
        assert not (message.own_logs.destination_endpoint)
        assert not (message.HasField("own_traces"))

    def test_a_secret_is_in_no_text_of_the_offer(self) -> None:
        there = Destination("https://o.example", {"x-key": "hidden"})
        offer = SettingsOffer(HASH, 60, "wss://a", secret="hidden", telemetry={Signal.LOGS: there})
        assert "hidden" not in repr(offer)

    def test_one_over_the_send_limit_is_not_sent(self) -> None:
        known = AgentSnapshot(UID, 1, is_new=False, sequence_num=4, settings=SettingsState(HASH))
        one = AgentSession(known, Limits(send_bytes=40))
        one.receive(bare(5), START)
        assert one.make_settings_offer(COMPLETE) is None
        assert one.wants_settings
