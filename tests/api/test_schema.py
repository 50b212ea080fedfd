"""The schema describes what is served; its page needs nothing from elsewhere."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from openapi_schema_validator import OAS31Validator
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from telflo.base.access import Role
from telflo.base.api.permissions import MayCall
from tests.api.caller import Caller, caller
from tests.factories import make_configuration, make_person, make_version

pytestmark = pytest.mark.django_db

Schema = dict[str, Any]

SAMPLES = {
    "/api/v1/configurations/": "configurations/",
    "/api/v1/configurations/{id}/": "configurations/{configuration}/",
    "/api/v1/configurations/{id}/versions/": "configurations/{configuration}/versions/",
    "/api/v1/versions/{id}/": "versions/{version}/",
    "/api/v1/versions/{id}/diff/": "versions/{version}/diff/?against={version}",
    "/api/v1/people/": "people/",
    "/api/v1/api-tokens/": "api-tokens/",
    "/api/v1/events/": "events/",
}


def _described() -> Any:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # drf-spectacular's has no types
    return generator.get_schema(public=True)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def schema() -> Schema:
    found: dict[str, Any] = json.loads(json.dumps(_described()))
    return found


def test_it_is_served_as_json_and_yaml() -> None:
    call = caller(Role.VIEWER)
    assert call("GET", "schema/").body["info"]["title"] == "Telflo API"
    assert call("GET", "schema/?format=yaml").text.startswith("openapi: 3.1")


def test_it_is_openapi_3_1(schema: Schema) -> None:
    assert str(schema["openapi"]).startswith("3.1")


@pytest.mark.parametrize(("path", "sample"), SAMPLES.items())
def test_answers_are_as_the_schema_says(schema: Schema, path: str, sample: str) -> None:
    version = make_version(yaml="receivers:\n  otlp:\n")
    answer = caller()(
        "GET", sample.format(configuration=version.configuration_id, version=version.pk)
    )
    assert answer.status == 200
    described = schema["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    OAS31Validator({**described["schema"], "components": schema["components"]}).validate(
        answer.body
    )


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
