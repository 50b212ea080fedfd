"""Connection settings of a fleet: changed, claimed, and followed by the agents' rows."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents import store
from agents.snapshot import AgentSnapshot, Capability, ConfigStatus, ConnectionReport, Transport
from fleets.connection import NewDestination, connection_of, update_connection
from fleets.connection_claims import claim_settings, give_back_settings
from fleets.connection_offer import (
    DEFAULT_HEARTBEAT_S,
    Held,
    SettingsClaim,
    SettingsOffer,
    Signal,
)
from fleets.models import AgentConnection, ArrivalMode, Fleet, Token, TokenKind
from fleets.services import set_mode
from fleets.standing import intents
from telflo.base import clock
from telflo.base.errors import DomainError
from telflo.base.hints import RecordingPort
from telflo.base.models import Activity
from tests.factories import (
    CAPABILITIES,
    TESTER,
    agent_of,
    enrol,
    make_fleet,
    make_patch,
    make_token,
    status_of,
)
from tests.fleets.credentials import one_arrives

pytestmark = pytest.mark.django_db

ABLE = int(
    CAPABILITIES
    | Capability.REPORTS_HEARTBEAT
    | Capability.REPORTS_OWN_METRICS
    | Capability.REPORTS_OWN_LOGS
)
URL = "https://otlp.example.com/v1/metrics"
METRICS = NewDestination(URL, {"x-api-key": "s3cret"})


@pytest.fixture
def fleet() -> Fleet:
    return make_fleet(name="edge")


def claim(agent: AgentSnapshot, offered: str = "") -> SettingsOffer | None:
    held = {agent.instance_uid: Held(agent.epoch, offered)}
    return claim_settings(held, now=clock.now()).get(agent.instance_uid)


def give_back(agent: AgentSnapshot, *, at: datetime | None = None) -> None:
    """What this session claimed last, unless it is said when."""
    at = at or AgentConnection.objects.get(agent_id=agent.instance_uid).offered_at
    assert at is not None
    give_back_settings({agent.instance_uid: SettingsClaim(agent.epoch, at)}, now=clock.now())


def wanted(agent: AgentSnapshot) -> str:
    return intents([agent.instance_uid])[agent.instance_uid].settings


class TestChanging:
    def test_secrets_are_encrypted_at_rest_and_not_in_the_activity_log(self, fleet: Fleet) -> None:
        update_connection(fleet=fleet, telemetry={Signal.METRICS: METRICS}, actor=TESTER)
        with connection.cursor() as cursor:
            cursor.execute("SELECT destinations FROM fleets_connectionsettings")
            assert b"s3cret" not in bytes(cursor.fetchone()[0])
        entry = Activity.objects.get(action="fleet.connection")
        assert "s3cret" not in str(entry.after)
        assert entry.after is not None
        assert entry.after["own_telemetry"]["metrics"]["header_names"] == ["x-api-key"]

    def test_a_change_beside_the_secrets_does_not_write_them(self, fleet: Fleet) -> None:
        update_connection(fleet=fleet, telemetry={Signal.METRICS: METRICS}, actor=TESTER)
        with CaptureQueriesContext(connection) as queries:
            update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
        [write] = [q["sql"] for q in queries if "UPDATE" in q["sql"] and "settings" in q["sql"]]
        assert "destinations" not in write
        stored = connection_of(fleet)
        assert (stored.heartbeat_s, "s3cret" in stored.destinations) == (60, True)

    def test_headers_that_are_left_out_are_kept(self, fleet: Fleet) -> None:
        update_connection(fleet=fleet, telemetry={Signal.METRICS: METRICS}, actor=TESTER)
        elsewhere = NewDestination("https://otlp.example.com/v2")
        wish = update_connection(fleet=fleet, telemetry={Signal.METRICS: elsewhere}, actor=TESTER)
        assert "s3cret" in wish.destinations

    def test_kept_headers_do_not_go_to_another_address(self, fleet: Fleet) -> None:
        update_connection(fleet=fleet, telemetry={Signal.METRICS: METRICS}, actor=TESTER)
        stolen = NewDestination("https://elsewhere.example.com/v1/metrics")
        with pytest.raises(DomainError, match="another address") as refused:
            update_connection(fleet=fleet, telemetry={Signal.METRICS: stolen}, actor=TESTER)
        assert refused.value.field == "metrics_headers"
        assert URL in connection_of(fleet).destinations

    def test_saving_what_is_there_changes_nothing(self, fleet: Fleet) -> None:
        update_connection(
            fleet=fleet, heartbeat_s=60, telemetry={Signal.METRICS: METRICS}, actor=TESTER
        )
        before = connection_of(fleet).marks
        update_connection(
            fleet=fleet, heartbeat_s=60, telemetry={Signal.METRICS: METRICS}, actor=TESTER
        )
        assert connection_of(fleet).marks == before
        assert Activity.objects.filter(action="fleet.connection").count() == 1

    @pytest.mark.rule("S4")
    @pytest.mark.parametrize("heartbeat_s", [0, 4, 3_601])
    def test_an_interval_is_above_0_and_in_bounds(self, fleet: Fleet, heartbeat_s: int) -> None:
        with pytest.raises(DomainError, match="5 to 3600 seconds"):
            update_connection(fleet=fleet, heartbeat_s=heartbeat_s, actor=TESTER)

    @pytest.mark.parametrize(
        ("destination", "field"),
        [
            (NewDestination("otlp.example.com:4318"), "metrics_endpoint"),
            (NewDestination('https://a.example/"\nx: y'), "metrics_endpoint"),
            (NewDestination("https://user:pass@a.example"), "metrics_endpoint"),
            (NewDestination("https://[::1"), "metrics_endpoint"),
            (NewDestination("https://a.example:99999"), "metrics_endpoint"),
            (NewDestination("https://:4318"), "metrics_endpoint"),
            (NewDestination(URL, {"x key": "a"}), "metrics_headers"),
            (NewDestination(URL, {"x-key": 'a"b'}), "metrics_headers"),
            (NewDestination(URL, {"x-key": "a\nb"}), "metrics_headers"),
            (NewDestination(URL, ca_pem="not a certificate"), "metrics_ca_pem"),
        ],
    )
    def test_what_a_supervisor_cannot_take_is_refused(
        self, fleet: Fleet, destination: NewDestination, field: str
    ) -> None:
        with pytest.raises(DomainError) as refused:
            update_connection(fleet=fleet, telemetry={Signal.METRICS: destination}, actor=TESTER)
        assert refused.value.field == field

    def test_own_credentials_need_an_address(self, fleet: Fleet, settings: Any) -> None:
        settings.BASE_URL = settings.OPAMP_URL = ""
        with pytest.raises(DomainError, match="TELFLO_BASE_URL"):
            update_connection(fleet=fleet, own_credentials=True, actor=TESTER)

    def test_members_are_poked(
        self,
        fleet: Fleet,
        hints: RecordingPort,
        django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[Any]],
    ) -> None:
        agent = enrol(token=make_token(fleet=fleet))
        with django_capture_on_commit_callbacks(execute=True):
            update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
        pokes = [message["uids"] for _, message in hints.sent if message["type"] == "poke"]
        assert pokes == [[agent.instance_uid.hex]]


class TestClaiming:
    @pytest.mark.rule("S1", "S2")
    def test_all_that_this_agent_may_have_comes_in_one_offer(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
        everything = dict.fromkeys(Signal, METRICS)
        update_connection(fleet=fleet, heartbeat_s=60, telemetry=everything, actor=TESTER)
        offer = claim(agent)
        assert offer is not None
        assert offer.heartbeat_s == 60
        assert set(offer.telemetry) == {Signal.METRICS, Signal.LOGS}
        assert offer.telemetry[Signal.METRICS].headers == {"x-api-key": "s3cret"}
        assert (offer.hash, offer.secret) == (wanted(agent), "")

    @pytest.mark.rule("S2")
    def test_it_is_granted_once_a_session(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
        update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
        assert claim(agent)
        assert claim(agent) is None

    @pytest.mark.rule("S2")
    def test_what_the_agent_has_is_not_granted_in_a_later_session(self, fleet: Fleet) -> None:
        issued = make_token(fleet=fleet)
        agent = enrol(token=issued, capabilities=ABLE)
        update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
        offer = claim(agent)
        assert offer is not None
        again = enrol(token=issued, uid=agent.instance_uid, capabilities=ABLE)
        assert again.settings.offered == offer.hash
        assert claim(again, offer.hash) is None
        assert claim(again, "")

    def test_an_older_session_is_granted_nothing(self, fleet: Fleet) -> None:
        issued = make_token(fleet=fleet)
        old = enrol(token=issued, capabilities=ABLE)
        enrol(token=issued, uid=old.instance_uid, capabilities=ABLE)
        update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
        assert claim(old) is None

    def test_an_observed_member_is_offered_nothing(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
        update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
        set_mode(agent=agent_of(agent), mode=ArrivalMode.OBSERVED, actor=TESTER)
        assert (wanted(agent), claim(agent)) == ("", None)

    def test_what_was_not_sent_may_be_claimed_again(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
        update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
        offer = claim(agent)
        assert offer is not None
        give_back(agent, at=clock.now())
        assert claim(agent) is None, "another claim of this session"
        for _ in range(2):
            give_back(agent)
        assert claim(agent) == offer

    def test_what_an_older_session_claimed_says_nothing_of_what_a_newer_one_was_sent(
        self, fleet: Fleet
    ) -> None:
        token = make_token(fleet=fleet)
        old = enrol(token=token, capabilities=ABLE)
        update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
        new = enrol(token=token, uid=old.instance_uid, capabilities=ABLE)
        offer = claim(new)
        assert offer is not None
        give_back(old)
        assert claim(new) is None

    @pytest.mark.rule("D2", "S4")
    def test_silence_is_judged_by_the_interval_that_was_offered(self, fleet: Fleet) -> None:
        issued = make_token(fleet=fleet)
        agent = enrol(token=issued, capabilities=ABLE, transport=Transport.HTTP)
        update_connection(fleet=fleet, heartbeat_s=600, actor=TESTER)
        claim(agent)
        assert status_of(agent).interval_s == 600
        seen_at = status_of(agent).last_seen_at
        assert seen_at is not None
        store.sweep(seen_at + timedelta(seconds=1_700))
        assert status_of(agent).connected
        store.sweep(seen_at + timedelta(seconds=1_900))
        assert not status_of(agent).connected

    def test_own_telemetry_restarts_the_collector_which_is_marked(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
        update_connection(fleet=fleet, heartbeat_s=10, actor=TESTER)
        claim(agent)
        assert status_of(agent).restarted_at is None
        update_connection(fleet=fleet, telemetry={Signal.METRICS: METRICS}, actor=TESTER)
        claim(agent)
        assert status_of(agent).restarted_at is not None

    def test_what_is_heard_after_an_offer_can_be_counted(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
        update_connection(fleet=fleet, heartbeat_s=10, actor=TESTER)
        now = clock.now()
        held = {agent.instance_uid: Held(agent.epoch, "", number=9)}
        assert claim_settings(held, now=now)
        row = AgentConnection.objects.get()
        # What is stored of its heartbeats may be of long ago.
        assert (row.counted_from, row.counted_at) == (9, now)

    def test_an_interval_taken_back_is_the_default_again(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
        update_connection(fleet=fleet, heartbeat_s=600, actor=TESTER)
        claim(agent)
        update_connection(fleet=fleet, heartbeat_s=None, actor=TESTER)
        offer = claim(agent)
        assert offer is not None
        assert offer.heartbeat_s == status_of(agent).interval_s == DEFAULT_HEARTBEAT_S

    def test_telemetry_taken_back_is_switched_off(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
        update_connection(fleet=fleet, telemetry={Signal.METRICS: METRICS}, actor=TESTER)
        claim(agent)
        update_connection(fleet=fleet, telemetry={Signal.METRICS: None}, actor=TESTER)
        offer = claim(agent)
        assert offer is not None
        assert {one.endpoint for one in offer.telemetry.values()} == {""}
        assert claim(agent) is None

    @pytest.mark.rule("S2")
    def test_a_part_of_it_taken_back_is_switched_off_by_name(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
        both = {Signal.METRICS: METRICS, Signal.LOGS: METRICS}
        update_connection(fleet=fleet, telemetry=both, actor=TESTER)
        claim(agent)
        update_connection(fleet=fleet, telemetry={Signal.LOGS: None}, actor=TESTER)
        offer = claim(agent)
        assert offer is not None
        addresses = {signal: one.endpoint for signal, one in offer.telemetry.items()}
        assert addresses == {Signal.METRICS: URL, Signal.LOGS: ""}

    def test_many_agents_cost_as_many_statements_as_one(self, fleet: Fleet, settings: Any) -> None:
        settings.BASE_URL = "https://telflo.example"
        update_connection(
            fleet=fleet,
            heartbeat_s=60,
            own_credentials=True,
            telemetry={Signal.METRICS: METRICS},
            actor=TESTER,
        )
        one_arrives()
        issued = make_token(fleet=fleet)
        able = ABLE | int(Capability.ACCEPTS_OPAMP_CONNECTION_SETTINGS)
        costs = []
        for count in (1, 20):
            agents = [enrol(token=issued, capabilities=able) for _ in range(count)]
            held = {one.instance_uid: Held(one.epoch, "") for one in agents}
            with CaptureQueriesContext(connection) as queries:
                assert len(claim_settings(held, now=clock.now())) == count
            costs.append(len(queries))
        assert costs[0] == costs[1]
        assert Token.objects.filter(kind=TokenKind.AGENT, fleet=fleet).count() == 21

    def test_a_row_says_what_was_offered(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ABLE)
        update_connection(fleet=fleet, telemetry={Signal.METRICS: METRICS}, actor=TESTER)
        offer = claim(agent)
        assert offer is not None
        row = AgentConnection.objects.get()
        assert (row.offered_hash, row.offered_epoch) == (offer.hash, agent.epoch)
        assert (row.has_telemetry, row.unused_offers) == (True, 0)


@pytest.mark.rule("C1")
def test_what_the_agent_reports_of_its_settings_is_kept_and_known_to_its_next_session(
    fleet: Fleet,
) -> None:
    issued = make_token(fleet=fleet)
    agent = enrol(token=issued)
    report = ConnectionReport(ConfigStatus.FAILED, "ab" * 32, "no route to host")
    store.apply([make_patch(agent, connection=report)])
    row = status_of(agent)
    assert (row.connection_status, row.connection_hash) == (3, report.hash)
    assert row.connection_error == "no route to host"
    assert enrol(token=issued, uid=agent.instance_uid).connection == report
