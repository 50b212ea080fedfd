"""PURE. What an agent does with connection settings, and what it says of them.

An interval is used at once, an endpoint replaces the client, own telemetry restarts the collector. An agent may report
the hash that it holds; real supervisors do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opamp.proto.opamp_pb2 import ConnectionSettingsOffers, ConnectionSettingsStatuses
from opamp.simulator import shapes, wire
from opamp.simulator.report import SETTINGS, Destination, Message, Settings

if TYPE_CHECKING:
    from opamp.simulator.agent import SimulatedAgent

_TELEMETRY: Final = {"metrics": "own_metrics", "traces": "own_traces", "logs": "own_logs"}
_APPLIED: Final = int(ConnectionSettingsStatuses.ConnectionSettingsStatuses_APPLIED)


class Held:
    """The settings that an agent was offered last, and whether it says so."""

    __slots__ = ("_acknowledges", "_is_of_this_connection", "_said")

    def __init__(self, capabilities: int) -> None:
        self._acknowledges = bool(capabilities & shapes.REPORTS_SETTINGS_STATUS)
        self._is_of_this_connection = False
        self._said = Settings()

    def connected(self) -> None:
        """What came before may not have been received, as far as a server can tell that is told nothing."""
        self._is_of_this_connection = False

    def forget(self) -> None:
        """The client starts anew, without them."""
        self._said = Settings(repeated=self._said.repeated)

    def take(self, offers: ConnectionSettingsOffers) -> None:
        """Hold these from now on."""
        before, opamp = self._said, offers.opamp
        came = offers.hash.hex()
        is_known = self._acknowledges or self._is_of_this_connection
        self._is_of_this_connection = True
        self._said = Settings(
            hash=came,
            interval_s=opamp.heartbeat_interval_seconds,
            telemetry={
                signal: getattr(offers, name).destination_endpoint
                for signal, name in _TELEMETRY.items()
                if offers.HasField(name)
            },
            repeated=before.repeated + (is_known and came == before.hash),
            is_acknowledged=self._acknowledges,
        )

    def said(self) -> Settings:
        """For the truth."""
        return self._said

    def report(self) -> bytes:
        """A ConnectionSettingsStatus; nothing when there is nothing to say."""
        if not (self._said.hash and self._acknowledges):
            return b""
        return wire.remote_status(bytes.fromhex(self._said.hash), _APPLIED, "")


def take(agent: SimulatedAgent, offers: ConnectionSettingsOffers, now: float) -> list[Message]:
    """The messages that an offer leads to."""
    agent.settings.take(offers)
    opamp = offers.opamp
    if opamp.heartbeat_interval_seconds:
        agent.heartbeat_s = float(opamp.heartbeat_interval_seconds)
    said = agent.say(now, SETTINGS) if agent.settings.report() else []
    if any(offers.HasField(name) for name in _TELEMETRY.values()):
        said += agent.restart_collector(now)
    if not opamp.destination_endpoint:
        return said
    headers = {one.key.lower(): one.value for one in opamp.headers.headers}
    destination = Destination(opamp.destination_endpoint, headers.get("authorization", ""))
    return [*said, *agent.leave(now, destination)]
