"""Offering connection settings (S1-S4): when one is due to an agent, and the message that carries it.

Clients act on every message that holds settings, some by connecting anew, so each hash is sent once.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from agents.snapshot import Capability, ConnectionReport, SettingsState, Transport
from fleets.connection_offer import Destination, SettingsOffer, Signal
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.continuity import Continuity

_REPORTS_STATUS: Final = int(Capability.REPORTS_CONNECTION_SETTINGS_STATUS)


class SettingsRules:
    """What one agent should have of connection settings, and whether it was offered.

    An agent that reports their status shows by the hash what it has. Of any other the last offer counts for as long
    as its client lives: a client that starts anew counts from 0 and has forgotten what it was offered.
    """

    __slots__ = (
        "_has_begun",
        "_is_asking",
        "_is_raised",
        "_state",
        "_transport",
        "lost",
        "offered",
        "wanted",
    )

    def __init__(self, state: SettingsState, transport: Transport) -> None:
        self.wanted = state.wanted
        self.offered = state.offered
        self.lost: tuple[int, datetime] | None = None
        """The claim whose answer over plain HTTP did not arrive: it has to be given back, since the client's next
        number would prove that it did."""
        self._state = state
        self._transport = transport
        self._has_begun = False
        self._is_asking = False
        self._is_raised = False

    def begin(self, continuity: Continuity) -> None:
        """The session's first message came, and its number was taken.

        Over plain HTTP a client goes on to the next number when it has the answer: any number above that of the message
        that the offer answered proves that it arrived, also of a message that is posted anew and behind a gap. A number
        that goes back is of a client that started anew.
        """
        if self._has_begun:
            return
        self._has_begun = True
        state = self._state
        if self._transport is Transport.HTTP:
            has_it = continuity.is_next or continuity.is_beyond(state.number)
        else:
            has_it = continuity.is_next and state.arrived
        if has_it or state.in_use:
            return
        if self.offered and continuity.answer_was_lost:
            self.lost = state.claimed
        self.offered = ""

    def is_due(self, capabilities: int, report: ConnectionReport | None) -> bool:
        """True when the wanted settings are to be claimed."""
        if self._is_asking:
            return True
        if not self.wanted or self.wanted == self.offered:
            return False
        reported = report.hash if report and capabilities & _REPORTS_STATUS else ""
        return self.wanted != reported

    def raise_once(self, capabilities: int, report: ConnectionReport | None) -> bool:
        """True when an offer is due and this was not said since the last change."""
        if self._is_raised or not self.is_due(capabilities, report):
            return False
        self._is_raised = True
        return True

    def look_again(self, *, ask: bool = False) -> None:
        """Something changed. ask: what is wanted may depend on it, and only the domain can tell."""
        self._is_asking = self._is_asking or (ask and self._state.varies)
        self._is_raised = False

    def want(self, settings_hash: str) -> None:
        """What the agent should have, as the domain sees it now."""
        if settings_hash != self.wanted:
            self.wanted = settings_hash
            self._is_raised = False

    def sent(self, settings_hash: str) -> None:
        """The offer is on its way."""
        self.wanted = self.offered = settings_hash
        self._is_asking = self._is_raised = False

    def decline(self) -> None:
        """The domain has nothing to offer: what is wanted now is not asked for again."""
        self.offered = self.wanted
        self._is_asking = self._is_raised = False


def offers_message(offer: SettingsOffer) -> pb.ConnectionSettingsOffers:
    """The offer as OpAMP has it. Raises ValueError for one that must not exist: no hash, or a way to nowhere."""
    if not offer.hash:
        raise ValueError("Connection settings need a hash.")
    message = pb.ConnectionSettingsOffers(hash=bytes.fromhex(offer.hash))
    if offer.endpoint or offer.heartbeat_s:
        message.opamp.CopyFrom(_opamp(offer))
    for signal, destination in offer.telemetry.items():
        _TELEMETRY[signal](message).CopyFrom(_destination(destination))
    return message


_TELEMETRY: Final = {
    Signal.METRICS: lambda message: message.own_metrics,
    Signal.TRACES: lambda message: message.own_traces,
    Signal.LOGS: lambda message: message.own_logs,
}


def _opamp(offer: SettingsOffer) -> pb.OpAMPConnectionSettings:
    """S4: an interval of 0 would switch heartbeats off, and leave a client over plain HTTP offline for good."""
    if offer.heartbeat_s <= 0:
        raise ValueError("OpAMP connection settings need a heartbeat interval above 0.")
    opamp = pb.OpAMPConnectionSettings(heartbeat_interval_seconds=offer.heartbeat_s)
    if offer.endpoint:
        if not offer.secret:
            raise ValueError("An endpoint needs a credential: the client forgets its old headers.")
        opamp.destination_endpoint = offer.endpoint
        opamp.headers.CopyFrom(_headers({"Authorization": f"Bearer {offer.secret}"}))
        # Without this part, even empty, supervisors stop verifying the server's certificate.
        opamp.certificate.SetInParent()
        opamp.certificate.ca_cert = offer.ca_pem.encode()
    return opamp


def _destination(destination: Destination) -> pb.TelemetryConnectionSettings:
    telemetry = pb.TelemetryConnectionSettings(destination_endpoint=destination.endpoint)
    if destination.headers:
        telemetry.headers.CopyFrom(_headers(destination.headers))
    if destination.ca_pem:
        telemetry.certificate.ca_cert = destination.ca_pem.encode()
        telemetry.tls.ca_pem_contents = destination.ca_pem
        telemetry.tls.include_system_ca_certs_pool = True
    return telemetry


def _headers(headers: Mapping[str, str]) -> pb.Headers:
    pairs = [pb.Header(key=name, value=value) for name, value in headers.items()]
    return pb.Headers(headers=pairs)
