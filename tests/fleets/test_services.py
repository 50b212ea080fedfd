"""What people do to fleets, and what is offered of a version."""

from datetime import timedelta

import pytest

from agents import services as agent_services
from agents.configmap import configmap_sha256
from agents.models import Agent
from configs.models import VersionState
from fleets import services
from fleets.credentials import mint
from fleets.enrollment import verify_token
from fleets.errors import EnrolmentRefused, FleetInUse, TokenRefused, VersionNotPublished
from fleets.models import Attempt, Fleet, Membership, RenderedConfig
from fleets.pruning import prune_attempts
from fleets.rendering import offer_of, render_version
from fleets.tokens import IssuedToken
from telflo.base import clock
from telflo.base.errors import Conflict, DomainError
from telflo.base.models import Activity
from tests.factories import TESTER, agent_of, enrol, make_fleet, make_token, make_version
from tests.fleets.story import Story

pytestmark = pytest.mark.django_db


def create(name: str) -> Fleet:
    return services.create_fleet(name=name, version=None, actor=TESTER)


class TestFleets:
    def test_a_fleet_is_created_from_a_published_version(self) -> None:
        version = make_version()
        fleet = services.create_fleet(name=" Edge sites ", version=version, actor=TESTER)
        assert (fleet.name, fleet.slug) == ("Edge sites", "edge-sites")
        assert (fleet.version, fleet.stable_version) == (version, version)
        with pytest.raises(VersionNotPublished):
            services.create_fleet(
                name="b", version=make_version(state=VersionState.UNPUBLISHED), actor=TESTER
            )

    def test_names_are_unique_in_any_case_and_slugs_make_way(self) -> None:
        create("Edge")
        with pytest.raises(Conflict, match="Choose another name"):
            create("edge")
        assert create("Edge!").slug == "edge-2"
        assert create("日本").slug == "fleet"

    @pytest.mark.parametrize("name", ["", "  ", "x" * 101])
    def test_a_name_has_1_to_100_characters(self, name: str) -> None:
        with pytest.raises(DomainError) as error:
            create(name)
        assert error.value.field == "name"

    def test_a_change_is_logged_with_before_and_after(self) -> None:
        fleet = create("edge")
        services.update_fleet(fleet=fleet, name="core", actor=TESTER)
        entry = Activity.objects.get(action="fleet.update")
        assert entry.before is not None
        assert entry.after is not None
        assert (entry.before["name"], entry.after["name"]) == ("edge", "core")
        fleet.refresh_from_db()
        assert (fleet.name, fleet.slug) == ("core", "edge")

    def test_a_change_that_changes_nothing_leaves_no_trace(self) -> None:
        fleet = create("edge")
        before = Fleet.objects.values().get()
        same = services.update_fleet(fleet=fleet, name=" edge ", description="", actor=TESTER)
        assert same == fleet
        assert Fleet.objects.values().get() == before
        assert not Activity.objects.filter(action="fleet.update").exists()

    def test_a_change_is_made_on_the_present_state_and_not_on_what_was_read_before(self) -> None:
        stale = create("edge")
        services.update_fleet(fleet=stale, description="new", actor=TESTER)
        stale = Fleet(**{**Fleet.objects.values().get(), "description": "old"})
        changed = services.update_fleet(fleet=stale, name="core", actor=TESTER)
        assert (changed.name, changed.description) == ("core", "new")
        entry = Activity.objects.filter(action="fleet.update").latest("id")
        assert entry.before is not None
        assert entry.before["description"] == "new"

    def test_a_description_that_is_too_long_is_refused_and_not_cut(self) -> None:
        fleet = create("edge")
        with pytest.raises(DomainError, match="500") as error:
            services.update_fleet(fleet=fleet, description="x" * 501, actor=TESTER)
        assert error.value.field == "description"
        with pytest.raises(DomainError, match="500"):
            services.create_fleet(name="b", version=None, actor=TESTER, description="x" * 501)
        assert Fleet.objects.get().description == ""

    def test_only_an_empty_fleet_is_archived_and_its_tokens_are_revoked(self) -> None:
        fleet = create("edge")
        issued = make_token(fleet=fleet)
        agent = enrol(token=issued)
        with pytest.raises(FleetInUse, match="1 collector"):
            services.archive_fleet(fleet=fleet, actor=TESTER)
        services.forget_agent(agent=agent_of(agent), actor=TESTER)
        services.archive_fleet(fleet=fleet, actor=TESTER)
        with pytest.raises(TokenRefused):
            verify_token(issued.secret, now=clock.now())
        assert create("edge").pk != fleet.pk

    @pytest.mark.parametrize("has_own_credential", [False, True])
    def test_who_was_moved_out_of_an_archived_fleet_stays_and_nobody_new_comes(
        self, has_own_credential: bool
    ) -> None:
        """Decisions 8 and 9: a collector stays accepted until its token is revoked."""
        fleet, other = create("edge"), create("core")
        issued, unused = make_token(fleet=fleet), make_token(fleet=fleet, name="unused")
        agent = enrol(token=issued)
        if has_own_credential:
            minted = mint(agent.instance_uid, issued.token, now=clock.now())
            minted.token.save()
            enrol(token=IssuedToken(minted.token, minted.secret), uid=agent.instance_uid)
        services.move_agent(agent=agent_of(agent), fleet=other, actor=TESTER)
        services.archive_fleet(fleet=fleet, actor=TESTER)
        assert not enrol(token=issued, uid=agent.instance_uid).is_new
        assert Membership.objects.get().fleet == other
        with pytest.raises(EnrolmentRefused, match="retired"):
            enrol(token=issued)
        with pytest.raises(TokenRefused):
            verify_token(unused.secret, now=clock.now())


