"""A machine that was copied with its identity, and a restart from here, with real supervisors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.harness.api import Api
from tests.e2e.harness.machine import Machine
from tests.e2e.harness.server import Server, make_api_token
from tests.e2e.harness.waiting import tail, wait_until

VERSION: Final = "0.158.0"
IDENTITY: Final = "01890000-0000-7000-8000-0000000000aa"
HEARTBEAT_S: Final = 30
YAML: Final = """\
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
exporters: {debug: {}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [debug]}}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.clean_up()


@pytest.mark.rule("A2", "M6", "K1")
def test_a_copied_machine_goes_on_under_a_uid_of_its_own_and_restarts_when_told(
    server: Server, tmp_path: Path
) -> None:
    api = Api(server.base_url, make_api_token(server.environment))
    fleet = api.create_fleet("edge", api.publish(api.create_configuration("edge"), YAML))
    secret = api.post(f"/fleets/{fleet}/tokens/", {"name": "first", "expires": "never"})["secret"]
    machines = [
        Machine(tmp_path / name, server.port, secret, version=VERSION, identity=IDENTITY)
        for name in ("original", "copy")
    ]

    def evidence() -> str:
        return "\n".join([*(tail(one.folder / "log") for one in machines), server.logs()])

    def until(condition: Callable[[], Any], what: str, within_s: float = 60) -> Any:
        return wait_until(condition, what=what, within_s=within_s, evidence=evidence)

    try:
        for machine in machines:
            machine.start()
            until(machine.collector_pids, "its collector runs")
            until(lambda: any(one.is_settled(1) for one in api.collectors()), "one runs version 1")
        within_s = 2 * HEARTBEAT_S + 30
        until(lambda: len(api.collectors()) == 2, "there are two collectors", within_s)
        until(lambda: all(one.is_settled(1) for one in api.collectors()), "both run version 1")
        uids = {one.uid for one in api.collectors()}
        assert IDENTITY in uids
        assert sum(IDENTITY in machine.identity for machine in machines) == 1
        assert all(one.is_connected for one in api.collectors())
        [copy] = uids - {IDENTITY}
        kinds = [event["kind"] for event in api.events(copy)]
        assert "cloned_from" in kinds

        moved = next(one for one in machines if copy in one.identity)
        before = moved.collector_pids()
        api.post(f"/agents/{copy}/restart/", {"reason": "a test"})
        until(lambda: moved.collector_pids() - before, "another collector runs")
        until(lambda: all(one.is_settled(1) for one in api.collectors()), "both run version 1")
        assert {one.uid for one in api.collectors()} == uids
    finally:
        for machine in machines:
            machine.stop()
        api.close()
