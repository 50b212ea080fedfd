"""Last known health is not health (decision 16): bars, cards, filters and rows agree on those that are cut off."""

import pytest

from agents.models import Agent
from agents.snapshot import ComponentHealth
from telflo.base.access import Role
from telflo.home.counts import read_numbers
from tests.api.caller import caller
from tests.factories import make_collector, make_fleet
from tests.pages.reading import page, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost() -> Agent:
    """Of a fleet's four collectors one is well; two were when they were cut off, and one was ill."""
    fleet = make_fleet(name="edge")
    make_collector(name="here", fleet=fleet)
    make_collector(name="gone", fleet=fleet, status="stale", health="healthy")
    make_collector(name="ill", fleet=fleet, status="disconnected", health="unhealthy")
    tree = ComponentHealth(healthy=True)
    return make_collector(
        name="lost", fleet=fleet, status="disconnected", health="healthy", tree=tree
    )


@pytest.mark.usefixtures("lost")
def test_every_number_counts_them_as_unknown() -> None:
    assert dict(read_numbers().by_health) == {"healthy": 1, "unknown": 3}
    html = page("/fleets/edge/")
    assert "1 of 4 healthy" in html
    assert 'aria-label="1 healthy, 3 unknown"' in html
    numbers = caller(Role.VIEWER)("GET", "fleets/").body["results"][0]["counts"]
    assert numbers["by_health"] == {"healthy": 1, "unknown": 3}


@pytest.mark.usefixtures("lost")
def test_the_rows_behind_a_number_are_those_that_were_counted() -> None:
    assert shown("health=healthy") == ["here"]
    assert shown("health=unhealthy") == []
    assert sorted(shown("health=unknown")) == ["gone", "ill", "lost"]
    assert sorted(shown("health=unknown&health=healthy")) == ["gone", "here", "ill", "lost"]
    assert shown("sort=health")[0] == "here"
    assert shown("sort=-health")[-1] == "here"
    assert page("/collectors/?connected=false").count(">Unknown</span></td>") == 3


def test_a_collectors_page_says_that_it_was_the_last_known(lost: Agent) -> None:
    html = page(f"/collectors/{lost.pk}/")
    assert "last known, it cannot report now" in html
    assert ">Unknown</span>" in html
    assert ">Healthy</span>" not in html


@pytest.mark.usefixtures("lost")
def test_who_was_ill_when_it_was_cut_off_is_not_called_unhealthy() -> None:
    assert "is unhealthy" not in page("/")
