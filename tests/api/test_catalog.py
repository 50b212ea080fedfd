"""The component catalog over the API."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from configs import catalog
from configs.collector.names import Kind
from telflo.base.access import Role
from telflo.base.models import TokenScope
from tests.api.caller import caller

pytestmark = pytest.mark.django_db


def answered(path: str = "") -> Any:
    answer = caller(Role.VIEWER, TokenScope.READ)("GET", f"catalog/{path}")
    assert answer.status == 200, answer.text
    return answer.body


def test_the_versions_are_listed_newest_first() -> None:
    assert answered() == {"versions": list(catalog.versions())}


def test_the_components_of_a_version_come_without_their_settings() -> None:
    body = answered("0.158.0/components/")
    assert (body["version"], body["distribution"]) == ("0.158.0", "otelcol-contrib")
    found = {(one["kind"], one["type"]): one for one in body["components"]}
    exporter, connector = found["exporters", "otlp_grpc"], found["connectors", "span_metrics"]
    assert exporter["aliases"] == ["otlp"]
    assert exporter["signals"]["traces"] == "stable"
    assert exporter["is_verified"]
    assert exporter["doc_url"].endswith("/v0.158.0/exporter/otlpexporter")
    assert connector["pairs"] == [{"from": "traces", "to": "metrics", "stability": "alpha"}]
    assert "config" not in exporter


def test_a_component_has_its_settings_nested_and_is_found_by_an_older_name() -> None:
    body = answered("0.158.0/components/exporters/otlp/")
    assert body["type"] == "otlp_grpc"
    config = body["config"]
    fields = {one["name"]: one for one in config["fields"]}
    assert (config["name"], config["type"], config["open"]) == ("", "map", False)
    assert (fields["timeout"]["type"], fields["timeout"]["default"]) == ("duration", "5s")
    assert fields["headers"]["items"]["secret"]
    assert {one["name"] for one in fields["tls"]["fields"]} >= {"insecure", "ca_file"}
    assert set(config) == {
        "name", "type", "default", "enum", "minimum", "maximum", "required", "secret", "deprecated", "fields",
        "items", "open", "loose",
    }  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "0.1.0/components/",
        "nonsense/components/",
        "0.1.0/components/receivers/otlp/",
        "0.158.0/components/receivers/nothing/",
        "0.158.0/components/wheels/otlp/",
    ],
)
def test_what_is_not_there_is_a_404(path: str) -> None:
    caller(Role.VIEWER)("GET", f"catalog/{path}").problem(404)


def test_another_parameter_is_refused() -> None:
    caller(Role.VIEWER)("GET", "catalog/?limit=3").problem(400)


def test_it_asks_the_database_for_nothing_but_who_asks() -> None:
    call = caller(Role.VIEWER)
    call("GET", "catalog/")  # the first call of a token is noted
    counts = []
    for path in ("", "0.158.0/components/", "0.158.0/components/receivers/otlp/"):
        with CaptureQueriesContext(connection) as queries:
            assert call("GET", f"catalog/{path}").status == 200
        counts.append(len(queries))
    assert len(set(counts)) == 1


def test_every_component_can_be_had() -> None:
    call = caller(Role.VIEWER)
    newest = catalog.load(catalog.versions()[0])
    assert newest is not None
    for kind in Kind:
        for name in list(newest.types(kind))[:3]:
            answer = call("GET", f"catalog/{newest.version}/components/{kind}/{name}/")
            assert answer.status == 200, answer.text
