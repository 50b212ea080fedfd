"""Catalogs as bytes, and the order of versions."""

import gzip
import json
from dataclasses import replace

import pytest

from configs.catalog.errors import CatalogError
from configs.catalog.links import page_of
from configs.catalog.versions import nearest_of, newest_first, number_of
from configs.catalog.writing import as_bytes, from_bytes
from configs.collector.catalog_types import Catalog, Component, Field, FieldType, Stability
from configs.collector.names import Kind
from tests.configs.rules.catalog import CATALOG

BARE = replace(
    CATALOG,
    components={
        kind: {name: replace(one, doc_url="", gate="") for name, one in members.items()}
        for kind, members in CATALOG.components.items()
    },
)


def test_a_catalog_comes_back_as_it_was() -> None:
    again = from_bytes(as_bytes(BARE))
    assert again == replace(
        BARE,
        components={
            kind: dict(sorted(members.items())) for kind, members in BARE.components.items()
        },
    )
    assert again.find(Kind.EXPORTER, "otlp") is again.components[Kind.EXPORTER]["otlp_grpc"]


def test_everything_about_a_component_is_kept() -> None:
    one = Component(
        Kind.CONNECTOR,
        "x",
        pairs={("logs", "metrics"): Stability.ALPHA},
        stability=Stability.BETA,
        config=Field(
            FieldType.MAP,
            fields={"a": Field(FieldType.NUMBER, is_loose=True, minimum=0, maximum=1.5, default=0)},
            items=Field(FieldType.TEXT, enum=("a", ""), deprecated="b", is_required=True),
            is_open=True,
        ),
        deprecated="y",
        gate="x.on",
        doc_url="https://pkg.go.dev/example.com/x@v0.157.0",
        module="example.com/x",
        distributions=("a", "b"),
        facts_from="0.157.0",
        settings_from="0.156.0",
    )
    catalog = Catalog(
        "0.158.0", {kind: {} for kind in Kind} | {Kind.CONNECTOR: {"x": one}}, sources=("here",)
    )
    assert from_bytes(as_bytes(catalog)) == catalog


def test_the_same_catalog_makes_the_same_bytes_and_equal_fields_are_written_once() -> None:
    assert as_bytes(BARE) == as_bytes(from_bytes(as_bytes(BARE)))
    fields = json.loads(gzip.decompress(as_bytes(BARE)))["fields"]
    assert len(fields) == len({json.dumps(one) for one in fields})


def _packed(text: bytes) -> bytes:
    # mtime: tests are named by these bytes, and each worker of a run makes them anew.
    return gzip.compress(text, mtime=0)


@pytest.mark.parametrize(
    "data", [b"", b"text", _packed(b"text"), _packed(b"[]"), _packed(b'{"format": 1}')]
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(CatalogError, match="build it again"):
        from_bytes(data)


def test_another_format_says_so() -> None:
    with pytest.raises(CatalogError, match="format 2"):
        from_bytes(gzip.compress(b'{"format": 2}'))


def test_for_another_version_nothing_is_certain() -> None:
    loose = CATALOG.for_another_version()
    assert not loose.is_complete
    assert not any(one.is_verified for one in loose.every())
    assert loose.find(Kind.EXPORTER, "otlp") == replace(
        CATALOG.components[Kind.EXPORTER]["otlp_grpc"], is_verified=False
    )


class TestVersions:
    def test_they_are_ordered_by_number(self) -> None:
        assert newest_first(["0.9.0", "0.10.0", "nonsense", "0.10.1"]) == (
            "0.10.1",
            "0.10.0",
            "0.9.0",
        )

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ("0.149.0", "0.149.0"),
            ("v0.149.0", "0.149.0"),
            ("0.150.7", "0.149.0"),
            ("0.154.0", "0.158.0"),
            ("0.10.0", "0.140.0"),
            ("1.0.0", "0.158.0"),
            ("nonsense", "0.158.0"),
            ("", "0.158.0"),
        ],
    )
    def test_the_nearest_of_those_there_are(self, wanted: str, found: str) -> None:
        assert nearest_of(wanted, ("0.140.0", "0.149.0", "0.158.0")) == found

    def test_of_two_that_are_as_near_the_older_one_counts(self) -> None:
        assert nearest_of("0.151.0", ("0.150.0", "0.152.0")) == "0.150.0"
        assert nearest_of("0.151.0", ()) is None

    def test_a_number_is_read_with_what_stands_around_it(self) -> None:
        assert number_of("v0.158.0-rc.1") == (0, 158, 0)
        assert number_of("0.158") is None


@pytest.mark.parametrize(
    ("module", "page"),
    [
        (
            "go.opentelemetry.io/collector/receiver/otlpreceiver",
            "https://github.com/open-telemetry/opentelemetry-collector/tree/v0.158.0/receiver/otlpreceiver",
        ),
        ("example.com/x", "https://pkg.go.dev/example.com/x@v0.158.0"),
        ("", ""),
    ],
)
def test_each_component_has_a_page(module: str, page: str) -> None:
    assert page_of(module, "0.158.0") == page
