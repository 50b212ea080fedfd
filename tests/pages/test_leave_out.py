"""A collector is left out of a rollout."""

import re
from datetime import timedelta

import pytest

from agents.models import Agent
from fleets.models import TargetState
from telflo.base import clock
from telflo.base.access import Role
from tests.api.caller import caller
from tests.factories import make_collector
from tests.fleets.test_stages import healthy
from tests.fleets.test_zones import Ended, Pair
from tests.pages.reading import page, posted, signed_in
from tests.pages.rollouts import started

pytestmark = pytest.mark.django_db


class TestLeaveOut:
    def test_one_is_left_out_from_its_row(self) -> None:
        rollout = started()
        agent = rollout.targets.get(agent__display_name="edge-1").agent
        assert agent is not None
        path = f"/rollouts/{rollout.number}/"
        link = f"{path}exclude/?uid={agent.pk}"
        assert link in page(path, role=Role.OPERATOR)
        assert link not in page(path)
        asked = page(link, role=Role.OPERATOR)
        assert "Leave edge-1 out?" in asked
        assert "It waits. It keeps what it runs" in asked
        client = signed_in(Role.OPERATOR)
        done = client.post(link, {"reason": "old kernel"}, follow=True).content.decode()
        assert "edge-1 is left out" in done
        assert "old kernel" in done
        assert link not in done
        assert rollout.targets.get(agent=agent).state == "excluded"

    def test_of_one_on_which_it_failed_it_is_said_that_it_stops_counting(self) -> None:
        rollout = started()
        target = rollout.targets.get(agent__display_name="edge-1")
        rollout.targets.filter(pk=target.pk).update(state=TargetState.FAILED)
        path = f"/rollouts/{rollout.number}/exclude/?uid={target.agent_id}"
        assert "stops counting against the failure budget" in page(path, role=Role.OPERATOR)
        posted(path)
        target.refresh_from_db()
        assert target.state == "excluded"

    def test_one_that_was_offered_it_stays_and_the_page_says_why(self) -> None:
        rollout = started()
        rollout.targets.update(state=TargetState.OFFERED)
        target = rollout.targets.get(agent__display_name="edge-1")
        path = f"/rollouts/{rollout.number}/exclude/?uid={target.agent_id}"
        asked = page(path, role=Role.OPERATOR)
        assert "edge-1 cannot be left out" in asked
        assert "It was offered the version" in asked
        client = signed_in(Role.OPERATOR)
        assert "Nobody was left out" in client.post(path, follow=True).content.decode()
        target.refresh_from_db()
        assert target.state == "offered"

    def test_who_is_no_target_is_not_found(self) -> None:
        rollout = started()
        stranger = make_collector(name="other")
        client = signed_in(Role.OPERATOR)
        for uid in (stranger.pk, "nonsense", ""):
            path = f"/rollouts/{rollout.number}/exclude/?uid={uid}"
            assert client.get(path).status_code == 404


class TestZones:
    def test_who_waits_for_whom_is_said_by_name_also_after_the_end(self) -> None:
        for pair in (Pair(), Ended()):
            html = page(f"/rollouts/{pair.rollout.number}/", role=Role.OPERATOR)
            name = str(Agent.objects.get(pk=pair.broken.instance_uid))
            words = " ".join(re.sub("<[^>]*>", "", html).split())
            assert f"1 collector waits for {name} of the same zone, rack=r1:" in words
            assert "Mend it, or retry it below; or leave it out" in words
            assert html.count("Held</span>") == 1
        api = caller()("GET", f"rollouts/{pair.rollout.pk}/").body["zone_holds"]
        broken = {"instance_uid": str(pair.broken.instance_uid), "name": name}
        assert api == [{"zone": "r1", "broken": [broken], "waiting": 1}]

    def test_after_the_end_the_broken_one_is_left_out_and_nobody_waits(self) -> None:
        pair = Ended()
        here = f"/rollouts/{pair.rollout.number}/"
        link = f"{here}exclude/?uid={pair.broken.instance_uid}"
        html = page(here, role=Role.OPERATOR)
        assert link in html
        assert f"{here}exclude/?uid={pair.other.instance_uid}" in html
        assert "exclude/" not in page(here)
        assert "wait for it no longer" in page(link, role=Role.OPERATOR)
        posted(link)
        html = page(here, role=Role.OPERATOR)
        assert "of the same zone" not in html
        assert "Held</span>" not in html

    def test_the_page_of_the_one_that_waits_says_for_whom(self) -> None:
        pair = Ended()
        name = str(Agent.objects.get(pk=pair.broken.instance_uid))
        here = f"/collectors/{pair.other.instance_uid}/"
        assert f"is offered once {name} of its zone is well: it failed there." in page(here)
        healthy(pair.broken, since=clock.now() - timedelta(hours=1))
        pair.rollout.targets.filter(state=TargetState.FAILED).update(
            state_since=clock.now() - timedelta(hours=1)
        )
        assert "of its zone" not in page(here)

    def test_after_the_end_nobody_else_is(self) -> None:
        pair = Ended()
        pair.rollout.targets.update(state=TargetState.SUCCEEDED)
        here = f"/rollouts/{pair.rollout.number}/"
        assert "exclude/" not in page(here, role=Role.OPERATOR)
        link = f"{here}exclude/?uid={pair.broken.instance_uid}"
        assert "cannot be left out" in page(link, role=Role.OPERATOR)
