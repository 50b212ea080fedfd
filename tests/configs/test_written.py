"""Differences are said with the names that the texts use, not with those of 2026."""

from configs.collector.difference import difference
from configs.collector.model import model_of
from configs.collector.parse import parse
from configs.collector.values import Value
from configs.collector.written import as_written

OLD = """
receivers: {otlp: {protocols: {grpc: }}}
processors: {k8sattributes: {passthrough: true}, batch: }
connectors: {spanmetrics: {}}
exporters: {otlp: {endpoint: "a:4317"}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp, spanmetrics]}
    metrics: {receivers: [spanmetrics], exporters: [otlp]}
"""


def said(before: str, after: str) -> list[tuple[str, str, Value, Value]]:
    one, other = model_of(parse(before)), model_of(parse(after))
    found = (as_written(change, one, other) for change in difference(one, other))
    return [(change.deed.value, change.place, change.before, change.after) for change in found]


def edited(*edits: tuple[str, str]) -> str:
    text = OLD
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    return text


def test_a_component_is_called_as_its_text_calls_it() -> None:
    after = edited(("passthrough: true", "passthrough: false"), ("a:4317", "b:4317"))
    assert said(OLD, after) == [
        ("changed", "processors::k8sattributes::passthrough", True, False),
        ("changed", "exporters::otlp::endpoint", "a:4317", "b:4317"),
    ]


def test_members_of_pipelines_are_called_as_each_text_calls_them() -> None:
    after = edited(
        ("processors: [batch]", "processors: [k8sattributes, batch]"),
        ("connectors: {spanmetrics", "connectors: {span_metrics"),
        ("[otlp, spanmetrics]", "[span_metrics, otlp]"),
        ("[spanmetrics]", "[span_metrics]"),
    )
    assert said(OLD, after) == [
        (
            "changed",
            "service::pipelines::traces::processors",
            ("batch",),
            ("k8sattributes", "batch"),
        ),
        (
            "reordered",
            "service::pipelines::traces::exporters",
            ("otlp", "spanmetrics"),
            ("span_metrics", "otlp"),
        ),
    ]


def test_a_new_name_is_said_where_the_new_text_has_it_and_the_old_where_it_is_gone() -> None:
    gone = edited(("k8sattributes: {passthrough: true}, ", ""))
    assert [one[:2] for one in said(OLD, gone)] == [("removed", "processors::k8sattributes")]
    assert [one[:2] for one in said(gone, OLD)] == [("added", "processors::k8sattributes")]
    renamed = edited(("k8sattributes: {passthrough: true}", "k8s_attributes: {passthrough: false}"))
    assert [one[1] for one in said(OLD, renamed)] == ["processors::k8s_attributes::passthrough"]


def test_a_whole_pipeline_is_told_with_the_names_of_its_text() -> None:
    after = edited(("    metrics: {receivers: [spanmetrics], exporters: [otlp]}\n", ""))
    [(deed, place, before, _)] = said(OLD, after)
    assert (deed, place) == ("removed", "service::pipelines::metrics")
    assert before == {"receivers": ("spanmetrics",), "processors": (), "exporters": ("otlp",)}


def test_a_name_that_no_section_defines_is_said_as_the_text_has_it() -> None:
    after = edited(
        ("exporters: [otlp, spanmetrics]", "exporters: [otlp, 'otlp/archive ', spanmetrics]")
    )
    assert said(OLD, after) == [
        (
            "changed",
            "service::pipelines::traces::exporters",
            ("otlp", "spanmetrics"),
            ("otlp", "otlp/archive", "spanmetrics"),
        )
    ]
    assert said(after, OLD)[0][2] == ("otlp", "otlp/archive", "spanmetrics")
    added = edited(
        (
            "    metrics:",
            "    traces/b: {receivers: [hostmetrics], exporters: [otlp_grpc/b]}\n    metrics:",
        )
    )
    [(_, _, _, members)] = said(OLD, added)
    assert members == {
        "receivers": ("hostmetrics",),
        "processors": (),
        "exporters": ("otlp_grpc/b",),
    }


def test_old_and_new_names_in_one_pipeline_are_two_components_and_stay_two() -> None:
    both = edited(('{endpoint: "a:4317"}}', '{endpoint: "a:4317"}, otlp_grpc: {endpoint: "b:1"}}'))
    after = both.replace("[otlp, spanmetrics]", "[otlp_grpc, otlp, spanmetrics]")
    assert said(both, after)[0][3] == ("otlp_grpc", "otlp", "spanmetrics")
    changed = both.replace("b:1", "c:1")
    assert [one[1] for one in said(both, changed)] == ["exporters::otlp_grpc::endpoint"]


def test_sections_that_a_reference_stands_for() -> None:
    sections = OLD.partition("service:")[0]
    after = sections.replace("{k8sattributes: {passthrough: true}, batch: }", "${env:P}")
    pipelines = "service: {pipelines: '${env:P}'}"
    assert [one[:2] for one in said(sections, after)] == [("changed", "processors")]
    assert [one[:2] for one in said(OLD, sections + pipelines)] == [
        ("changed", "service::pipelines")
    ]
