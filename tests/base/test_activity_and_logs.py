"""The activity log's door, and log lines without secrets."""

import json
import logging
import sys

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from telflo.base.activity import Actor, actor_of, record
from telflo.base.logs import JsonFormatter, TextFormatter
from telflo.base.models import Activity
from tests.factories import TESTER, make_api_token, make_configuration, make_fleet, make_person


@pytest.mark.django_db
class TestActivity:
    def test_before_and_after_are_masked(self) -> None:
        record(
            actor=TESTER,
            action="x.y",
            obj=make_configuration(name="edge"),
            before={"token": "hunter2"},
            after={"url": "https://u:hunter2@h/"},
        )
        activity = Activity.objects.get()
        assert "hunter2" not in str(activity.before) + str(activity.after)
        assert (activity.object_type, activity.object_label) == ("configuration", "edge")

    def test_a_fleet_and_what_belongs_to_it_are_found_by_fleet(self) -> None:
        fleet = make_fleet()
        record(actor=TESTER, action="fleet.look", obj=fleet)
        assert Activity.objects.get().fleet_id == fleet.pk

    def test_each_kind_of_actor_is_named(self) -> None:
        issued = make_api_token(user=make_person(username="ada"))
        user = issued.token.user
        actors = [
            Actor.person(user),
            Actor.api_token(user, issued.token),
            Actor.worker("sweep"),
            Actor.token("edge, tlf_e_ab12"),
        ]
        assert [(actor.kind.value, actor.label) for actor in actors] == [
            ("person", "ada"),
            ("api_token", "ada, token test"),
            ("worker", "sweep"),
            ("token", "edge, tlf_e_ab12"),
        ]

    def test_the_actor_of_a_request_is_its_person_and_nobody_is_an_error(self) -> None:
        request = RequestFactory().get("/")
        request.user = make_person(username="ada")
        assert actor_of(request).label == "ada"
        request.user = AnonymousUser()
        with pytest.raises(TypeError):
            actor_of(request)


def logged(message: str, *args: object, **more: object) -> logging.LogRecord:
    found = logging.LogRecord("telflo.x", logging.WARNING, __file__, 1, message, args, None)
    vars(found).update(more)
    return found


class TestLogs:
    def test_a_line_is_json_with_its_extra_fields(self) -> None:
        line = json.loads(JsonFormatter().format(logged("saw %s", "ä", fleet="edge")))
        assert (line["message"], line["level"], line["logger"]) == ("saw ä", "warning", "telflo.x")
        assert line["fleet"] == "edge"
        assert line["time"].endswith("+00:00")

    def test_credentials_are_masked_in_message_fields_and_traceback(self) -> None:
        found = logged("Authorization: Bearer %s", "tlf_u_hunter2hunter2", token="hunter2")
        try:
            raise ValueError("https://u:hunter2@host/")  # noqa: TRY301 - a traceback is wanted
        except ValueError:
            found.exc_info = sys.exc_info()
        assert "hunter2" not in JsonFormatter().format(found)

    def test_plain_lines_are_masked_too(self) -> None:
        found = logged("Authorization: Bearer %s", "tlf_u_hunter2hunter2")
        assert "hunter2" not in TextFormatter("%(message)s").format(found)
