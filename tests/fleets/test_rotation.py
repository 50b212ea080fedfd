"""What a rotation offers in its overlap."""

from datetime import timedelta
from typing import Any

import pytest

from agents.models import AgentEvent
from agents.views.events import lines_of
from fleets import enrollment, tokens
from fleets.connection import update_connection
from fleets.errors import EnrolmentRefused, TokenRefused
from fleets.models import Handover, Token
from fleets.tasks import sweep_tokens
from fleets.tokens import IssuedToken
from fleets.views.token_rows import token_rows
from fleets.views.token_words import words_of_revoking
from telflo.base import clock
from tests.factories import TESTER, make_fleet, make_token
from tests.fleets.credentials import claim, come, offered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("address")]


@pytest.mark.rule("S5")
class TestRotation:
    def rotate(self, old: IssuedToken, **how: Any) -> IssuedToken:
        overlap = how.pop("overlap", timedelta(days=1))
        return tokens.rotate_token(token=old.token, overlap=overlap, actor=TESTER, **how)

    def test_who_uses_the_old_one_is_offered_the_new_one(self) -> None:
        old = make_token(fleet=make_fleet())
        agent = come(old.secret)
        assert claim(agent) is None
        new = self.rotate(old)
        offer = offered(agent)
        assert offer.secret == new.secret
        again = come(offer.secret, agent.instance_uid)
        assert claim(again) is None
        assert list(tokens.members_of(old.token)) == []
        assert [m.agent_id for m in tokens.members_of(new.token)] == [agent.instance_uid]
        events = AgentEvent.objects.filter(agent=agent.instance_uid, kind="credential")
        assert [line.what for line in lines_of(events, {})] == ["Moved to the token's successor"]

    def test_who_was_moved_may_come_back_by_the_old_one(self) -> None:
        old = make_token(fleet=make_fleet())
        agent, waits = come(old.secret), come(old.secret)
        new = self.rotate(old)
        come(offered(agent).secret, agent.instance_uid)
        by_its_file = come(new.secret)
        assert [m.agent_id for m in tokens.moved_from(old.token)] == [agent.instance_uid]
        assert [m.agent_id for m in tokens.members_of(old.token)] == [waits.instance_uid]
        words = words_of_revoking([old.token])[old.token.pk]
        assert "1 collector came by it and was moved by an offer" in words
        [row] = token_rows([old.token], clock.now())
        assert (row.collectors, row.moved) == (1, 1)
        come(old.secret, agent.instance_uid)
        assert not tokens.moved_from(old.token)
        assert not tokens.moved_from(new.token)
        assert by_its_file.is_new

    def test_who_was_moved_twice_may_come_back_by_the_first(self) -> None:
        first = make_token(fleet=make_fleet())
        agent = come(first.secret)
        second = self.rotate(first)
        moved = come(offered(agent).secret, agent.instance_uid)
        third = self.rotate(second)
        come(offered(moved).secret, agent.instance_uid)
        rows = token_rows([first.token, second.token, third.token], clock.now())
        assert [(row.collectors, row.moved) for row in rows] == [(0, 1), (0, 0), (1, 0)]
        assert "came by it" in words_of_revoking([first.token])[first.token.pk]
        assert "came by it" not in words_of_revoking([second.token])[second.token.pk]

    def test_who_was_moved_to_its_own_by_way_of_a_successor_may_come_back_by_the_first(
        self, shared: IssuedToken
    ) -> None:
        update_connection(fleet=shared.token.fleet, own_credentials=False, actor=TESTER)
        agent = come(shared.secret)
        second = self.rotate(shared)
        moved = come(offered(agent).secret, agent.instance_uid)
        update_connection(fleet=shared.token.fleet, own_credentials=True, actor=TESTER)
        come(offered(moved).secret, agent.instance_uid)
        assert [m.agent_id for m in tokens.moved_from(shared.token)] == [agent.instance_uid]
        assert not tokens.moved_from(second.token)

    def test_whose_file_holds_the_successor_was_not_moved(self) -> None:
        old = make_token(fleet=make_fleet())
        agent = come(old.secret)
        new = self.rotate(old)
        come(new.secret, agent.instance_uid)
        assert not tokens.moved_from(old.token)

    def test_where_each_collector_has_its_own_that_is_offered(self, shared: IssuedToken) -> None:
        agent = come(shared.secret)
        self.rotate(shared)
        assert offered(agent).secret.startswith("tlf_a_")

    def test_both_are_valid_until_the_agent_is_seen_by_the_new_one(self) -> None:
        old = make_token(fleet=make_fleet())
        agent = come(old.secret)
        self.rotate(old)
        offered(agent)
        assert not come(old.secret, agent.instance_uid).is_new

    def test_the_new_secret_is_kept_encrypted_and_only_for_the_overlap(self) -> None:
        old = make_token(fleet=make_fleet())
        new = self.rotate(old)
        raw = Handover.objects.extra(select={"raw": "secret"}).values_list("raw", flat=True).get()
        assert new.secret.encode() not in bytes(raw)
        Handover.objects.update(until=clock.now())
        agent = come(old.secret)
        sweep_tokens()
        assert not Handover.objects.exists()
        assert claim(agent) is None

    def test_without_an_overlap_nothing_is_kept(self) -> None:
        self.rotate(make_token(fleet=make_fleet()), overlap=timedelta())
        assert not Handover.objects.exists()

    def test_at_the_deadline_the_old_one_retires_and_stays_valid_for_who_is_known(self) -> None:
        old = make_token(fleet=make_fleet())
        agent = come(old.secret)
        self.rotate(old)
        Token.objects.filter(pk=old.token.pk).update(retired_at=clock.now())
        sweep_tokens()
        assert not come(old.secret, agent.instance_uid).is_new
        with pytest.raises(EnrolmentRefused):
            come(old.secret)

    def test_if_asked_for_it_is_revoked_at_the_deadline_and_not_before(self) -> None:
        old = make_token(fleet=make_fleet())
        come(old.secret)
        self.rotate(old, revoke_old=True)
        sweep_tokens()
        assert enrollment.verify_token(old.secret, now=clock.now()).id == old.token.pk
        Token.objects.filter(pk=old.token.pk).update(revoke_at=clock.now())
        assert sweep_tokens() == 1
        with pytest.raises(TokenRefused) as refused:
            enrollment.verify_token(old.secret, now=clock.now())
        assert refused.value.reason == "revoked"
