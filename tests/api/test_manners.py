"""What holds for every call: who may, problems, pages, parameters, ETags, idempotency."""

import logging
from base64 import b64encode
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client

from configs.models import Configuration
from telflo.base import clock
from telflo.base.access import Role
from telflo.base.models import Activity, ApiToken, IdempotencyRecord, TokenScope
from tests.api.caller import Caller, caller
from tests.factories import (
    make_api_token,
    make_collector,
    make_configuration,
    make_fleet,
    make_person,
)

pytestmark = pytest.mark.django_db


class TestAuthentication:
    def test_nobody_is_asked_for_a_token(self) -> None:
        answer = Caller()("GET", "configurations/")
        answer.problem(401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("secret", ["tlf_u_unknown", "hunter2", "tlf_e_abc", "ä"])
    def test_an_unknown_token_is_refused(self, secret: str) -> None:
        assert "token" in Caller(secret)("GET", "configurations/").problem(401)["detail"]

    def test_a_revoked_an_expired_and_a_disabled_persons_token_are_refused(self) -> None:
        revoked, expired, disabled = (make_api_token() for _ in range(3))
        ApiToken.objects.filter(pk=revoked.token.pk).update(revoked_at=clock.now())
        past = clock.now() - timedelta(seconds=1)
        ApiToken.objects.filter(pk=expired.token.pk).update(expires_at=past)
        disabled.token.user.is_active = False
        disabled.token.user.save(update_fields=["is_active"])
        for issued, word in ((revoked, "revoked"), (expired, "expired"), (disabled, "disabled")):
            problem = Caller(issued.secret)("GET", "configurations/").problem(401)
            assert word in problem["detail"]

    def test_a_read_token_cannot_write(self) -> None:
        call = caller(Role.ADMIN, TokenScope.READ)
        assert call("GET", "configurations/").status == 200
        call("POST", "configurations/", {"name": "x"}).problem(403)
        assert not Configuration.objects.exists()

    def test_the_role_limits_a_write_token(self) -> None:
        problem = caller(Role.OPERATOR)("POST", "configurations/", {"name": "x"}).problem(403)
        assert problem["detail"] == "It takes the role Editor; yours is Operator."
        caller(Role.EDITOR)("GET", "people/").problem(403)

    def test_use_is_noted_at_most_once_a_minute(self) -> None:
        issued = make_api_token()
        call = Caller(issued.secret)
        call("GET", "events/")
        first = ApiToken.objects.get().last_used_at
        call("GET", "events/")
        assert first is not None
        assert ApiToken.objects.get().last_used_at == first

    def test_a_browser_session_reads_and_needs_a_csrf_token_to_write(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(make_person(role=Role.ADMIN))
        assert client.get("/api/v1/configurations/").status_code == 200
        body = {"name": "x"}
        refused = client.post("/api/v1/configurations/", body, content_type="application/json")
        assert refused.status_code == 403
        assert "CSRF" in refused.json()["detail"]


class TestProblems:
    def test_an_unknown_address_is_a_problem(self) -> None:
        caller()("GET", "nonsense/").problem(404)
        caller()("POST", "nonsense").problem(404)

    def test_a_wrong_method_names_the_right_ones(self) -> None:
        answer = caller()("DELETE", "configurations/")
        answer.problem(405)
        assert "POST" in answer.headers["Allow"]

    def test_a_body_that_is_no_json_is_400_and_another_type_415(self) -> None:
        call = caller()
        response = call.client.post(
            "/api/v1/configurations/", "{", content_type="application/json", headers=call.headers
        )
        assert response.status_code == 400
        response = call.client.post("/api/v1/configurations/", {"name": "x"}, headers=call.headers)
        assert response.status_code == 415
        assert response.headers["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b'{"name": ' + b"[" * 60 + b"]" * 60 + b"}",
        ],
    )
    def test_a_body_nested_beyond_need_is_400(self, body: bytes) -> None:
        call = caller()
        response = call.client.post(
            "/api/v1/configurations/", body, content_type="application/json", headers=call.headers
        )
        assert response.status_code == 400
        assert response.headers["Content-Type"] == "application/problem+json"
        assert "nested" in response.json()["detail"]

    @pytest.mark.parametrize("charset", ["zip", "hex", "utf-16", "no-such"])
    def test_a_body_is_read_as_utf_8_whatever_its_type_says(self, charset: str) -> None:
        call = caller()
        response = call.client.generic(
            "POST",
            "/api/v1/configurations/",
            b'{"name": "\xc3\xa4"}',
            content_type=f"application/json; charset={charset}",
            headers=call.headers,
        )
        assert response.status_code == 201, response.content
        assert response.json()["name"] == "ä"

    def test_fields_are_pointed_at(self) -> None:
        problem = caller()("POST", "configurations/", {"name": ""}).problem(400)
        assert problem["errors"][0]["pointer"] == "/name"
        problem = caller()("POST", "configurations/", {"name": "  \t"}).problem(400)
        assert problem["errors"][0]["pointer"] == "/name"

    def test_a_failure_of_the_server_shows_a_reference_and_nothing_else(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("hunter2 inside")

        monkeypatch.setattr("configs.api.create_configuration", fail)
        with caplog.at_level(logging.ERROR):
            problem = caller()("POST", "configurations/", {"name": "x"}).problem(500)
        assert "hunter2" not in str(problem)
        assert problem["reference"] in caplog.text


class TestLists:
    def test_pages_follow_each_other_without_gap(self) -> None:
        names = [make_configuration(name=f"c{number:02}").name for number in range(7)]
        call = caller()
        answer = call("GET", "configurations/?limit=3").body
        seen = [row["name"] for row in answer["results"]]
        while answer["next"]:
            answer = call("GET", answer["next"].partition("/api/v1/")[2]).body
            seen += [row["name"] for row in answer["results"]]
        assert seen == names
        assert answer["previous"]

    def test_ordering_is_limited_to_what_the_list_offers(self) -> None:
        make_configuration(name="a")
        make_configuration(name="b")
        call = caller()
        rows = call("GET", "configurations/?ordering=-name").body["results"]
        assert [row["name"] for row in rows] == ["b", "a"]
        call("GET", "configurations/?ordering=created_by__password").problem(400)

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=501", "limit=x", "limit=²", "cursor=x", "archived=perhaps"]
    )
    def test_a_wrong_value_is_400(self, query: str) -> None:
        problem = caller()("GET", f"configurations/?{query}").problem(400)
        assert problem["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"

    @pytest.mark.parametrize(
        "path", ["events/", "rollouts/", "api-tokens/", "agents/", "agents/?ordering=status_since"]
    )
    @pytest.mark.parametrize("position", ["p=x\0", "p=x", "p=%00", "p=", "o=x", "r=x", "p=\xff"])
    def test_a_cursor_that_was_not_made_here_is_400(self, path: str, position: str) -> None:
        cursor = quote(b64encode(position.encode()))
        answer = caller()("GET", f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
        if path == "agents/" and position in {"p=x", "p="}:
            assert answer.status == 200, "a name may be any text"
            return
        [error] = answer.problem(400)["errors"]
        assert error["pointer"] == "/cursor"
        assert error["message"] == "This cursor is not valid. Start from the first page."

    def test_an_unknown_parameter_is_400_and_named(self) -> None:
        call = caller()
        problem = call("GET", "configurations/?nane=x").problem(400)
        assert problem["errors"][0]["pointer"] == "/nane"
        call("GET", f"configurations/{make_configuration().pk}/?raw=1").problem(400)
        call("POST", "configurations/?x=1", {"name": "x"}).problem(400)

    def test_a_list_costs_the_same_queries_however_long(
        self, django_assert_num_queries: pytest.FixtureRequest
    ) -> None:
        call = caller()
        call("GET", "configurations/")
        for _ in range(3):
            make_configuration()
        with django_assert_num_queries(2):  # type: ignore[operator]  # the token, the page
            call("GET", "configurations/")


class TestETags:
    def test_a_lost_race_is_412_and_changes_nothing(self) -> None:
        call = caller()
        path = f"configurations/{make_configuration(name='a').pk}/"
        etag = call("GET", path).headers["ETag"]
        changed = call("PATCH", path, {"name": "b"}, If_Match=etag)
        assert changed.status == 200
        assert changed.headers["ETag"] == call("GET", path).headers["ETag"] != etag
        call("PATCH", path, {"name": "c"}, If_Match=etag).problem(412)
        assert Configuration.objects.get().name == "b"

    def test_without_if_match_the_change_is_made(self) -> None:
        path = f"configurations/{make_configuration().pk}/"
        assert caller()("PATCH", path, {"name": "c"}).body["name"] == "c"


class TestIdempotency:
    def test_a_repeated_write_is_done_once_and_answered_the_same(self) -> None:
        call = caller()
        first = call("POST", "configurations/", {"name": "x"}, Idempotency_Key="k1")
        again = call("POST", "configurations/", {"name": "x"}, Idempotency_Key="k1")
        assert (first.status, first.body) == (again.status, again.body)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert Configuration.objects.count() == 1

    def test_a_replay_has_no_secret(self) -> None:
        call = caller()
        first = call("POST", "api-tokens/", {"name": "x"}, Idempotency_Key="k").body
        again = call("POST", "api-tokens/", {"name": "x"}, Idempotency_Key="k").body
        assert first["secret"].startswith("tlf_u_")
        assert again == {name: value for name, value in first.items() if name != "secret"}
        assert first["secret"] not in str(list(IdempotencyRecord.objects.values()))

    def test_the_key_with_another_body_is_refused(self) -> None:
        call = caller()
        call("POST", "configurations/", {"name": "x"}, Idempotency_Key="k")
        call("POST", "configurations/", {"name": "y"}, Idempotency_Key="k").problem(422)

    def test_a_refused_write_leaves_the_key_free(self) -> None:
        call = caller()
        call("POST", "configurations/", {"name": ""}, Idempotency_Key="k").problem(400)
        assert call("POST", "configurations/", {"name": "x"}, Idempotency_Key="k").status == 201

    def test_keys_of_two_people_are_apart(self) -> None:
        assert caller()("POST", "configurations/", {"name": "x"}, Idempotency_Key="k").status == 201
        assert caller()("POST", "configurations/", {"name": "y"}, Idempotency_Key="k").status == 201


def test_answers_are_not_cached() -> None:
    assert caller()("GET", "events/").headers["Cache-Control"] == "no-store"


def test_changes_say_which_token_made_them() -> None:
    caller()("POST", "configurations/", {"name": "x"})
    activity = Activity.objects.get(action="configuration.create")
    assert activity.actor_kind == "api_token"
    assert activity.actor_label.startswith("test (token of ")


@pytest.mark.parametrize("path", ["/api/", "/api/v1/"])
def test_the_addresses_above_all_calls_lead_to_the_documentation(path: str) -> None:
    assert Client().get(path).status_code == 401
    client = Client()
    client.force_login(make_person())
    assert client.get(path)["Location"] == "/api/v1/docs/"
    assert client.get(path, follow=True).status_code == 200
    assert client.get(path.rstrip("/"))["Location"] == path


class TestBodies:
    @pytest.mark.parametrize(
        ("method", "path", "body", "pointer"),
        [
            ("POST", "configurations/", {"name": "x", "nane": "y"}, "/nane"),
            ("POST", "configurations/", {"name": "x", "a/b\0": 1}, "/a~1b\0"),
            ("POST", "api-tokens/", {"name": "x", "id": "1"}, "/id"),
            ("POST", "people/", {"username": "x", "password": "y"}, "/password"),
            ("POST", "fleets/", {"name": "x", "slug": "y"}, "/slug"),
            ("POST", "rollouts/", {"stages": []}, "/stages"),
            ("POST", "rollouts/", {"plan": {"preset": "canary", "soak": 1}}, "/plan/soak"),
            ("PATCH", "agents/{agent}/", {"colour": "red"}, "/colour"),
            ("POST", "agents/{agent}/restart/", {"because": "y"}, "/because"),
            ("PATCH", "fleets/{fleet}/", {"version": 2}, "/version"),
            ("POST", "fleets/{fleet}/tokens/", {"name": "x", "kind": "host"}, "/kind"),
            ("POST", "fleets/{fleet}/deployments/", {"name": "x", "code": "y"}, "/code"),
            ("POST", "fleets/{fleet}/archive/", {"because": "y"}, "/because"),
            (
                "PATCH",
                "fleets/{fleet}/connection-settings/",
                {"own_telemetry": {"metrics": {"endpoint": "http://h:1", "header": {}}}},
                "/own_telemetry/metrics/header",
            ),
        ],
    )
    def test_a_field_that_nobody_knows_is_400_and_named(
        self, method: str, path: str, body: object, pointer: str
    ) -> None:
        where = path.format(agent=make_collector().pk, fleet=make_fleet().pk)
        call = caller()
        before = Activity.objects.count()
        errors = call(method, where, body).problem(400)["errors"]
        [error] = [one for one in errors if one["pointer"] == pointer]
        assert error["code"] == "unknown-field"
        assert error["message"].startswith("This field is not known. Known are: ")
        assert Activity.objects.count() == before
