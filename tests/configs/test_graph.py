"""The pipeline graph: shared instances, fan-out, connectors as bridges, circles."""

from configs.collector.graph import Graph, Node, Part, cycle_in, graph_of
from configs.collector.model import model_of
from configs.collector.parse import parse

WHOLE = """
receivers: {otlp: }
processors: {batch: }
exporters: {otlp_grpc: , debug: }
connectors: {spanmetrics: , forward: }
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [debug, spanmetrics, forward]}
    traces/b: {receivers: [forward, otlp], exporters: [debug]}
    metrics: {receivers: [spanmetrics, otlp], exporters: [otlp_grpc]}
"""
CIRCLE = """
connectors: {forward/a: , forward/b: }
service:
  pipelines:
    logs: {receivers: [forward/a], exporters: [forward/b]}
    logs/b: {receivers: [forward/b], exporters: [forward/a]}
"""


def graph(text: str) -> Graph:
    return graph_of(model_of(parse(text)))


def test_a_receiver_is_one_for_all_pipelines_of_a_signal_and_processors_are_each_pipelines_own() -> (
    None
):
    found = graph(WHOLE)
    batch, fan_out = Node(Part.PROCESSOR, "batch", "traces"), Node(Part.FAN_OUT, "traces", "traces")
    second = Node(Part.FAN_OUT, "traces/b", "traces/b")
    assert found[Node(Part.RECEIVER, "otlp", "traces")] == (batch, second)
    assert found[batch] == (fan_out,)
    assert found[Node(Part.RECEIVER, "otlp", "metrics")] == (
        Node(Part.FAN_OUT, "metrics", "metrics"),
    )


def test_a_pipeline_fans_out_to_its_exporters_and_connectors() -> None:
    found = graph(WHOLE)
    debug = Node(Part.EXPORTER, "debug", "traces")
    forward = Node(Part.CONNECTOR, "forward", "traces to traces")
    spans = Node(Part.CONNECTOR, "span_metrics", "traces to metrics")
    assert found[Node(Part.FAN_OUT, "traces", "traces")] == (debug, spans, forward)
    assert found[Node(Part.FAN_OUT, "traces/b", "traces/b")] == (debug,)
    assert found[forward] == (Node(Part.FAN_OUT, "traces/b", "traces/b"),)
    assert found[spans] == (Node(Part.FAN_OUT, "metrics", "metrics"),)


def test_pairs_that_a_connector_does_not_have_are_not_wired() -> None:
    found = graph_of(model_of(parse(WHOLE)), is_wired=lambda one, a, b: one != "forward")
    assert not any(node.id == "forward" for node in found)


def test_a_circle_is_found_and_only_a_circle() -> None:
    assert cycle_in(graph(WHOLE)) == ()
    found = cycle_in(graph(CIRCLE))
    assert {node.id for node in found} == {"forward/a", "forward/b", "logs", "logs/b"}


def test_the_graph_of_many_pipelines_on_one_connector_stays_small() -> None:
    """A connector between 2 x 500 pipelines has 1,000 edges, not 250,000."""
    into = [f"    traces/{n}: {{receivers: [otlp], exporters: [forward]}}" for n in range(500)]
    out = [f"    traces/o{n}: {{receivers: [forward], exporters: [debug]}}" for n in range(500)]
    head = "receivers: {otlp: }\nexporters: {debug: }\nconnectors: {forward: }\nservice:\n  pipelines:\n"
    found = graph(head + "\n".join([*into, *out]))
    assert sum(map(len, found.values())) == 2_000
