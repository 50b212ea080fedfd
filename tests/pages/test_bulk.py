"""What is done to many collectors at once, from their list."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, AgentEvent
from agents.services import MOST_LABELS
from fleets.models import Fleet
from fleets.rollouts.services import start_rollout
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.factories import (
    TESTER,
    make_collector,
    make_fleet,
    make_version,
)
from tests.pages.reading import posted, signed_in

pytestmark = pytest.mark.django_db

HOSTILE = "\"><script>alert('x')</script>"

# ── Many at once ──


def make_several(count: int, fleet: Fleet, **how: Any) -> list[Agent]:
    return [make_collector(fleet=fleet, **how) for _ in range(count)]


def test_those_ticked_are_asked_for_and_then_moved() -> None:
    old, new = make_fleet(name="old"), make_fleet(name="new")
    first, second, _ = make_several(3, old)
    ids = [str(first.pk), str(second.pk)]
    asked = posted("/collectors/bulk/", do="move", id=ids).content.decode()
    assert "Move 2 collectors?" in asked
    assert asked.count('name="id"') == 2
    response = posted("/collectors/bulk/", do="move", id=ids, confirmed="1", fleet=new.pk)
    assert response.status_code == 302
    assert new.memberships.count() == 2


def test_all_that_match_are_labelled() -> None:
    edge = make_fleet(name="edge")
    make_several(3, edge, agent={"labels": {"old": "1", "keep": "1"}})
    other = make_collector(fleet=make_fleet())
    path = "/collectors/bulk/?fleet=edge"
    assert "Label 3 collectors?" in posted(path, do="label", matching="1").content.decode()
    posted(path, do="label", matching="1", confirmed="1", labels="site=ams", remove="old")
    labels = Agent.objects.exclude(pk=other.pk).values_list("labels", flat=True)
    assert list(labels) == [{"keep": "1", "site": "ams"}] * 3
    other.refresh_from_db()
    assert other.labels == {}


def test_forgetting_many_says_the_number_and_needs_a_second_step() -> None:
    agents = make_several(2, make_fleet())
    ids = [str(agent.pk) for agent in agents]
    assert (
        "Forget 2 collectors?" in posted("/collectors/bulk/", do="forget", id=ids).content.decode()
    )
    assert Agent.objects.count() == 2
    posted("/collectors/bulk/", do="forget", id=ids, confirmed="1")
    assert Agent.objects.count() == 0


def bulk(do: str, agents: Iterable[Agent], **data: Any) -> HttpResponse:
    ids = [str(agent.pk) for agent in agents]
    return posted("/collectors/bulk/", do=do, id=ids, confirmed="1", **data)


def told(response: HttpResponse) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]  # the test client's


def test_one_action_on_many_is_one_entry_in_the_log_that_names_them() -> None:
    old, new = make_fleet(name="old"), make_fleet(name="new")
    first, second = make_several(2, old)
    bulk("move", [first, second], fleet=new.pk, reason="they moved house")
    entry = Activity.objects.get(action="agent.move")
    assert (entry.object_type, entry.object_label) == ("agent", "2 collectors")
    assert (entry.fleet_id, entry.reason) == (new.pk, "they moved house")
    assert entry.after == {
        "fleet": "new",
        "count": 2,
        "collectors": {str(agent.pk): agent.display_name for agent in (first, second)},
    }
    assert AgentEvent.objects.filter(kind="moved", data__from="old").count() == 2


def test_one_action_on_one_of_many_reads_like_any_other() -> None:
    only, _ = make_several(2, make_fleet(name="old"))
    bulk("label", [only], labels="site=ams")
    entry = Activity.objects.get(action="agent.label")
    assert (entry.object_id, entry.object_label) == (str(only.pk), only.display_name)
    assert entry.after == {"labels": {"site": "ams"}, "removed": []}


def test_the_log_names_no_more_than_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telflo.base.activity.MOST_NAMED", 2)
    bulk("forget", make_several(3, make_fleet()))
    after = Activity.objects.get(action="agent.forget").after
    assert after is not None
    assert (after["count"], len(after["collectors"])) == (3, 2)


def test_who_is_in_no_fleet_is_not_moved_and_the_others_are() -> None:
    old, new = make_fleet(name="old"), make_fleet(name="new")
    member, there, stray = (
        *make_several(1, old),
        *make_several(1, new),
        make_collector(name="stray"),
    )
    response = bulk("move", [member, there, stray], fleet=new.pk)
    assert told(response) == [
        "2 collectors are moved",
        "1 collector not moved: stray: stray is in no fleet.",
    ]
    assert new.memberships.count() == 2
    # Who was there already did not move.
    assert Activity.objects.get(action="agent.move").object_id == str(member.pk)


def test_who_would_have_too_many_labels_is_refused_alone() -> None:
    full, free = make_several(2, make_fleet())
    full.labels = {f"key-{n}": "" for n in range(MOST_LABELS)}
    full.save()
    response = bulk("label", [full, free], labels="one=more")
    assert told(response) == [
        "1 collector is labelled",
        f"1 collector not labelled: {full}: A collector has at most 64 labels.",
    ]
    free.refresh_from_db()
    assert free.labels == {"one": "more"}


def test_labels_that_are_too_long_are_refused_for_all() -> None:
    response = bulk("label", make_several(2, make_fleet()), labels=f"key={'x' * 201}")
    [message] = told(response)
    assert message.startswith("2 collectors not labelled: A label's key has 1 to 100 characters")
    assert not Activity.objects.filter(action="agent.label").exists()


@pytest.mark.parametrize(
    ("do", "data"), [("move", {}), ("label", {"labels": "site=ams"}), ("forget", {})]
)
def test_an_action_on_thirty_costs_as_many_statements_as_one_on_two(
    do: str, data: dict[str, Any]
) -> None:
    if do == "move":  # into a fleet in mid-rollout: the longest way
        new = make_fleet(name="new", version=make_version())
        make_collector(fleet=new)
        start_rollout(fleet=new, version=make_version(), actor=TESTER)
        data = {"fleet": new.pk}
    costs = []
    for count in (2, 2, 30):  # the first of all renders the version
        agents = make_several(count, make_fleet(), agent={"labels": {"old": "1"}})
        client = signed_in(Role.OPERATOR)
        ids = [str(agent.pk) for agent in agents]
        with CaptureQueriesContext(connection) as queries:
            client.post("/collectors/bulk/", {"do": do, "id": ids, "confirmed": "1", **data})
        costs.append(len(queries))
    assert costs[1] == costs[2]


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/collectors/bulk/", {"do": "explode"}),
        ("/collectors/bulk/", {"do": "forget", "id": "nonsense"}),
        ("/collectors/bulk/?status=bogus", {"do": "forget", "matching": "1"}),
    ],
)
def test_bulk_actions_refuse_what_makes_no_sense(path: str, data: dict[str, str]) -> None:
    make_collector()
    assert signed_in(Role.OPERATOR).post(path, data).status_code == 400
    assert Agent.objects.count() == 1
