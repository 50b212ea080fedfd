"""How far the connection settings of a fleet came: one word for each member, the same as what is decided for it."""

from itertools import combinations
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents import store
from agents.models import Agent
from agents.snapshot import AgentSnapshot, Capability, ConfigStatus, ConnectionReport
from fleets.connection import NewDestination, update_connection
from fleets.connection_claims import claim_settings
from fleets.connection_offer import MOST_UNUSED, Held, Signal
from fleets.connection_reach import Reach, count_reach, has_reach, reach_of
from fleets.models import AgentConnection, ArrivalMode, Fleet, Membership, TokenKind
from fleets.services import set_mode
from fleets.tokens import IssuedToken
from telflo.base import clock
from tests.factories import (
    CAPABILITIES,
    TESTER,
    agent_of,
    enrol,
    make_fleet,
    make_patch,
    make_token,
)
from tests.fleets.credentials import come, give_back, offered, one_arrives

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("address")]

KINDS = (
    Capability.REPORTS_HEARTBEAT,
    Capability.ACCEPTS_OPAMP_CONNECTION_SETTINGS,
    Capability.REPORTS_OWN_METRICS,
    Capability.REPORTS_OWN_TRACES,
    Capability.REPORTS_OWN_LOGS,
)
ALL = int(CAPABILITIES | sum(KINDS))
THERE = NewDestination("https://otlp.example.com/v1/metrics")
ELSEWHERE = NewDestination("https://otlp.example.com/other", headers={})
STEPS: tuple[dict[str, Any], ...] = (
    {"heartbeat_s": 60},
    {"telemetry": {Signal.METRICS: THERE}},
    {"telemetry": {Signal.LOGS: THERE}},
    {"own_credentials": True},
    {"telemetry": {Signal.METRICS: ELSEWHERE, Signal.LOGS: None}},
    {"heartbeat_s": None},
    {"telemetry": {Signal.METRICS: None, Signal.TRACES: THERE}},
)


@pytest.fixture
def fleet() -> Fleet:
    return make_fleet(name="edge")


def words() -> dict[Any, Reach]:
    rows = reach_of(Membership.objects.all()).values_list("agent_id", "reach")
    return {uid: Reach(word) for uid, word in rows}


def word(agent: AgentSnapshot) -> Reach | None:
    return words().get(agent.instance_uid)


def claim(*agents: AgentSnapshot) -> set[Any]:
    """Who of these was granted settings, of those that are not granted what they have."""
    held = AgentConnection.objects.in_bulk([agent.instance_uid for agent in agents])
    asking = {
        agent.instance_uid: Held(
            agent.epoch, held[agent.instance_uid].offered_hash if agent.instance_uid in held else ""
        )
        for agent in agents
    }
    return set(claim_settings(asking, now=clock.now()))


def answer(agent: AgentSnapshot, status: ConfigStatus) -> None:
    """It says what became of what it was offered last."""
    digest = AgentConnection.objects.get(agent=agent.instance_uid).offered_hash
    store.apply([make_patch(agent, connection=ConnectionReport(status, digest))])


@pytest.mark.rule("S1", "S2")
@pytest.mark.parametrize("kind", [TokenKind.ENROLMENT, TokenKind.HOST])
def test_who_waits_is_who_is_granted_settings(fleet: Fleet, kind: TokenKind) -> None:
    able = [
        int(CAPABILITIES | sum(chosen))
        for size in range(len(KINDS) + 1)
        for chosen in combinations(KINDS, size)
    ]
    one_arrives()
    tokens = [make_token(fleet=fleet, name=f"token {bits}", kind=kind) for bits in able]
    comers = zip(tokens, able, strict=True)
    agents = [enrol(token=token, capabilities=bits) for token, bits in comers]
    for step in STEPS:
        update_connection(fleet=fleet, actor=TESTER, **step)
        waiting = {uid for uid, found in words().items() if found is Reach.WAITING}
        assert claim(*agents) == waiting, step
        assert Reach.WAITING not in words().values(), step
    for at, agent in enumerate(agents):
        agents[at] = enrol(token=tokens[at], uid=agent.instance_uid, capabilities=able[at])
    waiting = {uid for uid, found in words().items() if found is Reach.WAITING}
    assert claim(*agents) == waiting
    assert bool(waiting) is (kind is TokenKind.ENROLMENT)


