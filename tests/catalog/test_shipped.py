"""The catalogs that are shipped: whole, small, and as real collectors are known to be."""

from collections.abc import Iterator

import pytest

from configs import catalog
from configs.catalog.shelf import SHIPPED, SUFFIX
from configs.catalog.versions import nearest_of, number_of
from configs.collector.catalog_types import Catalog, Component, Field, FieldType, Stability
from configs.collector.names import Kind, renamed
from configs.collector.validate import validate

MOST_BYTES = 100 * 2**10
MOST_BETWEEN = 2
"""Minor versions to the nearest that is shipped."""
PIPELINE = """\
receivers: {{otlp: {{protocols: {{grpc: }}}}}}
exporters: {{{exporter}}}
service: {{pipelines: {{logs: {{receivers: [otlp], exporters: [{name}]}}}}}}
"""


def shipped(version: str) -> Catalog:
    found = catalog.load(version)
    assert found is not None
    return found


def component(version: str, kind: Kind, name: str) -> Component:
    found = shipped(version).find(kind, name)
    assert found is not None
    return found


def inside(field: Field, *path: str) -> Field:
    for step in path:
        field = field.fields[step]
    return field


def errors(version: str, text: str) -> set[str]:
    report = validate([("a.yaml", text)], catalog=catalog.nearest(version), version=version)
    return {one.rule for one in report.findings if one.severity == "error"}


def test_there_are_catalogs_from_0_140_on_none_far_from_the_next_and_each_is_small() -> None:
    assert {"0.140.0", "0.149.0", "0.158.0", "0.165.0"} <= set(catalog.versions())
    for minor in range(140, 166):
        there = nearest_of(f"0.{minor}.0", catalog.versions())
        assert there is not None
        assert abs(int(there.split(".")[1]) - minor) <= MOST_BETWEEN, minor
    assert all(one.stat().st_size < MOST_BYTES for one in SHIPPED.glob(f"*{SUFFIX}"))


@pytest.mark.parametrize("version", catalog.versions())
def test_each_knows_what_everybody_uses_and_says_where_it_is_from(version: str) -> None:
    there = shipped(version)
    assert (there.version, there.distribution) == (version, "otelcol-contrib")
    assert there.sources
    for kind, name in (
        (Kind.RECEIVER, "otlp"),
        (Kind.EXPORTER, "debug"),
        (Kind.PROCESSOR, "batch"),
        (Kind.CONNECTOR, "forward"),
        (Kind.EXTENSION, "zpages"),
    ):
        found = component(version, kind, name)
        assert found.config is not None or kind is Kind.CONNECTOR
        assert found.doc_url.startswith(
            "https://github.com/open-telemetry/opentelemetry-collector/tree/v"
        )
        assert not found.facts_from


@pytest.mark.parametrize("version", catalog.versions())
def test_each_is_whole(version: str) -> None:
    for one in shipped(version).every():
        assert one.module
        assert one.config is None or one.config.type is FieldType.MAP
        assert all(_is_sound(field) for field in _all(one.config)), one.type


def _all(field: Field | None) -> Iterator[Field]:
    if field is not None:
        yield field
        for one in (*field.fields.values(), field.items):
            yield from _all(one)


def _is_sound(field: Field) -> bool:
    return all(name and not name[0].isupper() for name in field.fields)


@pytest.mark.parametrize("version", catalog.versions())
def test_what_has_a_part_of_its_own_is_not_one_level_too_high(version: str) -> None:
    jaeger = component(version, Kind.RECEIVER, "jaeger").config
    assert jaeger is not None
    assert "grpc" in jaeger.fields["protocols"].fields
    for one in shipped(version).components[Kind.EXPORTER].values():
        assert one.config is None or "max_elapsed_time" not in one.config.fields, one.type


@pytest.mark.parametrize("version", catalog.versions())
def test_the_unit_of_span_metrics_is_a_word(version: str) -> None:
    settings = component(version, Kind.CONNECTOR, "spanmetrics").config
    assert settings is not None
    unit = inside(settings, "histogram", "unit")
    assert (unit.type, unit.enum) == (FieldType.TEXT, ("ms", "s"))


@pytest.mark.parametrize("version", catalog.versions())
def test_older_names_are_those_that_configurations_are_compared_by(version: str) -> None:
    for one in shipped(version).every():
        names = {renamed(one.kind, name) for name in (one.type, *one.aliases)}
        assert len(names) == 1, one.type


def test_a_name_that_got_underlines_is_the_same_component() -> None:
    every = [one for version in catalog.versions() for one in shipped(version).every()]
    types = {(one.kind, renamed(one.kind, one.type)) for one in every}
    assert len(types) == len({(kind, name.replace("_", "")) for kind, name in types})


