"""The REST API of what people do to one agent: trying again what failed, taking it into management."""

import pytest

from fleets.models import Membership, Quarantine
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.api.caller import caller
from tests.factories import (
    make_collector,
    make_fleet,
)
from tests.fleets.failed import failed_collector

pytestmark = pytest.mark.django_db


class TestRetry:
    """POST /agents/{uid}/retry/."""

    def test_what_failed_is_offered_again_by_the_pages_service(self) -> None:
        agent = failed_collector()
        answer = caller(Role.OPERATOR)("POST", f"agents/{agent.pk}/retry/", {"reason": "disk"})
        assert answer.status == 200, answer.text
        assert answer.body["instance_uid"] == str(agent.pk)
        assert not Quarantine.objects.exists()
        assert Activity.objects.get(action="agent.retry").reason == "disk"

    def test_where_nothing_failed_it_is_a_conflict(self) -> None:
        agent = make_collector(fleet=make_fleet())
        caller(Role.OPERATOR)("POST", f"agents/{agent.pk}/retry/", {}).problem(409)
        assert not Activity.objects.filter(action="agent.retry").exists()

    def test_a_viewer_may_not(self) -> None:
        agent = failed_collector()
        caller(Role.VIEWER)("POST", f"agents/{agent.pk}/retry/", {}).problem(403)
        assert Quarantine.objects.exists()


class TestMode:
    """POST /agents/{uid}/mode/."""

    def test_it_is_only_observed_and_managed_again(self) -> None:
        agent = make_collector(fleet=make_fleet())
        call = caller(Role.OPERATOR)
        assert call("GET", f"agents/{agent.pk}/").body["mode"] == "managed"
        body = {"mode": "observed", "reason": "look first"}
        answer = call("POST", f"agents/{agent.pk}/mode/", body)
        assert (answer.status, answer.body["mode"]) == (200, "observed")
        assert Membership.objects.get().mode == "observed"
        assert Activity.objects.get(action="agent.observe").reason == "look first"
        assert (
            call("POST", f"agents/{agent.pk}/mode/", {"mode": "managed"}).body["mode"] == "managed"
        )
        assert Activity.objects.filter(action="agent.adopt").exists()

    @pytest.mark.parametrize("body", [{}, {"mode": "sleeping"}])
    def test_a_mode_that_is_none_is_said_at_its_field(self, body: dict[str, str]) -> None:
        agent = make_collector(fleet=make_fleet())
        answer = caller(Role.OPERATOR)("POST", f"agents/{agent.pk}/mode/", body)
        assert answer.problem(400)["errors"][0]["pointer"] == "/mode"

    def test_who_is_in_no_fleet_has_none(self) -> None:
        agent = make_collector(fleet=make_fleet())
        Membership.objects.all().delete()
        call = caller(Role.OPERATOR)
        assert call("GET", f"agents/{agent.pk}/").body["mode"] is None
        call("POST", f"agents/{agent.pk}/mode/", {"mode": "managed"}).problem(404)

    def test_a_viewer_may_not(self) -> None:
        agent = make_collector(fleet=make_fleet())
        caller(Role.VIEWER)("POST", f"agents/{agent.pk}/mode/", {"mode": "observed"}).problem(403)