class TestWords:
    def test_nothing_is_set(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ALL)
        assert word(agent) is None
        update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
        update_connection(fleet=fleet, heartbeat_s=None, actor=TESTER)
        assert word(agent) is None

    def test_from_waiting_to_applied(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ALL)
        update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
        assert word(agent) is Reach.WAITING
        claim(agent)
        assert word(agent) is Reach.SENT
        answer(agent, ConfigStatus.APPLYING)
        assert word(agent) is Reach.SENT
        answer(agent, ConfigStatus.FAILED)
        assert word(agent) is Reach.FAILED
        answer(agent, ConfigStatus.APPLIED)
        assert word(agent) is Reach.APPLIED

    def test_an_answer_to_earlier_ones_says_nothing_of_these(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ALL)
        update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
        claim(agent)
        answer(agent, ConfigStatus.FAILED)
        update_connection(fleet=fleet, heartbeat_s=90, actor=TESTER)
        assert word(agent) is Reach.WAITING
        claim(agent)
        assert word(agent) is Reach.SENT

    def test_what_was_not_sent_is_waited_for(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ALL)
        everywhere = {Signal.METRICS: THERE}
        update_connection(fleet=fleet, heartbeat_s=60, telemetry=everywhere, actor=TESTER)
        claim(agent)
        give_back(agent)
        assert word(agent) is Reach.WAITING

    def test_who_takes_a_part_has_that_and_no_more(self, fleet: Fleet) -> None:
        part = int(CAPABILITIES | Capability.REPORTS_HEARTBEAT)
        agent = enrol(token=make_token(fleet=fleet), capabilities=part)
        telemetry = {Signal.METRICS: THERE}
        update_connection(fleet=fleet, heartbeat_s=60, telemetry=telemetry, actor=TESTER)
        assert word(agent) is Reach.WAITING
        claim(agent)
        assert word(agent) is Reach.UNABLE
        answer(agent, ConfigStatus.FAILED)
        assert word(agent) is Reach.FAILED

    def test_a_credential_is_applied_when_it_is_used(self, shared: IssuedToken) -> None:
        agent = come(shared.secret)
        assert word(agent) is Reach.WAITING
        offer = offered(agent)
        assert word(agent) is Reach.SENT
        come(offer.secret, agent.instance_uid)
        assert word(agent) is Reach.APPLIED

    def test_one_that_never_uses_it_has_failed(self, shared: IssuedToken) -> None:
        agent = come(shared.secret)
        for _ in range(MOST_UNUSED):
            assert word(agent) is Reach.WAITING
            offered(agent)
            assert word(agent) is Reach.SENT
            agent = come(shared.secret, agent.instance_uid)
        assert word(agent) is Reach.FAILED

    def test_a_host_by_its_own_token_needs_no_credential(self, owning_fleet: Fleet) -> None:
        token = make_token(fleet=owning_fleet, kind=TokenKind.HOST)
        assert word(enrol(token=token, capabilities=ALL)) is Reach.APPLIED

    def test_what_an_earlier_version_sent_counts_as_what_is_set(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ALL)
        update_connection(fleet=fleet, telemetry={Signal.METRICS: THERE}, actor=TESTER)
        claim(agent)
        AgentConnection.objects.update(marks=None)
        assert word(agent) is Reach.SENT

    def test_observed_members_are_not_asked(self, fleet: Fleet) -> None:
        agent = enrol(token=make_token(fleet=fleet), capabilities=ALL)
        update_connection(fleet=fleet, heartbeat_s=60, actor=TESTER)
        set_mode(agent=agent_of(agent), mode=ArrivalMode.OBSERVED, actor=TESTER)
        assert word(agent) is None


def test_a_fleet_is_counted_and_its_members_are_found_in_one_query_each(fleet: Fleet) -> None:
    issued, other = make_token(fleet=fleet), make_token(fleet=make_fleet(name="core"))
    able = [enrol(token=issued, capabilities=ALL) for _ in range(3)]
    unable = enrol(token=issued)
    for each in (fleet, other.token.fleet):
        update_connection(fleet=each, heartbeat_s=60, actor=TESTER)
    elsewhere = enrol(token=other, capabilities=ALL)
    claim(*able[:2])
    answer(able[0], ConfigStatus.APPLIED)
    with CaptureQueriesContext(connection) as queries:
        found = count_reach(fleet)
    assert len(queries) == 1
    assert found == {Reach.APPLIED: 1, Reach.SENT: 1, Reach.WAITING: 1, Reach.UNABLE: 1}
    assert {one.pk for one in Agent.objects.filter(has_reach(["unable"]))} == {unable.instance_uid}
    waiting = {able[2].instance_uid, elsewhere.instance_uid}
    assert {one.pk for one in Agent.objects.filter(has_reach(["waiting", "failed"]))} == waiting
