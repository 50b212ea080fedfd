"""A collector is left out of a rollout."""

import pytest

from fleets.models import TargetState
from telflo.base.access import Role
from tests.factories import make_collector
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
