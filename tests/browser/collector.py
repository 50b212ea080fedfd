"""A scripted collector: an OpAMP client over WebSocket that does what a supervisor does, without one.

It tells everything of itself once, then applies each remote configuration that it is offered; one that contains
`refuses` it answers with FAILED and `error`, and keeps what it ran.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID, uuid4

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from opamp.proto.anyvalue_pb2 import KeyValue
from opamp.proto.opamp_pb2 import (
    AgentCapabilities,
    AgentToServer,
    ComponentHealth,
    RemoteConfigStatus,
    RemoteConfigStatuses,
    ServerToAgent,
    ServerToAgentFlags,
)

CAPABILITIES: Final = (
    AgentCapabilities.AgentCapabilities_ReportsStatus
    | AgentCapabilities.AgentCapabilities_AcceptsRemoteConfig
    | AgentCapabilities.AgentCapabilities_ReportsEffectiveConfig
    | AgentCapabilities.AgentCapabilities_ReportsRemoteConfig
    | AgentCapabilities.AgentCapabilities_ReportsHealth
)
_FRAME_HEADER: Final = b"\x00"


@dataclass
class Collector:
    """One collector. Use it in a `with` statement: it is connected inside."""

    base_url: str
    token: str
    host: str = "edge-1"
    refuses: str = "no text contains this"
    error: str = "cannot build pipelines: unknown exporter"
    uid: UUID = field(default_factory=uuid4)
    received: list[str] = field(default_factory=list)
    """The texts that it was offered, in order."""
    received_at: float = 0.0
    """When the last one came, on the monotonic clock."""
    running: str = "receivers: {}\n"

    def __enter__(self) -> Self:
        """Connect, and listen in a thread."""
        self._sequence_num = 0
        self._status = RemoteConfigStatus()
        self._started_ns = time.time_ns()
        address = self.base_url.replace("http", "ws", 1) + "/v1/opamp"
        headers = {"Authorization": f"Bearer {self.token}"}
        self._ending = ExitStack()
        self._socket: ClientConnection = self._ending.enter_context(
            connect(address, additional_headers=headers, max_size=None, proxy=None)
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self._send(self._everything())
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        self._ending.close()
        self._thread.join(timeout=5)

    def _listen(self) -> None:
        try:
            for data in self._socket:
                assert isinstance(data, bytes)
                self._answer(ServerToAgent.FromString(data[len(_FRAME_HEADER) :]))
        except ConnectionClosed:
            return

    def _answer(self, message: ServerToAgent) -> None:
        if message.flags & ServerToAgentFlags.ServerToAgentFlags_ReportFullState:
            self._send(self._everything())
        if message.HasField("remote_config"):
            text = message.remote_config.config.config_map[""].body.decode()
            self.received.append(text)
            self.received_at = time.monotonic()
            self._apply(text, message.remote_config.config_hash)

    def _apply(self, text: str, config_hash: bytes) -> None:
        self._report(config_hash, RemoteConfigStatuses.RemoteConfigStatuses_APPLYING)
        if self.refuses in text:
            self._report(config_hash, RemoteConfigStatuses.RemoteConfigStatuses_FAILED, self.error)
            return
        self.running = text
        self._report(config_hash, RemoteConfigStatuses.RemoteConfigStatuses_APPLIED)

    def _report(self, config_hash: bytes, status: RemoteConfigStatuses, error: str = "") -> None:
        self._status = RemoteConfigStatus(
            last_remote_config_hash=config_hash, status=status, error_message=error
        )
        message = AgentToServer(remote_config_status=self._status)
        self._describe_running(message)
        self._send(message)

    def _everything(self) -> AgentToServer:
        """A full state."""
        message = AgentToServer(health=self._health(), remote_config_status=self._status)
        message.agent_description.identifying_attributes.extend(
            [_pair("service.name", "otelcol-contrib"), _pair("service.version", "0.158.0")]
        )
        message.agent_description.non_identifying_attributes.extend(
            [_pair("host.name", self.host), _pair("os.type", "linux")]
        )
        self._describe_running(message)
        return message

    def _describe_running(self, message: AgentToServer) -> None:
        file = message.effective_config.config_map.config_map[""]
        file.body, file.content_type = self.running.encode(), "text/yaml"

    def _health(self) -> ComponentHealth:
        def healthy(**parts: ComponentHealth) -> ComponentHealth:
            return ComponentHealth(
                healthy=True,
                status="StatusOK",
                start_time_unix_nano=self._started_ns,
                status_time_unix_nano=time.time_ns(),
                component_health_map=parts,
            )

        pipeline = {"receiver:otlp": healthy(), "exporter:debug": healthy()}
        return healthy(**{"pipeline:traces": healthy(**pipeline), "extensions": healthy()})

    def _send(self, message: AgentToServer) -> None:
        message.instance_uid = self.uid.bytes
        message.sequence_num = self._sequence_num
        message.capabilities = CAPABILITIES
        self._sequence_num += 1
        self._socket.send(_FRAME_HEADER + message.SerializeToString())


def _pair(key: str, value: str) -> KeyValue:
    pair = KeyValue(key=key)
    pair.value.string_value = value
    return pair