class TestNamesAndSettings:
    def test_renamed_components_are_known_by_both_names(self) -> None:
        assert component("0.158.0", Kind.EXPORTER, "otlp").type == "otlp_grpc"
        assert component("0.158.0", Kind.RECEIVER, "hostmetrics").type == "host_metrics"
        assert component("0.149.0", Kind.RECEIVER, "filelog").type == "file_log"
        assert shipped("0.149.0").find(Kind.RECEIVER, "host_metrics") is None

    def test_signals_pairs_and_stability(self) -> None:
        exporter = component("0.158.0", Kind.EXPORTER, "otlp_grpc")
        assert exporter.signals == {
            "traces": Stability.STABLE,
            "metrics": Stability.STABLE,
            "logs": Stability.STABLE,
            "profiles": Stability.ALPHA,
        }
        connector = component("0.158.0", Kind.CONNECTOR, "span_metrics")
        assert connector.pairs == {("traces", "metrics"): Stability.ALPHA}

    def test_defaults_types_words_and_secrets(self) -> None:
        config = component("0.158.0", Kind.EXPORTER, "otlp_grpc").config
        assert config is not None
        assert inside(config, "timeout").default == "5s"
        assert inside(config, "sending_queue", "queue_size").default == 1000
        assert inside(config, "sending_queue", "sizer").enum == ("requests", "items", "bytes")
        headers = inside(config, "headers")
        assert headers.items is not None
        assert headers.items.is_secret
        assert inside(config, "retry_on_failure", "multiplier").type is FieldType.NUMBER

    def test_what_came_between_two_versions(self) -> None:
        before, after = (
            component(one, Kind.PROCESSOR, "memory_limiter").config
            for one in ("0.149.0", "0.158.0")
        )
        assert before is not None
        assert after is not None
        assert after.fields.keys() - before.fields.keys() == {
            "max_gc_interval_when_hard_limited",
            "max_gc_interval_when_soft_limited",
        }


class TestRulesWithThem:
    @pytest.mark.parametrize("version", ["0.149.0", "0.158.0"])
    def test_an_unknown_key_and_a_wrong_type_are_errors_where_a_collector_was_asked(
        self, version: str
    ) -> None:
        good = PIPELINE.format(exporter="debug: {verbosity: Detailed}", name="debug")
        assert not errors(version, good)
        assert errors(version, good.replace("verbosity", "verbose")) == {"P02"}
        assert errors(version, good.replace("verbosity: Detailed", "sampling_initial: '5'")) == {
            "P08"
        }
        assert errors(version, good.replace("debug", "debugg")) == {"P10"}

    def test_a_new_key_is_unknown_to_an_older_version(self) -> None:
        text = PIPELINE.format(
            exporter="otlp_grpc: {endpoint: 'a:1', user_agent: x}", name="otlp_grpc"
        )
        assert not errors("0.158.0", text)
        assert errors("0.149.0", text) == {"P02"}

    def test_headers_may_be_a_map_or_a_list(self) -> None:
        for headers in ("{a: b}", "[{name: a, value: b}]"):
            text = PIPELINE.format(
                exporter=f"otlp_grpc: {{endpoint: 'a:1', headers: {headers}}}", name="otlp_grpc"
            )
            assert not errors("0.158.0", text)

    def test_of_a_version_that_nobody_knows_nothing_is_an_error(self) -> None:
        text = PIPELINE.format(exporter="debug: {verbose: 1}", name="debug")
        assert not errors("0.999.0", text)


ORDINARY = """\
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "localhost:4317", tls: {cert_file: a, key_file: b}}
      http: {endpoint: "localhost:4318", cors: {allowed_origins: [a]}}
processors: {memory_limiter: {check_interval: 1s, limit_mib: 400}, batch: {timeout: 2s}}
exporters:
  NAME: {endpoint: "https://a:1", headers: {a: b}, tls: {ca_file: a}, sending_queue: {queue_size: 9}}
service: {pipelines: {logs: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [NAME]}}}
"""


@pytest.mark.parametrize("version", catalog.versions())
def test_no_version_complains_about_an_ordinary_configuration(version: str) -> None:
    there = component(version, Kind.EXPORTER, "otlphttp")
    report = validate([("a.yaml", ORDINARY.replace("NAME", there.type))], catalog=shipped(version))
    assert not {one.message for one in report.findings if one.rule[0] in "PN"}


def test_each_version_takes_the_names_of_its_time() -> None:
    """The new names came with 0.144.0, where metadata.yaml did not tell the old ones yet."""
    for version in catalog.versions():
        exporter = component(version, Kind.EXPORTER, "otlphttp")
        is_old = number_of(version) < (0, 144, 0)  # type: ignore[operator]
        assert exporter.type == ("otlphttp" if is_old else "otlp_http"), version
        assert not errors(
            version, PIPELINE.format(exporter="otlphttp: {endpoint: 'http://a:1'}", name="otlphttp")
        )
    assert shipped("0.140.0").find(Kind.EXPORTER, "otlp_http") is None
