"""The pages of fleets: the list, one fleet with its tabs, a new one, assigning a version."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from configs.models import VersionState
from fleets import services
from fleets.models import Fleet, Membership, Rollout, Token
from telflo.base.access import Role
from tests.factories import (
    TESTER,
    agent_of,
    enrol,
    make_collector,
    make_configuration,
    make_fleet,
    make_rendered,
    make_token,
    make_version,
)
from tests.fleets.story import Story
from tests.pages.reading import signed_in

pytestmark = pytest.mark.django_db
TABS = ("", "rollouts/", "deployments/", "tokens/", "settings/", "activity/")


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_a_new_fleet_answers_its_first_token_once_and_no_page_shows_it_again() -> None:
    version = make_version()
    client = signed_in(Role.ADMIN)
    answer = client.post(
        "/fleets/new/",
        {"name": "edge-eu", "version": version.pk, "arrival_mode": "managed", "expires": "180d"},
    )
    secret = answer.context["issued"].secret
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert secret in answer.content.decode()
    assert not answer.cookies.get("messages")
    fleet = Fleet.objects.get()
    assert fleet.version == version
    for path in ("/tokens/", "/fleets/", *(f"/fleets/{fleet.slug}/{tab}" for tab in TABS)):
        assert secret not in client.get(path).content.decode()


def test_an_editor_makes_a_fleet_without_a_token() -> None:
    answer = signed_in(Role.EDITOR).post(
        "/fleets/new/", {"name": "edge", "version": "", "arrival_mode": "observed"}
    )
    assert answer["Location"] == "/fleets/edge/"
    assert not Token.objects.exists()


def test_a_name_in_use_is_said_at_the_name() -> None:
    make_fleet(name="edge")
    answer = signed_in(Role.ADMIN).post(
        "/fleets/new/", {"name": "Edge", "arrival_mode": "managed", "expires": "1y"}
    )
    assert answer.status_code == 422
    assert "A fleet of this name exists." in answer.content.decode()
    assert "name" in answer.context["form"].errors
    assert Fleet.objects.count() == 1
    assert not Token.objects.exists()


def test_only_published_versions_can_be_chosen() -> None:
    version = make_version(state=VersionState.UNPUBLISHED)
    client = signed_in(Role.ADMIN)
    assert str(version.pk) not in client.get("/fleets/new/").content.decode()
    answer = client.post(
        "/fleets/new/",
        {"name": "edge", "version": version.pk, "arrival_mode": "managed", "expires": "1y"},
    )
    assert answer.status_code == 422


def test_a_new_fleet_is_proposed_the_newest_version_of_the_only_configuration() -> None:
    client = signed_in(Role.ADMIN)
    configuration = make_configuration(name="edge")
    assert "selected>None: observe only" in client.get("/fleets/new/").content.decode()
    make_version(configuration=configuration)
    newest = make_version(configuration=configuration)
    make_version(configuration=configuration, state=VersionState.UNPUBLISHED)
    make_version(state=VersionState.UNPUBLISHED)
    chosen = f'<option value="{newest.pk}" selected>'
    assert chosen in client.get("/fleets/new/").content.decode()
    make_version()
    html = client.get("/fleets/new/").content.decode()
    assert chosen not in html, "which of two configurations, nobody knows"
    assert "selected>None: observe only" in html


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_opens_empty_and_full(tab: str) -> None:
    version = make_version()
    fleet = make_fleet(name="edge", version=version)
    client = signed_in(Role.VIEWER)
    assert client.get(f"/fleets/edge/{tab}").status_code == 200
    make_token(fleet=fleet)
    make_collector(name="web-1", fleet=fleet, desired=make_rendered(version=version))
    html = client.get(f"/fleets/{fleet.pk}/{tab}").content.decode()
    assert 'aria-current="page"' in html


def test_the_fleet_page_shows_the_most_urgent_first_and_links_every_number() -> None:
    fleet = make_fleet(name="edge", version=make_version())
    make_collector(name="fine", fleet=fleet)
    make_collector(name="broken", fleet=fleet, status="failed")
    html = signed_in(Role.VIEWER).get("/fleets/edge/").content.decode()
    assert html.index(">broken</a>") < html.index(">fine</a>")
    assert "/collectors/?fleet=edge&amp;status=failed" in html


def test_the_list_and_the_fleet_cost_the_same_number_of_queries_however_many() -> None:
    client = signed_in(Role.VIEWER)
    counts = []
    for number in (1, 5):
        for _ in range(number):
            version = make_version()
            fleet = make_fleet(version=version)
            for _ in range(number):
                make_collector(fleet=fleet, desired=make_rendered(version=version))
        counts.append(
            (queries_of(client, "/fleets/"), queries_of(client, f"/fleets/{fleet.slug}/"))
        )
    assert counts[0] == counts[1]
    assert counts[0][0] <= 14
    assert counts[0][1] <= 20


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (Role.VIEWER, "new/", 403),
        (Role.OPERATOR, "new/", 403),
        (Role.EDITOR, "new/", 200),
        (Role.VIEWER, "edge/assign/", 403),
        (Role.OPERATOR, "edge/assign/", 200),
        (Role.OPERATOR, "edge/archive/", 403),
        (Role.EDITOR, "edge/deploy/", 403),
        (Role.ADMIN, "edge/deploy/", 200),
    ],
)
def test_roles_decide_who_may_change_what(role: Role, path: str, status: int) -> None:
    make_fleet(name="edge", version=make_version())
    assert signed_in(role).get(f"/fleets/{path}").status_code == status


def test_a_viewer_reads_settings_and_may_not_save_them() -> None:
    make_fleet(name="edge")
    client = signed_in(Role.VIEWER)
    html = client.get("/fleets/edge/settings/").content.decode()
    assert 'name="expiry_ends_access"' not in html
    assert client.post("/fleets/edge/settings/", {"name": "x"}).status_code == 403


def test_settings_are_saved_and_the_slug_stays() -> None:
    make_fleet(name="edge")
    answer = signed_in(Role.EDITOR).post(
        "/fleets/edge/settings/",
        {"name": "edge eu", "arrival_mode": "observed", "expiry_ends_access": "on"},
    )
    fleet = Fleet.objects.get()
    assert answer["Location"] == "/fleets/edge/settings/"
    assert (fleet.name, fleet.slug, fleet.arrival_mode) == ("edge eu", "edge", "observed")
    assert fleet.expiry_ends_access


def test_a_fleet_with_collectors_is_not_archived_and_the_page_says_why() -> None:
    fleet = make_fleet(name="edge")
    make_collector(fleet=fleet)
    answer = signed_in(Role.EDITOR).post("/fleets/edge/archive/", follow=True)
    assert "still has 1 collector" in answer.content.decode()
    fleet.refresh_from_db()
    assert fleet.archived_at is None


def test_archiving_says_how_many_collectors_of_other_fleets_keep_its_tokens() -> None:
    fleet, other = make_fleet(name="edge"), make_fleet(name="core")
    agent = agent_of(enrol(token=make_token(fleet=fleet)))
    client = signed_in(Role.EDITOR)
    quiet = client.get("/fleets/core/archive/").content.decode()
    assert "moved to other fleets" not in quiet
    services.move_agent(agent=agent, fleet=other, actor=TESTER)
    for page in ("archive", "settings"):
        text = client.get(f"/fleets/edge/{page}/").content.decode()
        assert "1 collector that was moved to another fleet came by its tokens" in text


def test_a_fleet_says_how_many_should_run_another_version_and_leads_to_bringing_them() -> None:
    story = Story(count=2)
    left = story.agents[0]
    two, member = story.version(), Membership.objects.filter(agent=left.instance_uid)
    old = member.get().desired
    story.assign(two)
    story.settle(story.agents[0])
    story.settle(story.agents[1])
    client, path = signed_in(Role.OPERATOR), f"/fleets/{story.fleet.slug}/"
    words = f"1 collector should run another version than {two}"
    member.update(desired=old)
    assert words not in client.get(path).content.decode(), "while a rollout gives it"
    story.work()
    html = client.get(path).content.decode()
    assert words in html
    bring = f"{path}assign/?version={two.pk}"
    assert f'href="{bring}"' in html
    assert "An Operator can assign" in signed_in(Role.VIEWER).get(path).content.decode()
    html = client.get(bring).content.decode()
    assert f"{two} goes to 1 collector that should run another version." in html
    assert 'value="start" disabled' not in html
    client.post(f"{path}assign/", {"version": two.pk, "do": "start"})
    assert Rollout.objects.latest("number").targets.get().agent_id == left.instance_uid


def test_an_unknown_fleet_is_not_found() -> None:
    assert signed_in(Role.ADMIN).get("/fleets/nowhere/").status_code == 404
