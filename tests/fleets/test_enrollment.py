"""How collectors come in, come back, and change fleets (decisions 5, 13 to 15)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import connection
from redis.exceptions import TimeoutError as RedisTimeout

from agents.models import Agent, AgentEvent
from agents.snapshot import AgentSnapshot, Transport
from agents.store import Arrival
from fleets import admission, enrollment, places, refusals, services, tokens
from fleets.admission import Caller, admit_agents
from fleets.errors import EnrolmentRefused, NotNow
from fleets.models import ArrivalMode, Fleet, Membership, RefusedAttempt, Token, TokenKind
from fleets.tokens import IssuedToken
from telflo.base import clock
from telflo.base.ids import new_id
from tests.factories import TESTER, agent_of, enrol, make_fleet, make_token, make_version, status_of

pytestmark = pytest.mark.django_db


def member(snapshot: Any) -> Membership:
    return Membership.objects.get(agent_id=snapshot.instance_uid)


def events(snapshot: Any) -> list[str]:
    found = AgentEvent.objects.filter(agent_id=snapshot.instance_uid).order_by("id")
    return list(found.values_list("kind", flat=True))


class TestTokensThatEndMeanwhile:
    """A connection lives for weeks: what its token may do is looked at again when somebody comes in."""

    def come(self, token: enrollment.VerifiedToken) -> Any:
        caller = Caller(token, Arrival(new_id(), Transport.WEBSOCKET, "192.0.2.7"))
        return admit_agents([caller], now=clock.now())[caller.uid]

    @pytest.mark.parametrize(
        ("column", "reason"), [("retired_at", "retired"), ("enrol_until", "expired")]
    )
    def test_nobody_new_comes_in_by_one_that_ended_since_the_handshake(
        self, column: str, reason: str
    ) -> None:
        issued = make_token(fleet=make_fleet())
        verified = enrollment.verify_token(issued.secret, now=clock.now())
        assert isinstance(self.come(verified), AgentSnapshot)
        Token.objects.filter(pk=issued.token.pk).update(**{column: clock.now()})
        refused = self.come(verified)
        assert isinstance(refused, EnrolmentRefused)
        assert refused.reason == reason

    def test_gateways_cut_those_off_whose_access_ends_with_the_token(self) -> None:
        fleet = make_fleet()
        ids = [make_token(fleet=fleet, name=name).token.pk for name in "abc"]
        Token.objects.filter(pk=ids[0]).update(enrol_until=clock.now())
        assert tokens.revoked_among(ids) == set()
        Fleet.objects.update(expiry_ends_access=True)
        assert tokens.revoked_among(ids) == {ids[0]}


class TestNewcomers:
    def test_a_newcomer_is_registered_in_the_tokens_fleet_and_gets_its_version(self) -> None:
        fleet = make_fleet(version=make_version())
        agent = enrol(token=make_token(fleet=fleet))
        found = member(agent)
        assert (found.fleet, found.mode, agent.is_new) == (fleet, "managed", True)
        assert found.desired is not None
        assert found.desired.version == fleet.stable_version
        assert agent.desired_hash == found.desired.hash == status_of(agent).desired_hash
        assert events(agent) == ["enrolled", "connected"]

    def test_in_a_fleet_without_a_version_nothing_is_wanted_of_it(self) -> None:
        agent = enrol(token=make_token(fleet=make_fleet()))
        assert (agent.desired_hash, status_of(agent).status) == ("", "unmanaged")

    def test_a_fleet_may_only_observe_what_arrives_but_manages_what_quick_deploy_installed(
        self,
    ) -> None:
        fleet = make_fleet(version=make_version(), arrival_mode=ArrivalMode.OBSERVED)
        found = enrol(token=make_token(fleet=fleet))
        deployed = enrol(token=make_token(fleet=fleet, kind=TokenKind.HOST))
        assert (member(found).mode, found.desired_hash) == ("observed", "")
        assert member(deployed).mode == "managed"
        assert deployed.desired_hash

    def test_a_refused_newcomer_leaves_nothing_behind(self) -> None:
        issued = make_token(fleet=make_fleet(), expires=clock.now() + timedelta(minutes=1))
        uid = new_id()
        with pytest.raises(EnrolmentRefused):
            enrol(token=issued, uid=uid, now=clock.now() + timedelta(minutes=2))
        assert not Agent.objects.filter(pk=uid).exists()

    @pytest.mark.rule("A5")
    def test_only_so_many_newcomers_a_minute_come_by_one_token(self, settings: Any) -> None:
        settings.ENROLMENTS_PER_MINUTE = 2
        fleet = make_fleet()
        one, other = make_token(fleet=fleet), make_token(fleet=fleet)
        now = clock.now().replace(second=1)
        first = enrol(token=one, now=now)
        enrol(token=one, now=now)
        with pytest.raises(EnrolmentRefused) as refused:
            enrol(token=one, now=now)
        assert refused.value.reason == "rate"
        enrol(token=one, uid=first.instance_uid, now=now)
        enrol(token=other, now=now)
        enrol(token=one, now=now + timedelta(minutes=1))


class CacheAway:
    """Does not answer; `asked` is how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def add(self, *_arguments: Any, **_named: Any) -> Any:
        self.asked += 1
        raise RedisTimeout("Timeout reading from socket")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> CacheAway:
    made = CacheAway()
    monkeypatch.setattr(places, "cache", made)
    monkeypatch.setattr(admission, "counting", places.Counting(pause_s=3600))
    return made