class TestRendering:
    @pytest.mark.rule("R3", "R4")
    def test_a_version_is_one_file_with_the_empty_name(self) -> None:
        version = make_version(yaml="receivers: {}\n")
        rendered = render_version(version, now=clock.now())
        offer = offer_of(rendered)
        [file] = offer.files
        assert (file.name, file.body, file.content_type) == ("", b"receivers: {}\n", "text/yaml")
        assert offer.hash == rendered.hash == configmap_sha256(offer.files)
        assert render_version(version, now=clock.now()) == rendered
        assert RenderedConfig.objects.count() == 1

    def test_two_versions_with_the_same_text_share_the_hash_but_not_the_row(self) -> None:
        one, two = make_version(yaml="a: 1"), make_version(yaml="a: 1")
        rendered = [render_version(version, now=clock.now()) for version in (one, two)]
        assert rendered[0].hash == rendered[1].hash
        assert rendered[0] != rendered[1]


class TestCollectors:
    def test_a_name_of_a_person_wins_and_an_empty_one_gives_it_back(self) -> None:
        agent = agent_of(enrol(token=make_token(fleet=make_fleet())))
        own = agent.display_name
        agent_services.rename_agent(agent=agent, name=" till 4 ", actor=TESTER)
        assert Agent.objects.get(pk=agent.pk).display_name == "till 4"
        agent_services.rename_agent(agent=agent, name="", actor=TESTER)
        assert Agent.objects.get(pk=agent.pk).display_name == own

    def test_labels_are_checked_and_found(self) -> None:
        agent = agent_of(enrol(token=make_token(fleet=make_fleet())))
        agent_services.label_agent(agent=agent, labels={"site.name": "north"}, actor=TESTER)
        Agent.objects.filter(pk=agent.pk).update(non_identifying={"site.name": "x", "os.type": "l"})
        assert list(Agent.objects.with_label("site.name", "north")) == [agent]
        assert list(Agent.objects.selected_by("site.name", "north")) == [agent]
        assert not Agent.objects.selected_by("site.name", "x").exists()
        assert list(Agent.objects.with_attribute("os.type", "l")) == [agent]
        with pytest.raises(DomainError):
            agent_services.label_agent(agent=agent, labels={"": "x"}, actor=TESTER)

    def test_search_finds_names_hosts_and_ids(self) -> None:
        agent = agent_of(enrol(token=make_token(fleet=make_fleet())))
        enrol(token=make_token(fleet=make_fleet()))
        agent_services.rename_agent(agent=agent, name="Till 4", actor=TESTER)
        assert list(Agent.objects.search("till")) == [agent]
        assert list(Agent.objects.search(str(agent.pk))) == [agent]


def test_old_attempts_go_but_never_the_last_of_an_agent_and_a_hash() -> None:
    story = Story()
    two = story.version()
    for version in (two, story.one):
        story.assign(version)
        story.settle(story.agents[0])
        story.work()
    assert Attempt.objects.count() == 3
    assert prune_attempts(clock.now() + timedelta(days=89)) == 0
    assert prune_attempts(clock.now() + timedelta(days=91)) == 1
    assert set(Attempt.objects.values_list("rendered__version", flat=True)) == {
        two.pk,
        story.one.pk,
    }
