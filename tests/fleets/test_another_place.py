"""The server has another address or CA."""

from collections.abc import Callable
from typing import Any

import pytest

from agents.snapshot import AgentSnapshot
from fleets.connection_offer import MOST_UNUSED, SettingsOffer
from fleets.models import AgentConnection
from fleets.tokens import IssuedToken
from tests.fleets.credentials import claim, come, credentials, give_back, offered, wanted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("address")]


@pytest.mark.rule("S2", "S6")
class TestAnotherPlace:
    """The server's address or CA changed: who has a credential of its own can be told, as one that works."""

    @pytest.fixture(params=["address", "ca"])
    def change(self, request: Any, settings: Any, tmp_path: Any) -> Callable[[], None]:
        ca_file = tmp_path / "ca.pem"
        ca_file.write_text("-----BEGIN CERTIFICATE-----")
        settings.CA_FILE = str(ca_file)

        def change() -> None:
            if request.param == "ca":
                ca_file.write_text("-----BEGIN CERTIFICATE----- another")
            else:
                settings.OPAMP_URL = "wss://new.example/v1/opamp"

        return change

    def moved(self, shared: IssuedToken) -> tuple[AgentSnapshot, SettingsOffer]:
        agent = come(shared.secret)
        offer = offered(agent)
        return come(offer.secret, agent.instance_uid), offer

    def test_it_is_offered_once_somebody_has_come_by_it(
        self, shared: IssuedToken, change: Callable[[], None]
    ) -> None:
        agent, first = self.moved(shared)
        change()
        assert (claim(agent), wanted(agent)) == (None, first.hash)
        self.moved(shared)
        assert wanted(agent) != first.hash
        offer = offered(agent)
        assert (offer.endpoint, offer.ca_pem) != (first.endpoint, first.ca_pem)
        assert offer.secret not in ("", first.secret)
        assert (wanted(agent), claim(agent)) == (offer.hash, None)
        again = come(offer.secret, agent.instance_uid)
        assert (wanted(again), claim(again)) == (offer.hash, None)
        [kept] = credentials(agent_uid=agent.instance_uid, revoked_at=None)
        assert kept.parent == shared.token

    def test_who_cannot_reach_it_stays_by_the_old_credential_and_is_left_alone_in_the_end(
        self, shared: IssuedToken, change: Callable[[], None]
    ) -> None:
        agent, first = self.moved(shared)
        change()
        self.moved(shared)
        for _ in range(MOST_UNUSED):
            assert offered(agent).secret
            agent = come(first.secret, agent.instance_uid)
        last = claim(agent)
        assert last is None or not last.secret

    def test_one_that_was_not_sent_may_be_claimed_again(
        self, shared: IssuedToken, change: Callable[[], None]
    ) -> None:
        agent, _ = self.moved(shared)
        change()
        self.moved(shared)
        offered(agent)
        give_back(agent)
        assert offered(agent).secret

    def test_who_was_offered_one_by_an_older_version_is_left_alone(
        self, shared: IssuedToken, change: Callable[[], None]
    ) -> None:
        agent, first = self.moved(shared)
        AgentConnection.objects.update(place="")
        change()
        self.moved(shared)
        assert (claim(agent), wanted(agent)) == (None, first.hash)

    def test_a_ca_that_cannot_be_read_moves_nobody(
        self, shared: IssuedToken, settings: Any
    ) -> None:
        agent, first = self.moved(shared)
        settings.CA_FILE = "/nowhere/ca.pem"
        assert (claim(agent), wanted(agent)) == (None, first.hash)