class TestWithoutTheCache:
    """Enrolments are counted in the cache. While it is away nobody new comes in, and nobody else notices."""

    def admit(self, *who: tuple[IssuedToken, UUID]) -> list[Any]:
        now = clock.now()
        callers = [
            Caller(
                enrollment.verify_token(token.secret, now=now),
                Arrival(uid, Transport.WEBSOCKET, "192.0.2.7"),
            )
            for token, uid in who
        ]
        answers = admit_agents(callers, now=now)
        return [answers[uid] for _, uid in who]

    def test_of_a_batch_the_known_are_let_in_and_newcomers_are_told_to_come_back(
        self, away: CacheAway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, other = make_token(fleet=make_fleet()), make_token(fleet=make_fleet())
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(places, "cache", cache)
            known = enrol(token=one).instance_uid
        new, newer = new_id(), new_id()
        answers = self.admit((one, new), (one, known), (other, newer))
        assert [type(answer) for answer in answers] == [NotNow, AgentSnapshot, NotNow]
        assert not Agent.objects.filter(pk__in=[new, newer]).exists()
        assert away.asked == 1, "one timeout a batch"
        self.admit((other, newer))
        assert away.asked == 1, "and none for who comes right behind it"

    @pytest.mark.django_db(transaction=True)
    def test_no_row_is_locked_while_it_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[bool] = []

        class Counting:
            def free_places(self, wanted: places.Places, _now: datetime) -> places.Places:
                asked.append(connection.in_atomic_block)
                return wanted

        monkeypatch.setattr(admission, "counting", Counting())
        self.admit((make_token(fleet=make_fleet(), kind=TokenKind.HOST), new_id()))
        assert asked == [False]

    @pytest.mark.usefixtures("away")
    def test_who_may_not_come_in_at_all_is_told_so_all_the_same(self) -> None:
        issued = make_token(fleet=make_fleet(), expires=clock.now() + timedelta(minutes=1))
        with pytest.raises(EnrolmentRefused, match="expired"):
            enrol(token=issued, now=clock.now() + timedelta(minutes=2))


def test_who_is_forgotten_while_it_comes_in_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issued = make_token(fleet=make_fleet())
    agent = enrol(token=issued)
    found = admission._memberships([agent.instance_uid])
    services.forget_agent(agent=agent_of(agent), actor=TESTER)
    monkeypatch.setattr(admission, "_memberships", lambda _uids: found)
    caller = Caller(
        enrollment.verify_token(issued.secret, now=clock.now()),
        Arrival(agent.instance_uid, Transport.WEBSOCKET, "192.0.2.7"),
    )
    assert isinstance(admit_agents([caller], now=clock.now())[caller.uid], NotNow)


class TestHostTokens:
    """A token that quick deploy made for one host lets in one collector."""

    def test_a_second_collector_is_refused_with_the_reason_and_the_first_goes_on(self) -> None:
        issued = make_token(fleet=make_fleet(), kind=TokenKind.HOST)
        first = enrol(token=issued)
        second = new_id()
        with pytest.raises(EnrolmentRefused, match="let in another collector already") as refused:
            enrol(token=issued, uid=second)
        assert refused.value.reason == "taken"
        assert not Agent.objects.filter(pk=second).exists()
        assert not enrol(token=issued, uid=first.instance_uid).is_new

    def test_a_host_that_lost_its_uid_comes_in_once_its_old_collector_is_forgotten(self) -> None:
        issued = make_token(fleet=make_fleet(), kind=TokenKind.HOST)
        services.forget_agent(agent=agent_of(enrol(token=issued)), actor=TESTER)
        assert enrol(token=issued).is_new

    def test_a_known_collector_changes_to_the_token_of_a_new_deployment(self) -> None:
        fleet = make_fleet()
        agent = enrol(token=make_token(fleet=fleet))
        again = make_token(fleet=fleet, kind=TokenKind.HOST)
        enrol(token=again, uid=agent.instance_uid)
        assert member(agent).token_id == again.token.pk
        with pytest.raises(EnrolmentRefused):
            enrol(token=again)

    def test_it_takes_nobody_over_from_another_fleet_either(self) -> None:
        issued = make_token(fleet=make_fleet(), kind=TokenKind.HOST)
        enrol(token=issued)
        other = enrol(token=make_token(fleet=make_fleet()))
        with pytest.raises(EnrolmentRefused):
            enrol(token=issued, uid=other.instance_uid)

    def test_an_enrolment_token_lets_in_many(self) -> None:
        issued = make_token(fleet=make_fleet())
        assert enrol(token=issued).is_new
        assert enrol(token=issued).is_new


class TestReturns:
    def test_a_known_agent_costs_a_fixed_few_statements(
        self, django_assert_max_num_queries: Any
    ) -> None:
        issued = make_token(fleet=make_fleet(version=make_version()))
        agent = enrol(token=issued)
        with django_assert_max_num_queries(16):
            enrol(token=issued, uid=agent.instance_uid)

    def test_a_moved_agent_keeps_its_fleet_when_it_returns_by_its_old_token(self) -> None:
        old, new = make_fleet(), make_fleet()
        issued = make_token(fleet=old)
        agent = enrol(token=issued)
        services.move_agent(agent=agent_of(agent), fleet=new, actor=TESTER)
        enrol(token=issued, uid=agent.instance_uid)
        assert member(agent).fleet == new
        enrol(token=make_token(fleet=new), uid=agent.instance_uid)
        assert member(agent).fleet == new

    def test_a_token_of_another_fleet_enrols_it_there_with_an_event(self) -> None:
        old, new = make_fleet(version=make_version()), make_fleet(version=make_version())
        agent = enrol(token=make_token(fleet=old))
        again = enrol(token=make_token(fleet=new), uid=agent.instance_uid)
        assert member(agent).fleet == new
        assert again.desired_hash not in {"", agent.desired_hash}
        assert events(agent) == ["enrolled", "connected", "moved", "connected"]

    def test_a_retired_token_of_another_fleet_does_not_move_it(self) -> None:
        old, new = make_fleet(), make_fleet()
        agent = enrol(token=make_token(fleet=old))
        other = make_token(fleet=new, expires=clock.now() + timedelta(minutes=1))
        with pytest.raises(EnrolmentRefused):
            enrol(token=other, uid=agent.instance_uid, now=clock.now() + timedelta(minutes=2))
        assert member(agent).fleet == old

    def test_a_forgotten_agent_that_returns_is_new(self) -> None:
        issued = make_token(fleet=make_fleet())
        agent = enrol(token=issued)
        services.forget_agent(agent=agent_of(agent), actor=TESTER)
        again = enrol(token=issued, uid=agent.instance_uid)
        assert again.is_new
        assert events(again) == ["enrolled", "connected"]


class TestRefusals:
    def record(self, **how: Any) -> None:
        given = {
            "token_prefix": "tlf_e_abc",
            "address": "192.0.2.1",
            "reason": "unknown",
            "transport": "ws",
            "user_agent": "curl",
            "now": clock.now(),
        }
        refusals.record_refusal(**{**given, **how})

    def test_a_flood_is_one_row(self) -> None:
        for _ in range(5):
            self.record()
        self.record(count=7)
        row = RefusedAttempt.objects.get()
        assert row.count == 12

    def test_a_revoked_token_names_its_fleet(self) -> None:
        issued = make_token(fleet=make_fleet())
        self.record(token_prefix=issued.token.prefix, reason="revoked")
        assert RefusedAttempt.objects.get().fleet == issued.token.fleet

    def test_many_kinds_of_refusals_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(refusals, "MOST_NEW_ROWS", 3)
        for number in range(9):
            self.record(address=f"192.0.2.{number}")
        assert RefusedAttempt.objects.count() == 4
        assert RefusedAttempt.objects.get(address="others").count == 6

    def test_old_rows_go(self) -> None:
        self.record(now=clock.now() - timedelta(days=31))
        self.record(address="192.0.2.2")
        assert refusals.prune_refused(clock.now()) == 1
        assert RefusedAttempt.objects.get().address == "192.0.2.2"
