"""The schema describes what is served; its page needs nothing from elsewhere."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from pytest_django.plugin import DjangoDbBlocker
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from agents.models import Agent
from configs.models import Configuration, VersionState
from fleets.models import Rollout
from fleets.rollouts.services import start_rollout
from telflo.base.access import Role
from telflo.base.api.permissions import MayCall
from telflo.base.models import Activity
from tests.access.cast import YAML, Cast
from tests.api.caller import Caller, caller
from tests.api.calls import CALLS
from tests.factories import TESTER, make_configuration, make_fleet, make_person, make_version
from tests.fleets.drifted import drifted_collector
from tests.fleets.failed import fail_in, failed_collector
from tests.system.rows import make_process

pytestmark = pytest.mark.django_db

Schema = dict[str, Any]
World = tuple[Caller, dict[str, str]]


def _described() -> Any:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # drf-spectacular's has no types
    return generator.get_schema(public=True)  # type: ignore[no-untyped-call]


@pytest.fixture(autouse=True)
def _email_is_on(settings: Any) -> None:
    settings.EMAIL_IS_ON = True


@pytest.fixture(scope="module")
def schema() -> Schema:
    found: dict[str, Any] = json.loads(json.dumps(_described()))
    return found


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """A caller who may do everything, and the ids of a small installation: made once, what each test does is undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield _installation()
        transaction.set_rollback(True)


def test_it_is_served_as_json_and_yaml() -> None:
    call = caller(Role.VIEWER)
    assert call("GET", "schema/").body["info"]["title"] == "Telflo API"
    assert call("GET", "schema/?format=yaml").text.startswith("openapi: 3.1")


def test_it_is_openapi_3_1(schema: Schema) -> None:
    assert str(schema["openapi"]).startswith("3.1")


