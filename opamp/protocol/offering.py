"""When a hash may be offered to an agent: the session's half of the offer rules (R1, R2, decision 1).

The other half, quarantine and attempts of other sessions, is where offers are claimed.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from agents.snapshot import AgentSnapshot, Capability, RemoteConfigReport
from opamp.proto.opamp_pb2 import AgentToServer
from opamp.protocol.continuity import Continuity
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.limits import Limits
from opamp.protocol.reports import read_remote_config

# Plain ints: IntFlag's operators are slow.
_ACCEPTS_REMOTE_CONFIG = int(Capability.ACCEPTS_REMOTE_CONFIG)
_REPORTS_REMOTE_CONFIG = int(Capability.REPORTS_REMOTE_CONFIG)
_KNOWN_CAPABILITIES = int(sum(Capability))
_OVERHEARD_LENGTH = 4_000
"""Characters that are kept of an error while nothing can be stored: ten thousand sessions may do so."""

Overheard = tuple[RemoteConfigReport, datetime]
"""What was said, and when."""


class OfferRules:
    """What one agent should have, has acknowledged, and was offered without an answer so far.

    in_flight: hash -> when it was sent, oldest first; None: by an earlier session.
    """

    __slots__ = ("_is_raised", "_overheard", "acknowledged", "capabilities", "desired", "in_flight")

    def __init__(self, known: AgentSnapshot) -> None:
        self.desired = known.desired_hash
        self.acknowledged = known.remote_config.hash if known.remote_config else ""
        unanswered = known.in_flight_hash
        is_open = unanswered and unanswered != self.acknowledged
        self.in_flight: dict[str, datetime | None] = {unanswered: None} if is_open else {}
        self.capabilities = known.capabilities
        self._is_raised = False
        self._overheard: Overheard | None = None

    def allows(self, config_hash: str) -> bool:
        """True when this hash could be sent now: accepted, not the acknowledged one, not in flight."""
        return bool(
            config_hash
            and self.capabilities & _ACCEPTS_REMOTE_CONFIG
            and config_hash != self.acknowledged
            and config_hash not in self.in_flight
        )

    @property
    def has_doubtful_offer(self) -> bool:
        """An offer of an earlier session is unanswered and may be lost: only a full state shows whether it arrived."""
        return bool(self.capabilities & _REPORTS_REMOTE_CONFIG) and None in self.in_flight.values()

    def is_arrival_unknown(self, continuity: Continuity, *, is_due: bool) -> bool:
        """Whether, at a session's first message, an earlier offer may be lost, or one would be that goes out now.

        is_due: anything is to be offered. To a message that is posted anew there are two answers, of which the client
        hears one, and its next number proves the arrival of either.
        """
        if self.has_doubtful_offer and not continuity.answer_arrived:
            return True
        return is_due and continuity.answer_was_lost

    def announces(self, mask: int) -> bool:
        """Whether a message's capabilities are others than are known; bits that we do not know are ignored (M8), and 0
        says nothing: ReportsStatus is always set.
        """
        known = mask & _KNOWN_CAPABILITIES
        return bool(known) and known != self.capabilities

    def learn_capabilities(self, mask: int) -> None:
        """Take the capabilities that a message names."""
        self.capabilities = mask & _KNOWN_CAPABILITIES
        self.look_again()

    def raise_once(self) -> bool:
        """True when the desired hash is due and this was not said since the last change.

        An agent whose desired hash is quarantined stays due for ever; its heartbeats must not ask
        the database each time.
        """
        if self._is_raised or not self.allows(self.desired):
            return False
        self._is_raised = True
        return True

    def look_again(self) -> None:
        """Something changed on which raise_once depends."""
        self._is_raised = False

    def desire(self, desired_hash: str) -> bool:
        """Set what the agent should have; True when that is due now, also when nothing changed."""
        self.desired = desired_hash
        self._is_raised = self.allows(desired_hash)
        return self._is_raised

    def sent(self, config_hash: str, now: datetime) -> None:
        """The hash is on its way."""
        self.desired = config_hash
        self.in_flight[config_hash] = now
        self.look_again()

    def learn(self, report: RemoteConfigReport | None, *, proves_loss: bool) -> None:
        """Take what the agent names as its last hash, in whatever status: it and all offered before are answered.

        proves_loss: by a full state that is no answer to an earlier session. What earlier sessions offered and it does
        not name never arrived, if the agent reports a hash at all.
        """
        self.acknowledged = report.hash if report else ""
        if self.acknowledged in self.in_flight:
            hashes = list(self.in_flight)
            for answered in hashes[: hashes.index(self.acknowledged) + 1]:
                del self.in_flight[answered]
        if proves_loss and self.capabilities & _REPORTS_REMOTE_CONFIG:
            for lost in [one for one, sent_at in self.in_flight.items() if sent_at is None]:
                del self.in_flight[lost]
        self.look_again()

    def overhear(self, message: AgentToServer, limits: Limits, at: datetime) -> None:
        """Remember what a message that is refused (A3) says of an offer: it may never be said again."""
        if not message.HasField("remote_config_status"):
            return
        with suppress(MalformedMessage):
            said = read_remote_config(message.remote_config_status, limits)
            if said is not None and said.hash in self.in_flight:
                self._overheard = replace(said, error=said.error[:_OVERHEARD_LENGTH]), at

    def take_overheard(self) -> Overheard | None:
        """The last of it, once."""
        overheard, self._overheard = self._overheard, None
        return overheard
