"""The pages of connection settings and credentials: what they show, and what they never do."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agents.models import Agent
from agents.snapshot import Capability, ComponentHealth
from fleets.connection import NewDestination, connection_of, update_connection
from fleets.connection_offer import Signal
from fleets.models import AgentConnection, Fleet, Membership, Token, TokenKind
from fleets.own_address import own_place
from fleets.tokens import end_overlaps, revoke_token
from telflo.base.access import Role
from telflo.base.activity import Actor
from tests.factories import (
    CAPABILITIES,
    TESTER,
    make_collector,
    make_fleet,
    make_person,
    make_token,
)
from tests.pages.reading import queries_of, signed_in

pytestmark = pytest.mark.django_db
PATH = "/fleets/edge/connection/"
URL = "https://otlp.example.com/v1/metrics"


@pytest.fixture
def fleet() -> Fleet:
    return make_fleet(name="edge")


@pytest.fixture(autouse=True)
def _address(settings: Any) -> None:
    settings.BASE_URL = "https://telflo.example"


def save(client: Client, **values: Any) -> Any:
    return client.post(PATH, values)


class TestTheForm:
    def test_what_is_typed_is_stored_and_secrets_are_never_shown_again(self, fleet: Fleet) -> None:
        client = signed_in(Role.ADMIN)
        answer = save(
            client,
            heartbeat_s="60",
            own_credentials="on",
            metrics_endpoint=URL,
            metrics_headers="x-api-key: s3cret\n\nx-org: 7",
        )
        assert answer["Location"] == "/fleets/edge/settings/"
        stored = connection_of(fleet)
        assert (stored.heartbeat_s, stored.own_credentials) == (60, True)
        assert "s3cret" in stored.destinations
        for path in (PATH, "/fleets/edge/settings/", "/fleets/edge/activity/"):
            assert "s3cret" not in client.get(path).content.decode()
        html = client.get(PATH).content.decode()
        assert "Kept: x-api-key, x-org." in html
        assert URL in html

    def test_headers_are_kept_replaced_or_removed(self, fleet: Fleet) -> None:
        client = signed_in(Role.ADMIN)
        save(client, metrics_endpoint=URL, metrics_headers="x-api-key: s3cret")
        save(client, metrics_endpoint=URL)
        assert "s3cret" in connection_of(fleet).destinations
        save(client, metrics_endpoint=URL, metrics_headers="x-api-key: other")
        assert "s3cret" not in connection_of(fleet).destinations
        save(client, metrics_endpoint=URL, metrics_drop_headers="on")
        assert "other" not in connection_of(fleet).destinations

    def test_an_empty_address_removes_the_destination(self, fleet: Fleet) -> None:
        client = signed_in(Role.ADMIN)
        save(client, metrics_endpoint=URL)
        save(client)
        assert connection_of(fleet).marks == {}

    def test_faults_are_said_at_their_fields_without_the_secret(self, fleet: Fleet) -> None:
        answer = save(
            signed_in(Role.ADMIN),
            heartbeat_s="1",
            metrics_endpoint="ftp://x",
            metrics_headers="s3cret",
        )
        assert answer.status_code == 422
        assert {"heartbeat_s", "metrics_headers"} <= set(answer.context["form"].errors)
        assert "Line 1 is not of the form Name: value." in answer.content.decode()

    def test_a_fault_elsewhere_does_not_send_typed_secrets_back(self, fleet: Fleet) -> None:
        typed = {"metrics_endpoint": URL, "metrics_headers": "x-api-key: s3cret"}
        faults: list[dict[str, str]] = [{"heartbeat_s": "1"}, {"logs_endpoint": "nowhere"}]
        client = signed_in(Role.ADMIN)
        for fault in faults:
            answer = save(client, **typed, **fault)
            assert answer.status_code == 422
            assert "s3cret" not in answer.content.decode()
            assert "Type the headers again" in answer.content.decode()

    def test_a_server_without_an_address_says_so(self, fleet: Fleet, settings: Any) -> None:
        settings.BASE_URL = settings.OPAMP_URL = ""
        client = signed_in(Role.ADMIN)
        assert "does not know its address" in client.get(PATH).content.decode()
        assert save(client, own_credentials="on").status_code == 422

    def test_it_says_where_collectors_will_connect(self, fleet: Fleet, settings: Any) -> None:
        settings.BASE_URL, settings.OPAMP_URL = "http://web.example:8000", ""
        client = signed_in(Role.ADMIN)
        html = client.get(PATH).content.decode()
        assert "ws://web.example:8000/v1/opamp" in html
        assert "set TELFLO_OPAMP_URL" in html
        settings.OPAMP_URL = "ws://gateway.example:4320"
        html = client.get(PATH).content.decode()
        assert "ws://gateway.example:4320/v1/opamp" in html
        assert "TELFLO_OPAMP_URL" not in html

    def test_who_is_lost_on_the_way_there_is_named_until_one_arrives(self, fleet: Fleet) -> None:
        client = signed_in(Role.ADMIN)
        token = make_token(fleet=fleet)
        pages = (PATH, "/fleets/edge/settings/", f"/tokens/{token.token.pk}/rotate/")

        def words() -> list[str]:
            return [client.get(page).content.decode() for page in pages]

        form, summary, rotation = words()
        assert "3 are sent ahead" in form
        assert "3 are sent ahead" in rotation
        assert "sent ahead" not in summary
        agent = make_collector(name="lost-1", fleet=fleet, status="disconnected", connected=False)
        sent = AgentConnection.objects.create(
            agent=agent, place=own_place(), unused_offers=1, credential=token.token
        )
        agent_url = reverse("agents:detail", args=[agent.pk])
        for html in words():
            assert f'href="{agent_url}">lost-1</a> was sent to this server' in html
        sent.unused_offers = 0
        sent.save()
        for html in words():
            assert "did not come back" not in html
            assert "sent ahead" not in html

    def test_others_see_a_summary_without_a_way_to_change_it(self, fleet: Fleet) -> None:
        there = {Signal.LOGS: NewDestination(URL, {"x-api-key": "s3cret"})}
        update_connection(fleet=fleet, heartbeat_s=45, telemetry=there, actor=TESTER)
        client = signed_in(Role.EDITOR)
        html = client.get("/fleets/edge/settings/").content.decode()
        assert "every 45 s" in html
        assert URL in html
        assert PATH not in html
        assert client.get(PATH).status_code == 403


class TestWhoUsesAToken:
    def test_the_count_leads_to_the_collectors(self, fleet: Fleet) -> None:
        token = make_token(fleet=fleet, name="image build").token
        other = make_collector(name="other-1", fleet=fleet)
        uses = make_collector(name="uses-1", fleet=fleet)
        Membership.objects.filter(agent=uses).update(token=token)
        client = signed_in(Role.VIEWER)
        address = f"/collectors/?token={token.pk}"
        assert f'href="{address}"' in client.get("/tokens/").content.decode()
        html = client.get(address).content.decode()
        assert "uses-1" in html
        assert other.display_name not in html
        assert "image build" in html
        assert client.get("/collectors/?token=nonsense").status_code == 200

    def test_rotating_may_ask_for_the_old_one_to_be_revoked(self, fleet: Fleet) -> None:
        token = make_token(fleet=fleet).token
        form = {"overlap_seconds": "3600", "revoke_old": "on"}
        assert signed_in(Role.ADMIN).post(f"/tokens/{token.pk}/rotate/", form).status_code == 200
        token.refresh_from_db()
        assert token.revoke_at == token.retired_at is not None
        assert "then revoked" in signed_in(Role.ADMIN).get("/tokens/").content.decode()


def own_credential(agent: Agent, fleet: Fleet) -> Token:
    token = Token.objects.create(
        kind=TokenKind.AGENT,
        fleet=fleet,
        name=f"credential of {agent.pk}",
        prefix="tlf_a_abcdef",
        secret_hash="0" * 64,
        agent_uid=agent.pk,
        created_at=timezone.now(),
    )
    Membership.objects.filter(agent=agent).update(token=token)
    return token


def test_revoking_a_shared_token_warns_of_those_that_may_come_back_by_it(fleet: Fleet) -> None:
    shared = make_token(fleet=fleet).token
    agent = make_collector(fleet=fleet)
    own_credential(agent, fleet)
    Membership.objects.filter(agent=agent).update(moved_from=shared)
    client = signed_in(Role.ADMIN)
    html = client.get(f"/tokens/{shared.pk}/revoke/").content.decode()
    assert (
        "1 collector came by it and was moved by an offer. Unless its file holds another token by now,"
        in html
    )
    listed = client.get("/tokens/?kind=agent&fleet=edge").content.decode()
    assert f"/collectors/{agent.pk}/" in listed
    assert "tlf_a_abcdef" not in client.get("/fleets/edge/tokens/").content.decode()


def test_a_credential_of_one_collector_is_called_by_its_name_and_found_by_it(fleet: Fleet) -> None:
    agent = make_collector(name="orders-7", fleet=fleet)
    own = own_credential(agent, fleet)
    client = signed_in(Role.ADMIN)
    for address in (
        "/tokens/?kind=agent",
        "/tokens/?kind=agent&q=orders",
        f"/tokens/?kind=agent&q={agent.pk}",
    ):
        html = client.get(address).content.decode()
        assert ">credential of orders-7</a>" in html
        assert f"credential of {agent.pk}" not in html
    assert "orders-7" not in client.get("/tokens/?kind=agent&q=billing").content.decode()
    assert "“credential of orders-7”" in client.get(f"/tokens/{own.pk}/revoke/").content.decode()
    Agent.objects.filter(pk=agent.pk).delete()
    assert f"credential of {agent.pk}" in client.get("/tokens/?kind=agent").content.decode()


class TestTheCollectorsPage:
    def test_it_names_the_credential_and_what_came_of_the_settings(self, fleet: Fleet) -> None:
        agent = make_collector(
            fleet=fleet, connection_status=3, connection_error="no route", interval_s=45
        )
        own_credential(agent, fleet)
        AgentConnection.objects.create(agent=agent, offered_at=timezone.now())
        html = signed_in(Role.VIEWER).get(f"/collectors/{agent.pk}/").content.decode()
        for words in ("its own", "tlf_a_abcdef…", "45 s", "failed", "no route"):
            assert words in html

    @pytest.mark.parametrize("kind", [TokenKind.ENROLMENT, TokenKind.HOST])
    def test_it_says_that_its_token_was_revoked_and_what_to_do(
        self, fleet: Fleet, kind: TokenKind
    ) -> None:
        issued = make_token(fleet=fleet, name="pilot", kind=kind)
        agent = make_collector(fleet=fleet, status="disconnected")
        Membership.objects.filter(agent=agent).update(token=issued.token)
        path = f"/collectors/{agent.pk}/"
        assert "revoked" not in signed_in(Role.ADMIN).get(path).content.decode()
        ada = Actor.person(make_person(role=Role.ADMIN, username="ada"))
        revoke_token(token=issued.token, actor=ada, reason="Was in a ticket")
        html = signed_in(Role.ADMIN).get(path).content.decode()
        assert "Its token “pilot” was revoked</b>" in html
        assert "by ada: “Was in a ticket”" in html
        assert 'href="/fleets/edge/deploy/">make an install command</a>' in html
        assert "ask an Admin for an install command" in signed_in().get(path).content.decode()
        assert queries_of(signed_in(), path) <= 17

    def test_a_token_that_was_revoked_by_itself_was_revoked_by_telflo(self, fleet: Fleet) -> None:
        token = make_token(fleet=fleet).token
        agent = make_collector(fleet=fleet, status="disconnected")
        Membership.objects.filter(agent=agent).update(token=token)
        Token.objects.filter(pk=token.pk).update(revoke_at=timezone.now())
        end_overlaps(timezone.now())
        html = signed_in().get(f"/collectors/{agent.pk}/").content.decode()
        assert "by Telflo: “The overlap of its rotation is over.”" in html

    def test_it_says_of_settings_what_is_known(self, fleet: Fleet) -> None:
        answers = int(CAPABILITIES | Capability.REPORTS_CONNECTION_SETTINGS_STATUS)
        offered_at = timezone.now() - timedelta(minutes=10)
        offer = {
            "offered_at": offered_at,
            "heartbeat_s": 10,
            "counted_from": 7,
            "counted_at": offered_at,
        }

        def words(capabilities: int = int(CAPABILITIES), **row: Any) -> str:
            here = {"connected_at": offered_at - timedelta(hours=1), **row}
            agent = make_collector(fleet=fleet, agent={"capabilities": capabilities}, **here)
            AgentConnection.objects.create(agent=agent, **offer)
            html = signed_in(Role.VIEWER).get(f"/collectors/{agent.pk}/").content.decode()
            found = re.search(r"offered <time[^>]*>[^<]*</time>, ([^<]*)", html)
            assert found is not None
            return found[1].strip()

        silent = "sent; this supervisor does not report back"
        assert words() == silent
        assert words(answers) == "not answered yet"
        assert words(answers, connection_status=1, connection_at=timezone.now()) == "applied"
        assert words(sequence_num=7 + 60) == "in use: it is heard every 10 s"
        assert words(sequence_num=7 + 20) == silent, "it is heard every 30 s"
        assert words(sequence_num=7 + 60, connected_at=timezone.now()) == silent

    def test_who_came_back_by_the_credential_in_them_has_them(self, fleet: Fleet) -> None:
        agent = make_collector(fleet=fleet, connected_at=timezone.now())
        token = own_credential(agent, fleet)
        before = timezone.now() - timedelta(seconds=30)
        AgentConnection.objects.create(agent=agent, credential=token, offered_at=before)
        page = signed_in(Role.VIEWER)
        words = "in use: it came back by the credential in them"
        assert words in page.get(f"/collectors/{agent.pk}/").content.decode()
        AgentConnection.objects.update(offered_at=timezone.now())
        assert words not in page.get(f"/collectors/{agent.pk}/").content.decode()

    def test_it_says_when_a_credential_is_not_offered_any_more(self, fleet: Fleet) -> None:
        agent = make_collector(fleet=fleet)
        AgentConnection.objects.create(agent=agent, unused_offers=3)
        html = signed_in(Role.VIEWER).get(f"/collectors/{agent.pk}/").content.decode()
        assert "never came back by it" in html

    def test_it_costs_as_many_queries_as_without(self, fleet: Fleet) -> None:
        plain, full = make_collector(fleet=fleet), make_collector(fleet=fleet)
        own_credential(full, fleet)
        AgentConnection.objects.create(agent=full, offered_at=timezone.now())
        client = signed_in(Role.VIEWER)
        counts = []
        for agent in (plain, full):
            with CaptureQueriesContext(connection) as queries:
                client.get(f"/collectors/{agent.pk}/")
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_an_unknown_health_says_since_when_the_last_known_one_is(self, fleet: Fleet) -> None:
        tree = ComponentHealth(healthy=True, status="StatusOK")
        agent = make_collector(fleet=fleet, health="unknown", tree=tree, health_at=timezone.now())
        html = signed_in(Role.VIEWER).get(f"/collectors/{agent.pk}/").content.decode()
        assert "last known, it has not reported since" in html
        assert "reported" in html


def test_the_django_admin_asks_before_it_ends_the_credential_of_an_agent(fleet: Fleet) -> None:
    token = own_credential(make_collector(fleet=fleet), fleet)
    form = {"action": "revoke", "_selected_action": [str(token.pk)]}
    asked = signed_in(Role.ADMIN).post("/admin/fleets/token/", form)
    assert token.prefix in asked.content.decode()
    token.refresh_from_db()
    assert token.revoked_at is None
