"""Traces of our own: off they are nothing, on they tell what took how long, and never a secret."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from telflo.base import tracing
from telflo.base.observed import Observed
from telflo.serve.firststart import surroundings
from telflo.system.celery_counts import TaskCounts
from tests.opamp.conftest import Connect
from tests.opamp.fakes import HASH, SECRET, UID, MemoryDomain
from tests.opamp.test_metrics import eventually, joined
from tests.system.test_celery_counts import SWEEP, run

CODE = "BeV5nKnyFoocdEiVAb04gU"
Spans = InMemorySpanExporter


@pytest.fixture
def spans() -> Iterator[Spans]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    tracing.use(None)
    provider.shutdown()


@pytest.fixture(autouse=True)
def _nothing_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*tracing.ASKED_BY, *tracing._PROTOCOLS, "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)


def names(spans: Spans) -> list[str]:
    return [span.name for span in spans.get_finished_spans()]


def one(spans: Spans, name: str) -> ReadableSpan:
    [found] = [span for span in spans.get_finished_spans() if span.name == name]
    return found


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


class TestOff:
    def test_a_span_is_the_same_nothing_each_time(self) -> None:
        assert tracing.span("a") is tracing.span("b", rows=1)
        with tracing.span("a") as current:
            assert current is None

    def test_nothing_is_started_unless_asked_for(self) -> None:
        assert not tracing.start("web", "1")

    @pytest.mark.parametrize(
        "asked",
        [
            {"OTEL_TRACES_EXPORTER": "none"},
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"},
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"},
            {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        ],
    )
    def test_it_can_be_turned_off(
        self, monkeypatch: pytest.MonkeyPatch, asked: dict[str, str]
    ) -> None:
        for name, value in asked.items():
            monkeypatch.setenv(name, value)
        assert not tracing.is_asked_for()


class TestAskedFor:
    @pytest.mark.parametrize("name", tracing.ASKED_BY)
    def test_each_variable_turns_it_on(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv(name, "otlp" if name == "OTEL_TRACES_EXPORTER" else "http://127.0.0.1:1")
        assert tracing.is_asked_for()

    @pytest.mark.parametrize(
        ("name", "value"),
        [("OTEL_TRACES_EXPORTER", "jaeger"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
    )
    def test_what_is_not_built_in_is_said(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
        monkeypatch.setenv(name, value)
        for begin in (lambda: tracing.start("web", "1"), lambda: list(surroundings())):
            with pytest.raises(
                ImproperlyConfigured, match=f"{name}='{value}' is not built in. Use"
            ):
                begin()


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def test_a_request_is_a_span_whose_address_is_masked(spans: Spans) -> None:
    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    path = f"/install/{CODE}/claim"
    scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    await Observed(answer)(scope, None, send)
    told = attributes(one(spans, "http.request"))
    assert told["http.request.method"] == "POST"
    assert told["http.response.status_code"] == 201
    assert told["url.path"] == "/install/<redacted>/claim"
    assert told["telflo.request"].encode() == dict(sent[0]["headers"])[b"x-request-id"]


async def test_letting_in_writing_and_claiming_are_spans_and_heartbeats_are_none(
    spans: Spans, connect: Connect, domain: MemoryDomain
) -> None:
    domain.desired[UID] = HASH
    wire = connect()
    await joined(wire)
    assert (await wire.reply()).remote_config.config_hash == bytes.fromhex(HASH)
    await eventually(lambda: "opamp.flush" in names(spans))
    assert set(names(spans)) == {"opamp.admit", "opamp.flush", "opamp.claim"}
    assert attributes(one(spans, "opamp.flush")) == {"rows": 1}
    assert SECRET not in json.dumps([span.to_json() for span in spans.get_finished_spans()])


def test_a_task_is_a_span(spans: Spans) -> None:
    run(TaskCounts(), "a", "SUCCESS")
    assert attributes(one(spans, "task")) == {"task": SWEEP.name}


def test_of_an_error_only_the_kind_is_told(spans: Spans) -> None:
    url = "postgres://telflo:hunter2@db/telflo"
    with pytest.raises(ConnectionError), tracing.span("work", address=url):
        raise ConnectionError(f"cannot reach {url}")
    span = one(spans, "work")
    assert "hunter2" not in span.to_json()
    assert attributes(span)["error.type"] == "ConnectionError"
    assert not span.status.is_ok
    assert not span.events
