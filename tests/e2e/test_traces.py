"""Traces of our own reach a real collector, and say nothing that is secret."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from telflo.base.ids import new_id
from tests.e2e.binaries import PROGRAMS, Collector, ensure
from tests.e2e.harness.api import Api
from tests.e2e.harness.server import Process, Server, free_port, make_api_token
from tests.e2e.harness.waiting import PATIENCE_S, tail, wait_until
from tests.opamp.fakes import full

CONFIGURATION: Final = """\
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}}}
exporters: {{file: {{path: {file}, flush_interval: 200ms}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [file]}}}}
"""


@dataclass
class Sink:
    """A collector that writes the traces which it is sent into a file."""

    endpoint: str
    file: Path
    process: Process

    def spans(self) -> list[Mapping[str, Any]]:
        """Every span so far."""
        return [span for scope in self._scopes() for span in scope["spans"]]

    def resources(self) -> list[dict[str, str]]:
        """The string attributes of the resources so far."""
        return [
            {
                one["key"]: one["value"].get("stringValue", "")
                for one in part["resource"]["attributes"]
            }
            for part in self._parts()
        ]

    def _parts(self) -> Iterator[Any]:
        if self.file.is_file():
            for line in self.file.read_text().splitlines():
                yield from json.loads(line)["resourceSpans"]

    def _scopes(self) -> Iterator[Any]:
        for part in self._parts():
            yield from part["scopeSpans"]


@pytest.fixture
def sink(ground: Path) -> Iterator[Sink]:
    collector = max(
        (one for one in PROGRAMS if isinstance(one, Collector)), key=lambda one: one.version
    )
    port, file, configuration = free_port(), ground / "traces.json", ground / "sink.yaml"
    configuration.write_text(CONFIGURATION.format(port=port, file=file))
    command = [str(ensure(collector)), "--config", str(configuration)]
    process = Process(command, {"PATH": "/usr/bin:/bin"}, ground / "sink.log")
    process.start()
    wait_until(
        lambda: "Everything is ready" in process.log.read_text(),
        what="the collector runs",
        within_s=PATIENCE_S,
        evidence=lambda: tail(process.log),
    )
    yield Sink(f"http://127.0.0.1:{port}", file, process)
    process.end()


@dataclass
class Traced(Server):
    """An embedded server that was asked for traces as OpenTelemetry's documentation says."""

    endpoint: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {
            **super().environment,
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }


def test_traces_of_our_own_reach_a_collector_without_a_secret(ground: Path, sink: Sink) -> None:
    server = Traced(ground / "server", endpoint=sink.endpoint)
    server.start()
    try:
        secret = _enrolment_token(server)
        answer = httpx.post(
            f"{server.base_url}/v1/opamp",
            content=full(new_id()).SerializeToString(),
            headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/x-protobuf"},
        )
        assert answer.status_code == httpx.codes.OK
        wait_until(
            lambda: {"opamp.admit"} <= {span["name"] for span in sink.spans()},
            what="the agent's admission is traced",
            within_s=PATIENCE_S,
            evidence=lambda: (
                f"{sorted({span['name'] for span in sink.spans()})}\n{tail(sink.process.log)}"
            ),
        )
        assert server.stop() == 0
    finally:
        server.clean_up()
    assert {one["service.name"] for one in sink.resources()} == {"telflo"}
    assert secret not in sink.file.read_text()


def _enrolment_token(server: Server) -> str:
    api = Api(server.base_url, make_api_token(server.environment))
    try:
        api.post("/fleets/", {"name": "edge", "version": None})
        made = api.post("/fleets/edge/tokens/", {"name": "all", "expires": "never"})
    finally:
        api.close()
    return str(made["secret"])
