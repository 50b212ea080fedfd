"""Credentials of single agents."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.identities import give_uid
from agents.models import Agent, AgentEvent
from agents.snapshot import AgentSnapshot, Transport
from agents.store import Arrival
from fleets import enrollment, tokens
from fleets.admission import Caller, admit_agents
from fleets.connection import update_connection
from fleets.connection_offer import MOST_UNUSED, SettingsOffer
from fleets.credentials import prune_credentials
from fleets.errors import EnrolmentRefused, TokenRefused
from fleets.models import AgentConnection, Fleet, Membership, Token, TokenKind
from fleets.services import forget_agent, move_agent
from fleets.tokens import PREFIX_LENGTH, IssuedToken
from telflo.base import clock
from telflo.base.errors import Conflict
from telflo.base.ids import new_id
from tests.factories import TESTER, agent_of, make_fleet, make_token
from tests.fleets.credentials import (
    claim,
    come,
    credentials,
    give_back,
    offered,
    one_arrives,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("address")]


def statements_of_coming(agents: Sequence[tuple[AgentSnapshot, SettingsOffer]]) -> int:
    """How many statements it takes to let these in together, each by the credential that it was offered."""
    callers = [
        Caller(
            enrollment.verify_token(offer.secret, now=clock.now()),
            Arrival(agent.instance_uid, Transport.WEBSOCKET, ""),
        )
        for agent, offer in agents
    ]
    with CaptureQueriesContext(connection) as queries:
        admit_agents(callers, now=clock.now())
    return len(queries)


@pytest.mark.rule("S6")
class TestOwnCredential:
    def test_it_is_offered_complete_and_only_its_hash_is_kept(self, shared: IssuedToken) -> None:
        agent = come(shared.secret)
        offer = offered(agent)
        assert offer.secret.startswith("tlf_a_")
        assert offer.endpoint == "wss://telflo.example/v1/opamp"
        assert offer.heartbeat_s > 0
        [made] = credentials()
        assert (made.parent, made.agent_uid) == (shared.token, agent.instance_uid)
        stored = Token.objects.filter(pk=made.pk).values().get()
        assert offer.secret not in str([stored, AgentConnection.objects.values().get()])

    @pytest.mark.parametrize(("transport", "scheme"), [("ws", "wss"), ("http", "https")])
    def test_the_transport_stays(self, shared: IssuedToken, transport: str, scheme: str) -> None:
        agent = come(shared.secret, transport=Transport(transport))
        assert offered(agent).endpoint == f"{scheme}://telflo.example/v1/opamp"

    def test_the_private_ca_goes_with_it(
        self, shared: IssuedToken, settings: Any, tmp_path: Any
    ) -> None:
        (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
        settings.CA_FILE = str(tmp_path / "ca.pem")
        assert offered(come(shared.secret)).ca_pem == "-----BEGIN CERTIFICATE-----"

    def test_seen_by_it_the_agent_has_it_and_is_offered_nothing_more(
        self, shared: IssuedToken
    ) -> None:
        agent = come(shared.secret)
        offer = offered(agent)
        again = come(offer.secret, agent.instance_uid)
        [made] = credentials()
        assert Membership.objects.get().token == made
        assert (again.settings.wanted, again.settings.in_use) == (offer.hash, True)
        assert claim(again) is None
        assert AgentConnection.objects.get().unused_offers == 0
        assert AgentEvent.objects.filter(kind="credential").count() == 1

    def test_after_a_restart_the_shared_token_counts_and_another_is_offered(
        self, shared: IssuedToken
    ) -> None:
        agent = come(shared.secret)
        first = offered(agent)
        come(first.secret, agent.instance_uid)
        back = come(shared.secret, agent.instance_uid)
        second = offered(back)
        assert second.hash != first.hash
        come(second.secret, agent.instance_uid)
        kept = credentials(revoked_at=None)
        assert [one.pk for one in kept] == [Membership.objects.get().token_id]
        with pytest.raises(TokenRefused):
            come(first.secret, agent.instance_uid)

    def test_a_retired_shared_token_still_lets_it_back_in(self, shared: IssuedToken) -> None:
        agent = come(shared.secret)
        come(offered(agent).secret, agent.instance_uid)
        tokens.retire_token(token=shared.token, actor=TESTER)
        assert not come(shared.secret, agent.instance_uid).is_new

    def test_a_moved_agent_stays_where_it_was_moved_to(self, shared: IssuedToken) -> None:
        agent = come(shared.secret)
        other = make_fleet(name="core")
        update_connection(fleet=other, own_credentials=True, actor=TESTER)
        move_agent(agent=agent_of(agent), fleet=other, actor=TESTER)
        come(offered(agent).secret, agent.instance_uid)
        come(shared.secret, agent.instance_uid)
        assert Membership.objects.get().fleet == other

    def test_it_is_refused_for_any_other_agent(self, shared: IssuedToken) -> None:
        offer = offered(come(shared.secret))
        with pytest.raises(EnrolmentRefused) as refused:
            come(offer.secret, new_id())
        assert refused.value.reason == "other_agent"
        assert str(refused.value) == "The credential belongs to another collector."
        assert Membership.objects.count() == 1

    def test_it_can_be_revoked_alone(self, shared: IssuedToken) -> None:
        one, two = come(shared.secret), come(shared.secret)
        offers = [offered(one), offered(two)]
        tokens.revoke_token(token=credentials(agent_uid=one.instance_uid)[0], actor=TESTER)
        with pytest.raises(TokenRefused):
            come(offers[0].secret, one.instance_uid)
        come(offers[1].secret, two.instance_uid)

    def test_who_never_comes_back_by_one_is_left_alone_until_the_settings_change(
        self, shared: IssuedToken, owning_fleet: Fleet
    ) -> None:
        agent = come(shared.secret)
        for _ in range(MOST_UNUSED):
            assert offered(agent).secret
            agent = come(shared.secret, agent.instance_uid)
        last = claim(agent)
        assert last is None or not last.secret
        update_connection(fleet=owning_fleet, heartbeat_s=60, actor=TESTER)
        assert offered(come(shared.secret, agent.instance_uid)).secret

    def test_many_who_come_by_theirs_at_once_cost_as_many_statements_as_one(
        self, shared: IssuedToken
    ) -> None:
        one_arrives()
        [one, *many] = [
            (agent, offered(agent)) for agent in (come(shared.secret) for _ in range(6))
        ]
        alone = statements_of_coming([one])
        assert statements_of_coming(many) == alone
        uids = {agent.instance_uid for agent, _ in [one, *many]}
        events = AgentEvent.objects.filter(kind="credential", agent__in=uids)
        assert {event.agent_id: event.data["token"] for event in events} == {
            agent.instance_uid: offer.secret[:PREFIX_LENGTH] for agent, offer in [one, *many]
        }

    def test_one_that_was_not_sent_is_gone(self, shared: IssuedToken) -> None:
        agent = come(shared.secret)
        offered(agent)
        give_back(agent)
        assert not credentials()
        assert offered(agent).secret

    def test_off_by_default(self) -> None:
        assert claim(come(make_token(fleet=make_fleet()).secret)) is None

    def test_a_host_token_is_one_of_its_own_already(self, owning_fleet: Fleet) -> None:
        host = make_token(fleet=owning_fleet, kind=TokenKind.HOST)
        assert claim(come(host.secret)) is None

    def test_it_is_not_rotated_by_people(self, shared: IssuedToken) -> None:
        offered(come(shared.secret))
        with pytest.raises(Conflict):
            tokens.rotate_token(token=credentials()[0], overlap=timedelta(days=1), actor=TESTER)

    def test_it_ends_when_the_agent_is_forgotten(self, shared: IssuedToken) -> None:
        one, two = come(shared.secret), come(shared.secret)
        first, second = offered(one), offered(two)
        come(first.secret, one.instance_uid)
        forget_agent(agent=agent_of(one), actor=TESTER)
        with pytest.raises(TokenRefused) as refused:
            come(first.secret, one.instance_uid)
        assert refused.value.reason == "revoked"
        come(second.secret, two.instance_uid)
        assert come(shared.secret, one.instance_uid).is_new

    def test_it_stays_while_a_copy_of_the_forgotten_agent_uses_it(
        self, shared: IssuedToken
    ) -> None:
        agent, copy = come(shared.secret), come(shared.secret)
        come(offered(agent).secret, agent.instance_uid)
        [own] = credentials()
        Membership.objects.filter(agent=copy.instance_uid).update(token=own)
        forget_agent(agent=agent_of(agent), actor=TESTER)
        assert credentials(revoked_at=None) == [own]

    def test_a_copy_that_comes_by_it_has_the_same_file(self, shared: IssuedToken) -> None:
        agent = come(shared.secret)
        secret = offered(agent).secret
        come(secret, agent.instance_uid)
        copy = give_uid(
            instance_uid=agent.instance_uid, remote_address="", is_clone=True, now=clock.now()
        )
        come(secret, copy)
        moved = tokens.moved_from(shared.token).values_list("agent_id", flat=True)
        assert set(moved) == {agent.instance_uid, copy}

    def test_those_of_agents_that_were_forgotten_before_are_ended(
        self, shared: IssuedToken
    ) -> None:
        gone, here = come(shared.secret), come(shared.secret)
        offered(gone), offered(here)
        Agent.objects.filter(pk=gone.instance_uid).delete()
        prune_credentials(clock.now())
        [left] = credentials(revoked_at=None)
        assert left.agent_uid == here.instance_uid

    def test_replaced_ones_are_pruned_in_time(self, shared: IssuedToken) -> None:
        agent = come(shared.secret)
        come(offered(agent).secret, agent.instance_uid)
        come(offered(come(shared.secret, agent.instance_uid)).secret, agent.instance_uid)
        assert prune_credentials(clock.now()) == 0
        assert prune_credentials(clock.now() + timedelta(days=31)) == 1
        assert len(credentials()) == 1
