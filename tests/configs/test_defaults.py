"""Settings that say what is so anyhow make no difference, where the catalog is certain of it."""

from dataclasses import replace

import pytest

from configs.collector.catalog_types import Catalog, Component, Field, FieldType
from configs.collector.difference import difference
from configs.collector.model import model_of
from configs.collector.names import Kind
from configs.collector.parse import parse

RETRY = {
    "enabled": Field(FieldType.TRUTH, default=True),
    "initial_interval": Field(FieldType.DURATION, default="5s"),
    "randomization_factor": Field(FieldType.NUMBER),
}
OTLP = Component(
    Kind.EXPORTER,
    "otlp_grpc",
    aliases=frozenset({"otlp"}),
    is_verified=True,
    config=Field(
        FieldType.MAP,
        fields={
            "timeout": Field(FieldType.DURATION, default="5s"),
            "endpoint": Field(FieldType.TEXT),
            "retry_on_failure": Field(FieldType.MAP, fields=RETRY),
            "keepalive": Field(FieldType.MAP, fields={"time": RETRY["initial_interval"]}),
        },
    ),
)


def catalog_of(one: Component) -> Catalog:
    return Catalog("0.158.0", {Kind.EXPORTER: {one.type: one}})


CATALOG = catalog_of(OTLP)


def places(before: str, after: str, catalog: Catalog = CATALOG) -> list[str]:
    texts = (f"exporters: {{otlp/x: {{{one}}}}}" for one in (before, after))
    one, other = (model_of(parse(text)) for text in texts)
    forth, back = (
        difference(*pair, catalogs=(catalog, catalog)) for pair in ((one, other), (other, one))
    )
    assert [change.place for change in forth] == [change.place for change in back]
    return [change.place for change in forth]


@pytest.mark.parametrize(
    "said",
    [
        "timeout: 5s",
        "timeout: 5000ms",
        "retry_on_failure: {enabled: true}",
        "retry_on_failure: {enabled: true, initial_interval: 5s}",
    ],
)
def test_what_is_so_anyhow_is_no_difference(said: str) -> None:
    assert places("endpoint: a:1", f"endpoint: a:1, {said}") == []


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("timeout: 6s", "timeout"),
        ("timeout: '${env:T}'", "timeout"),
        ("retry_on_failure: {enabled: false}", "retry_on_failure"),
        # Of what it is otherwise nothing is known.
        ("retry_on_failure: {enabled: true, randomization_factor: 0.5}", "retry_on_failure"),
        # To write a section can be to turn it on.
        ("keepalive: {time: 5s}", "keepalive"),
        ("endpoint: ''", "endpoint"),
    ],
)
def test_all_else_is_one(said: str, place: str) -> None:
    assert places("", said) == [f"exporters::otlp_grpc/x::{place}"]


def test_inside_of_a_section_that_both_have() -> None:
    assert places("keepalive: ", "keepalive: {time: 5s}") == []
    assert places("keepalive: {time: 5s}", "keepalive: {}") == []


def test_a_catalog_that_is_not_certain_says_nothing() -> None:
    unsure = catalog_of(replace(OTLP, is_verified=False))
    assert places("", "timeout: 5s", unsure) == ["exporters::otlp_grpc/x::timeout"]


def test_defaults_are_those_of_the_side_that_does_not_say_them() -> None:
    faster = Field(FieldType.MAP, fields={"timeout": Field(FieldType.DURATION, default="1s")})
    newer = catalog_of(replace(OTLP, config=faster))
    silent, spoken = (
        model_of(parse(f"exporters: {{otlp: {{{one}}}}}")) for one in ("", "timeout: 5s")
    )
    assert difference(silent, spoken, catalogs=(CATALOG, newer)) == ()
    assert difference(silent, spoken, catalogs=(newer, CATALOG))
    assert difference(spoken, silent, catalogs=(CATALOG, newer))
