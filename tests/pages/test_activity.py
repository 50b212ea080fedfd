"""The activity page: each entry leads to what it is about, where that still exists and the reader may see it."""

import re

import pytest
from django.test import Client

from agents.services import rename_agent
from configs.models import VersionState
from configs.services import publish_version
from fleets.models import Platform
from fleets.quickdeploy.services import create_deployment
from fleets.rollouts.services import start_rollout
from fleets.services import forget_agent, update_fleet
from fleets.tokens import revoke_token
from telflo.base.access import Role
from telflo.base.activity import Actor, record
from telflo.base.models import User
from tests.factories import (
    TESTER,
    make_api_token,
    make_collector,
    make_fleet,
    make_person,
    make_token,
    make_version,
)
from tests.pages.reading import queries_of, signed_in

pytestmark = pytest.mark.django_db


def links(client: Client, path: str = "/activity/") -> dict[str, str]:
    """Where the entries lead, by their codes; "" for nowhere."""
    html = client.get(path).content.decode()
    rows = re.findall(
        r'(?s)<td class="wrapx" title="([a-z_.]+)">.*?<td class="md wrapx">(.*?)</td>', html
    )
    hrefs = {code: re.search(r'href="([^"]*)"', cell) for code, cell in rows}
    return {code: found[1].replace("&amp;", "&") if found else "" for code, found in hrefs.items()}


def test_each_entry_leads_to_what_it_is_about() -> None:
    first, second = make_version(), make_version(state=VersionState.UNPUBLISHED)
    fleet = make_fleet(name="edge", version=first)
    agent, token = make_collector(fleet=fleet), make_token(fleet=fleet).token
    publish_version(version=second, actor=TESTER)
    second.refresh_from_db()
    rollout = start_rollout(fleet=fleet, version=second, actor=TESTER)
    update_fleet(fleet=fleet, description="west", actor=TESTER)
    rename_agent(agent=agent, name="web-1", actor=TESTER)
    revoke_token(token=token, actor=TESTER)
    made = create_deployment(fleet=fleet, platform=Platform.LINUX_AMD64.value, actor=TESTER)
    expected = {
        "version.publish": f"/configurations/{second.configuration_id}/versions/1/",
        "fleet.assign": f"/rollouts/{rollout.number}/",
        "fleet.update": "/fleets/edge/",
        "agent.rename": f"/collectors/{agent.pk}/",
        "token.issue": f"/tokens/?kind=enrolment&state=all&q={token.prefix}",
        "token.revoke": f"/tokens/?kind=enrolment&state=all&q={token.prefix}",
        "deployment.create": f"/fleets/edge/deployments/{made.deployment.pk}/",
    }
    client = signed_in(Role.VIEWER)
    assert links(client) == expected
    of_fleet = {
        code: link
        for code, link in expected.items()
        if code not in {"version.publish", "agent.rename"}
    }
    assert links(client, "/fleets/edge/activity/") == of_fleet
    for link in expected.values():
        assert client.get(link).status_code == 200


def test_values_are_shown_as_the_api_has_them() -> None:
    fleet = make_fleet(name="edge")
    record(actor=TESTER, action="fleet.update", obj=fleet, after={"kept": True, "version": None})
    html = signed_in(Role.VIEWER).get("/activity/").content.decode()
    assert "{&quot;kept&quot;: true, &quot;version&quot;: null}" in html


def test_what_people_do_to_a_rollout_leads_to_it() -> None:
    fleet = make_fleet(version=make_version())
    rollout = start_rollout(fleet=fleet, version=make_version(), actor=TESTER)
    record(actor=TESTER, action="rollout.pause", obj=rollout)
    assert links(signed_in())["rollout.pause"] == f"/rollouts/{rollout.number}/"


def test_what_is_gone_has_no_link() -> None:
    agent = make_collector(fleet=make_fleet())
    forget_agent(agent=agent, actor=TESTER)
    assert links(signed_in()) == {"agent.forget": ""}


def test_people_and_their_tokens_are_linked_for_those_who_may_see_them() -> None:
    ada, bob = make_person(username="ada"), make_person(username="bob")
    record(actor=TESTER, action="person.set_role", obj=ada)
    make_api_token(user=ada)

    def seen_by(person: User) -> dict[str, str]:
        client = Client()
        client.force_login(person)
        return links(client)

    mine = "/accounts/profile/"
    assert seen_by(ada) == {"person.set_role": mine, "api_token.create": mine}
    assert seen_by(bob) == {"person.set_role": "", "api_token.create": ""}
    admin = seen_by(make_person(role=Role.ADMIN))
    assert admin == {
        "person.set_role": f"/settings/people/#person-{ada.pk}",
        "api_token.create": "",
    }


def test_many_entries_cost_as_many_queries_as_few() -> None:
    client, counts = signed_in(), []
    for _ in range(2):
        for _ in range(3):
            fleet = make_fleet(version=make_version())
            update_fleet(fleet=fleet, description="west", actor=TESTER)
            rename_agent(agent=make_collector(fleet=fleet), name="", actor=TESTER)
            make_token(fleet=fleet)
            record(actor=TESTER, action="version.save", obj=make_version())
        counts.append(
            (
                queries_of(client, "/activity/"),
                queries_of(client, f"/fleets/{fleet.slug}/activity/"),
            )
        )
    assert counts[0] == counts[1]
    assert counts[0][0] <= 12
    assert counts[0][1] <= 16


def test_what_no_person_did_is_said_to_be_done_by_telflo() -> None:
    fleet = make_fleet(name="edge")
    worker = Actor.worker("rollouts")
    record(actor=worker, action="fleet.update", obj=fleet, fleet_id=fleet.pk, label="edge")
    client = signed_in(Role.ADMIN)
    for path in ("/activity/", "/fleets/edge/activity/"):
        assert "<td>Telflo</td>" in client.get(path).content.decode(), path
    assert "<b>Telflo</b> changed" in client.get("/").content.decode()
