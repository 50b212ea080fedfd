"""An address of this server that nobody came by yet: few collectors are sent there, the others once one has arrived."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.snapshot import AgentSnapshot
from fleets import tokens
from fleets.connection import update_connection
from fleets.connection_claims import claim_settings
from fleets.connection_offer import MOST_SCOUTS, Held
from fleets.credentials import offer_again
from fleets.models import AgentConnection, Fleet
from fleets.scouting import SCOUTS_FOR, ahead
from fleets.tokens import IssuedToken
from telflo.base import clock
from tests.factories import TESTER, make_fleet, make_token
from tests.fleets.credentials import claim, come, give_back, offered, wanted
from tests.fleets.story import disconnect

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("address"), pytest.mark.rule("S2")]


def come_many(shared: IssuedToken) -> list[AgentSnapshot]:
    """More than are sent ahead."""
    return [come(shared.secret) for _ in range(3 * MOST_SCOUTS)]


def sent_of(agents: list[AgentSnapshot]) -> list[AgentSnapshot]:
    """Who of these is told to connect anew, all asked together; those write it down."""
    held = {agent.instance_uid: Held(agent.epoch, agent.settings.offered) for agent in agents}
    found = claim_settings(held, now=clock.now())
    return [one for one in agents if (offer := found.get(one.instance_uid)) and offer.secret]


def who_wants(agents: list[AgentSnapshot]) -> int:
    """How many are to be offered something, as a gateway asks that compares all it holds."""
    return sum(bool(wanted(agent)) for agent in agents)


def ignore_the_offer(agents: list[AgentSnapshot]) -> None:
    """They stay where they are, for long enough."""
    before = timezone.now() - SCOUTS_FOR - timedelta(seconds=1)
    uids = [agent.instance_uid for agent in agents]
    AgentConnection.objects.filter(agent_id__in=uids).update(offered_at=before)


class TestUntilOneArrived:
    def test_few_of_many_that_are_asked_at_once_are_sent(self, shared: IssuedToken) -> None:
        agents = come_many(shared)
        assert who_wants(agents) == len(agents)
        assert len(sent_of(agents)) == MOST_SCOUTS
        assert who_wants(agents) == MOST_SCOUTS
        assert not sent_of(agents)

    def test_no_more_however_they_ask(self, shared: IssuedToken) -> None:
        assert sum(len(sent_of([one])) for one in come_many(shared)) == MOST_SCOUTS

    def test_the_others_are_told_all_that_needs_no_other_address(
        self, shared: IssuedToken, owning_fleet: Fleet
    ) -> None:
        update_connection(fleet=owning_fleet, heartbeat_s=60, actor=TESTER)
        agents = come_many(shared)
        sent = sent_of(agents)
        [other, *_] = [one for one in agents if one not in sent]
        offer = offered(other)
        assert (offer.heartbeat_s, offer.secret, offer.endpoint) == (60, "", "")

    def test_who_is_lost_takes_no_others_along(self, shared: IssuedToken) -> None:
        agents = come_many(shared)
        lost = sent_of(agents)
        for one in lost:
            disconnect(one)
        ignore_the_offer(lost)
        assert not sent_of([one for one in agents if one not in lost])
        found = ahead()
        assert found is not None
        assert {uid for uid, _ in found.lost} == {one.instance_uid for one in lost}

    def test_who_is_not_lost_and_does_not_follow_is_no_scout_for_ever(
        self, shared: IssuedToken
    ) -> None:
        agents = come_many(shared)
        deaf = sent_of(agents)
        ignore_the_offer(deaf)
        assert len(sent_of([one for one in agents if one not in deaf])) == MOST_SCOUTS

    def test_one_that_came_back_by_its_file_is_sent_again(self, shared: IssuedToken) -> None:
        agents = come_many(shared)
        [first, *_] = sent_of(agents)
        again = come(shared.secret, first.instance_uid)
        assert sent_of([again]) == [again]

    def test_an_offer_that_did_not_go_out_sends_nobody(self, shared: IssuedToken) -> None:
        agents = come_many(shared)
        for one in sent_of(agents):
            give_back(one)
        assert len(sent_of(agents)) == MOST_SCOUTS

    def test_another_try_by_a_person_proves_nothing(self, shared: IssuedToken) -> None:
        agents = come_many(shared)
        offer_again([one.instance_uid for one in sent_of(agents)])
        assert len(sent_of(agents)) == MOST_SCOUTS

    def test_a_rotation_sends_few_as_well(self) -> None:
        old = make_token(fleet=make_fleet())
        agents = come_many(old)
        tokens.rotate_token(token=old.token, overlap=timedelta(days=1), actor=TESTER)
        assert len(sent_of(agents)) == MOST_SCOUTS


class TestOnceOneArrived:
    def test_all_follow(self, shared: IssuedToken) -> None:
        agents = come_many(shared)
        first, *others = agents
        come(offered(first).secret, first.instance_uid)
        assert who_wants(others) == len(others)
        assert sent_of(others) == others
        assert ahead() is None

    def test_another_address_begins_anew(self, shared: IssuedToken, settings: Any) -> None:
        first, *others = come_many(shared)
        come(offered(first).secret, first.instance_uid)
        settings.BASE_URL = "https://elsewhere.example"
        assert len(sent_of(others)) == MOST_SCOUTS

    def test_who_has_its_own_stays_until_another_came_by_the_new_address(
        self, shared: IssuedToken, settings: Any
    ) -> None:
        first, other, *_ = come_many(shared)
        first = come(offered(first).secret, first.instance_uid)
        settings.BASE_URL = "https://elsewhere.example"
        assert claim(first) is None
        come(offered(other).secret, other.instance_uid)
        assert offered(first).endpoint == "wss://elsewhere.example/v1/opamp"
