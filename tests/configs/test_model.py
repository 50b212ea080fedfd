"""What a configuration makes: components, pipelines, connectors, references; nothing is resolved."""

import pytest

from configs.collector.model import Model, environment_names, model_of
from configs.collector.names import Kind
from configs.collector.parse import parse
from configs.collector.references import Reference, Variable, references_in
from configs.collector.values import Expansion, Time, Value

WHOLE = """
receivers: {otlp: , filelog/app: {include: [/a]}}
processors: {batch: }
exporters: {otlp: {endpoint: "${env:HOST:-localhost}:4317"}, debug: }
connectors: {spanmetrics: , forward/b: }
extensions: {health_check: , pprof: }
service:
  extensions: [health_check]
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp, spanmetrics, forward/b]}
    traces/b: {receivers: [forward/b], exporters: [otlp, otlp]}
    metrics: {receivers: [spanmetrics], exporters: [otlp]}
"""


def model(text: str) -> Model:
    return model_of(parse(text))


def value(text: str) -> Value:
    """What a value means, as a receiver's field."""
    receivers = model(f"receivers: {{a: {{b: {text}}}}}").values["receivers"]
    return receivers["a"]["b"]  # type: ignore[index,call-overload]  # the maps above


class TestModel:
    def test_pipelines_have_their_members_in_order_by_their_present_names(self) -> None:
        found = model(WHOLE).pipelines
        assert list(found) == ["traces", "traces/b", "metrics"]
        assert found["traces"].exporters == ("otlp_grpc", "span_metrics", "forward/b")
        assert found["traces/b"].exporters == ("otlp_grpc",)  # twice is once
        assert [one.signal for one in found.values()] == ["traces", "traces", "metrics"]

    def test_used_types_are_those_of_the_service(self) -> None:
        used = model(WHOLE).used_types()
        assert used[Kind.RECEIVER] == {"otlp"}  # filelog/app is in no pipeline
        assert used[Kind.EXPORTER] == {"otlp_grpc"}
        assert used[Kind.CONNECTOR] == {"span_metrics", "forward"}
        assert used[Kind.EXTENSION] == {"health_check"}

    def test_a_receiver_keeps_its_name_where_an_exporters_was_changed(self) -> None:
        assert "otlp" in model(WHOLE).components[Kind.RECEIVER]
        assert "otlp_grpc" in model(WHOLE).components[Kind.EXPORTER]

    def test_an_old_and_a_new_name_beside_each_other_are_two_components(self) -> None:
        found = model("exporters: {otlp: {a: 1}, otlp_grpc: {a: 2}}")
        assert found.components[Kind.EXPORTER] == {"otlp": {"a": 1}, "otlp_grpc": {"a": 2}}

    def test_a_section_that_a_reference_stands_for_is_open(self) -> None:
        found = model("receivers: ${file:/etc/r.yaml}\nservice: {pipelines: '${env:P}'}")
        assert found.open == {"receivers", "pipelines"}

    def test_blanks_around_ids_do_not_count(self) -> None:
        assert list(model("receivers: {' otlp / a ': }").components[Kind.RECEIVER]) == ["otlp/a"]