def test_it_is_valid_and_made_without_warnings(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
    assert file.read_text("utf-8").startswith("openapi: 3.1")


def test_every_route_is_in_it_and_every_operation_is_proven(schema: Schema) -> None:
    described = {
        (method, path.removeprefix("/api/v1/"))
        for path, operations in schema["paths"].items()
        for method in operations
    }
    assert described == set(CALLS)
    undescribed = {"api-v1", "api-schema", "api-docs", "api-unknown"}
    routes = {
        pattern.name
        for pattern in _patterns(get_resolver("telflo.api").url_patterns)
        if pattern.name not in undescribed
    }
    assert len(routes) == len(schema["paths"])


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_what_is_served_is_what_it_says(
    schema: Schema, world: World, method: str, path: str
) -> None:
    call, ids = world
    address, body = CALLS[method, path]
    answer = call(method.upper(), address.format(**ids), _filled(body, ids))
    assert 200 <= answer.status < 300, answer.text
    responses = schema["paths"][f"/api/v1/{path}"][method]["responses"]
    described = responses[str(answer.status)].get("content")
    assert bool(described) == bool(answer.text)
    if described:
        validate(schema, described["application/json"]["schema"], answer.body)
        assert answer.headers["Content-Type"].startswith("application/json")


def test_a_dry_run_is_as_the_schema_says(schema: Schema, world: World) -> None:
    call, ids = world
    body = {"fleet": "edge", "version": ids["first"], "dry_run": True}
    answer = call("POST", "rollouts/", body)
    described = schema["paths"]["/api/v1/rollouts/"]["post"]["responses"]["200"]["content"]
    validate(schema, described["application/json"]["schema"], answer.body)


LISTS = [path for method, path in CALLS if method == "get"]


@pytest.mark.parametrize("path", LISTS)
def test_parameters_are_those_of_the_schema(schema: Schema, world: World, path: str) -> None:
    call, ids = world
    plain = CALLS["get", path][0].format(**ids).partition("?")[0]
    problem = call("GET", f"{plain}?nonsense=1").problem(400)
    assert problem["errors"][0]["pointer"] == "/nonsense"
    for parameter in schema["paths"][f"/api/v1/{path}"]["get"].get("parameters", ()):
        if parameter["in"] == "query":
            answer = call("GET", f"{plain}?{parameter['name'].replace('*', 'x')}=")
            codes = {error["code"] for error in answer.body.get("errors", ())}
            assert "unknown-parameter" not in codes, parameter["name"]


@pytest.mark.parametrize("path", LISTS)
def test_lists_are_pages(schema: Schema, path: str) -> None:
    responses = schema["paths"][f"/api/v1/{path}"]["get"]["responses"]
    described = responses["200"]["content"]["application/json"]["schema"]
    named = described.get("$ref", "").rpartition("/")[2]
    shape = schema["components"]["schemas"].get(named, described)
    assert shape["type"] == "object"
    if named.startswith("Paginated"):
        assert set(shape["properties"]) == {"next", "previous", "results"}


def _installation() -> World:
    cast = Cast()
    common = cast.common
    make_fleet(name="empty")
    make_process(kind="web")
    line = Configuration.objects.get(pk=common["configuration_id"])
    versions = {version.number: str(version.pk) for version in line.versions.all()}
    draft = make_version(configuration=line, yaml=f"{YAML}# 3\n", state=VersionState.UNPUBLISHED)
    admin = cast.people[Role.ADMIN]
    Agent.objects.filter(pk=common["uid"]).update(labels={"a": "b"})
    rollout, failed = Rollout.objects.get(), failed_collector()
    paused = rollout_that_is("paused")
    fail_in(paused, failed)
    ids = {
        "uid": common["uid"],
        "failed": failed.pk,
        "drifted": drifted_collector().pk,
        "configuration": line.pk,
        "spare": make_configuration().pk,
        "first": versions[1],
        "second": versions[2],
        "draft": draft.pk,
        "deployment": common["deployment_id"],
        "rollout": rollout.pk,
        "paused": paused,
        "baking": rollout_that_is("baking"),
        "token": cast.token.pk,
        "person": cast.other.uid,
        "api_token": cast.tokens[Role.ADMIN].pk,
        "webhook": cast.subscription.pk,
        "letter": cast.letter.pk,
        "event": Activity.objects.latest("id").pk,
    }
    return caller(user=admin), {name: str(value) for name, value in ids.items()}


def rollout_that_is(state: str) -> UUID:
    """A rollout of a fleet of its own."""
    fleet = make_fleet(version=make_version())
    rollout = start_rollout(fleet=fleet, version=make_version(), actor=TESTER)
    rollout.stages.update(state="baking")
    Rollout.objects.filter(pk=rollout.pk).update(state=state, finished_at=None, is_held=True)
    return rollout.pk


def _filled(body: Any, ids: dict[str, str]) -> Any:
    if body is None:
        return None
    return {
        name: value.format(**ids) if isinstance(value, str) else value
        for name, value in body.items()
    }


def validate(schema: Schema, described: Schema, value: Any) -> None:
    """Types, formats and required fields; fields that the schema does not name are refused."""
    closed = _closed({**described, "components": schema["components"]})
    OAS31Validator(closed, format_checker=oas31_format_checker).validate(value)


def _closed(node: Any) -> Any:
    """The same schema with every object that lists its properties closed to others."""
    if isinstance(node, list):
        return [_closed(part) for part in node]
    if not isinstance(node, dict):
        return node
    closed = {name: _closed(part) for name, part in node.items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def test_a_problem_is_as_the_schema_says(schema: Schema) -> None:
    operation = schema["paths"]["/api/v1/configurations/"]["post"]
    described = operation["responses"]["default"]["content"]["application/problem+json"]
    problem = caller()("POST", "configurations/", {"name": ""}).problem(400)
    OAS31Validator({**described["schema"], "components": schema["components"]}).validate(problem)


def test_every_write_takes_an_idempotency_key(schema: Schema) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if method in {"post", "patch", "put", "delete"}:
                names = {parameter["name"] for parameter in operation.get("parameters", ())}
                assert "Idempotency-Key" in names, (method, path)


def test_every_call_may_be_refused(schema: Schema) -> None:
    nobody = Caller()
    for path in schema["paths"]:
        plain = re.sub(r"\{[^}]*\}", "00000000-0000-0000-0000-000000000000", path)
        assert nobody("GET", plain.removeprefix("/api/v1/")).status in {401, 404, 405}, path


def test_every_call_declares_its_action() -> None:
    for pattern in _patterns(get_resolver("telflo.api").url_patterns):
        view = getattr(pattern.callback, "cls", None)
        assert view is not None, pattern
        for method, name in (getattr(pattern.callback, "actions", None) or {"get": "get"}).items():
            assert name in view.required_actions, (pattern, method)


def _patterns(found: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for one in found:
        if isinstance(one, URLResolver):
            yield from _patterns(one.url_patterns)
        else:
            yield one


def test_a_call_without_a_declaration_is_refused() -> None:
    request = Request(APIRequestFactory().get("/"))
    request.user = make_person(role=Role.ADMIN)
    assert not MayCall().has_permission(request, Undeclared())


class Undeclared(APIView):
    """Says nothing of what it needs."""

    def get(self, request: Request) -> Response:
        """Never reached."""
        return Response()


def test_the_docs_page_holds_no_inline_script_or_style() -> None:
    make_configuration()
    page = caller()("GET", "docs/")
    assert page.status == 200
    assert "<style" not in page.text
    assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    script = caller()("GET", "docs/?script=")
    assert script.headers["Content-Type"] == "application/javascript"