class TestValues:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0x10", 16),
            ("0o17", 15),
            ("010", 8),
            ("08", 8.0),
            ("1_000", 1000),
            ("1e3", 1000.0),
            (".inf", float("inf")),
            ("'5'", "5"),
            ("!!str 5", "5"),
            ("yes", "yes"),
            ("TRUE", True),
            ("~", None),
            ("1.2.3", "1.2.3"),
            ("-", "-"),
            ("1_a", "1_a"),
            ("18446744073709551615", 2**64 - 1),
            ("18446744073709551616", float(2**64)),
            ("!!int '5'", 5),
            # A tag of one's own makes a text of a value, and one sign alone says nothing.
            ("!own 5", "5"),
            ("! 5", 5),
            ("! '5'", "5"),
            ("!!null ~", None),
            ("2026-11-26", Time("2026-11-26")),
            ("2026-11-26T10:00:00Z", Time("2026-11-26T10:00:00Z")),
            ("'2026-11-26'", "2026-11-26"),
            ("0000-02-29", Time("0000-02-29")),
            ("2026-1-2  3:4:5.67", Time("2026-1-2  3:4:5.67")),
            ("2026-11-26t10:00:00.5+24:60", Time("2026-11-26t10:00:00.5+24:60")),
            # What looks like a date and is none of Go's stays a text.
            ("2026-02-29", "2026-02-29"),
            ("2026-13-01", "2026-13-01"),
            ("2026-11-26T10:00:00", "2026-11-26T10:00:00"),
            ("2026-11-26 10:00:00Z", "2026-11-26 10:00:00Z"),
            ("2026-11-26T24:00:00Z", "2026-11-26T24:00:00Z"),
            ("2026-11-26T10:00:60Z", "2026-11-26T10:00:60Z"),
            ("2026-11-26T10:00:00+1:00", "2026-11-26T10:00:00+1:00"),
            ("2026-11-26T10:00:00+25:00", "2026-11-26T10:00:00+25:00"),
            ("2026-11-26\t10:00:00", "2026-11-26\t10:00:00"),
        ],
    )
    def test_scalars_are_read_as_go_reads_them(self, text: str, expected: Value) -> None:
        found = value(text)
        assert found == expected
        assert type(found) is type(expected)

    def test_merge_keys_bring_in_what_the_map_does_not_say(self) -> None:
        found = model(
            "receivers:\n  a: &a {x: 1, y: 1}\n  b: &b {y: 2, z: 2}\n  c: {<<: [*a, *b], x: 3}"
        )
        assert found.components[Kind.RECEIVER]["c"] == {"x": 3, "y": 1, "z": 2}

    def test_a_quoted_merge_key_is_a_name(self) -> None:
        found = model("receivers: {a: {'<<': {x: 1}}}")
        assert found.components[Kind.RECEIVER]["a"] == {"<<": {"x": 1}}

    def test_paths_leave_shared_maps_alone(self) -> None:
        found = model("receivers: {a: &a {x: {y: 1}}, b: *a, b::x::z: 2}")
        assert found.components[Kind.RECEIVER] == {
            "a": {"x": {"y": 1}},
            "b": {"x": {"y": 1, "z": 2}},
        }

    def test_double_colons_are_paths(self) -> None:
        found = model("service::telemetry::logs: {level: warn}\nservice: {extensions: [a]}")
        assert found.telemetry == {"logs": {"level": "warn"}}
        assert found.extensions == ("a",)

    def test_double_colons_inside_of_a_list_are_no_path(self) -> None:
        found = model("receivers: {a: &a {x::y: 1, z: [{x::y: 1, z: {b::c: 2}}]}, b: {z: [*a]}}")
        listed = {"x::y": 1, "z": {"b::c": 2}}
        assert found.components[Kind.RECEIVER] == {
            "a": {"x": {"y": 1}, "z": (listed,)},
            "b": {"z": ({"x::y": 1, "z": (listed,)},)},
        }


class TestReferences:
    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("${X}", [("env", "X", None)]),
            ("${env:X:-a:b}", [("env", "X", "a:b")]),
            ("a${env:X}b${file:/etc/x}", [("env", "X", None), ("file", "/etc/x", None)]),
            ("$${X}", []),
            ("$$${X}", [("env", "X", None)]),
            ("${env:X", []),
            ("$X", []),
            # What stands before a colon is where to look, whatever is meant.
            ("${X:-d}", [("X", "-d", None)]),
            ("${HOST_1:-d}", [("HOST_1", "-d", None)]),
            ("${:x}", [("", "x", None)]),
            ("${${env:S}:x}", [("env", "${env:S}:x", None)]),
        ],
    )
    def test_references_are_found_as_the_collector_finds_them(
        self, text: str, parts: list[tuple[str, str, str | None]]
    ) -> None:
        found = references_in(text)
        assert [(one.scheme, one.target, one.default) for one in found] == parts

    def test_nested_references_are_kept_inside(self) -> None:
        (outer,) = references_in("${file:${env:FOLDER}/x-${NAME:-a}.yaml}")
        assert [one.text for one in outer.inner] == ["${env:FOLDER}", "${NAME:-a}"]

    def test_deep_nesting_ends(self) -> None:
        depth, (outer,) = 0, references_in("${a" * 300 + "}" * 300)
        inner: tuple[Reference, ...] = (outer,)
        while inner:
            depth, inner = depth + 1, inner[0].inner
        assert depth == 20

    def test_environment_names_are_those_of_values_with_a_default_only_where_all_uses_have_one(
        self,
    ) -> None:
        text = "${env:A} ${B:-1} ${B} ${env:C:-${D}} $${E} ${file:${F}}"
        found = environment_names(model(f"receivers: {{'${{K}}': {{a: '{text}'}}}}"))
        named = [("A", False), ("B", False), ("C", True), ("D", False), ("F", False)]
        assert found == tuple(Variable(*one) for one in named)

    def test_a_text_with_references_fits_what_begins_and_ends_like_it(self) -> None:
        expansion = Expansion("https://${HOST}:4317")
        assert expansion.may_be("https://a.b:4317")
        assert not expansion.may_be("https://a.b:4318")
        assert not expansion.may_be("https://:431")
