"""One agent on one connection: every rule of what a message means and what may be answered."""

from collections.abc import Container, Mapping
from datetime import datetime

from agents.commands import Command
from agents.snapshot import (
    UNSET,
    AgentPatch,
    AgentSnapshot,
    Capability,
    Components,
    Fact,
    FactKind,
    Transport,
)
from fleets.connection_offer import SettingsOffer
from fleets.offer import Offer
from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent, ServerToAgentFlags
from opamp.protocol import replies
from opamp.protocol.beats import answer_to, beat_frame
from opamp.protocol.belief import Belief, Changes
from opamp.protocol.commands import message_for
from opamp.protocol.config_offer import config_message
from opamp.protocol.continuity import Continuity
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.gist import BARE, REFUSED, digest_of, goodbye_in, is_bare
from opamp.protocol.identity import read_instance_uid
from opamp.protocol.limits import Limits
from opamp.protocol.offering import OfferRules
from opamp.protocol.outcome import CloseReason, MessageKind, Outcome
from opamp.protocol.replies import Answers
from opamp.protocol.reports import read_report
from opamp.protocol.settings_offer import SettingsRules, offers_message

_REPORT_FULL_STATE = int(ServerToAgentFlags.ServerToAgentFlags_ReportFullState)
_REPORT_COMPONENTS = int(ServerToAgentFlags.ServerToAgentFlags_ReportAvailableComponents)
_ACCEPTS_RESTART = int(Capability.ACCEPTS_RESTART_COMMAND)


class AgentSession:
    """Follows one agent (instance_uid) through one connection, or through one plain-HTTP request.

    known: what is stored of the agent when the session begins. Requests for a new uid (M6) are answered
    before a session begins, so that nothing is stored under the uid that is never used again.
    stored_components: the hashes whose component trees are stored, whoever reported them; a set
    that grows while the session lives is fine.
    """

    __slots__ = (
        "_answers",
        "_belief",
        "_continuity",
        "_is_first",
        "_left_at",
        "_limits",
        "_mask",
        "_next_beat",
        "_rules",
        "_seen_at",
        "_settings",
        "_transport",
        "_uid_bytes",
        "beat_waits",
        "epoch",
        "instance_uid",
    )

    def __init__(
        self,
        known: AgentSnapshot,
        limits: Limits,
        *,
        stored_components: Container[str] = frozenset(),
    ) -> None:
        self.instance_uid = known.instance_uid
        self._uid_bytes = known.instance_uid.bytes
        self.epoch = known.epoch
        """The number of this session among the agent's; the newest connection wins (I3)."""
        self._transport = known.transport
        self._limits = limits
        self._belief = Belief(known, stored_components)
        self._continuity = Continuity(known)
        self._rules = OfferRules(known)
        self._settings = SettingsRules(known.settings, known.transport)
        self._answers = Answers(self._uid_bytes, limits.send_bytes)
        self._is_first = True
        self._seen_at: datetime | None = None
        self._left_at: datetime | None = None
        self._mask = 0
        self._next_beat = b""
        self.beat_waits = False
        """The write buffer's mark: heartbeat() will be read."""

    @property
    def desired_hash(self) -> str:
        """What the agent should have, as far as this session was told; "" means nothing."""
        return self._rules.desired

    @property
    def lacks_desired(self) -> bool:
        """Whether it should have a hash that is neither acknowledged nor on its way."""
        return self._rules.allows(self._rules.desired)

    @property
    def in_flight(self) -> Mapping[str, datetime | None]:
        """Offers without an answer, oldest first: hash -> when it was sent (None: earlier session)."""
        return self._rules.in_flight

    @property
    def is_full_state_outstanding(self) -> bool:
        """True from ReportFullState until the full state is here."""
        return self._continuity.is_asked

    def hear(self, frame: bytes, now: datetime) -> bytes | None:
        """The answer to a heartbeat that tells nothing but that it came, as most do; None: it is for receive().

        frame, answer: WebSocket messages. What is to be stored then is heartbeat().
        """
        if frame != self._next_beat:
            return None
        self._seen_at = now
        number = self._continuity.go_on(BARE)
        self._next_beat = beat_frame(self._uid_bytes, number + 1, self._mask)
        return answer_to(frame)

    def heartbeat(self) -> AgentPatch:
        """That it is still here, as of its last message. Raises ValueError before the first."""
        if self._seen_at is None:
            raise ValueError("The agent has not been heard.")
        return self._patch(self._seen_at, None)

    def receive(self, message: AgentToServer, now: datetime) -> Outcome:
        """Take one message; its Outcome holds the one reply to it (M1). Never raises for bad input."""
        self._mask, self._next_beat = message.capabilities, b""
        try:
            self._check_sender(message)
            take = self._receive_bare if is_bare(message) else self._receive_report
            outcome = take(message, now)
        except MalformedMessage as problem:
            answer = replies.bad_request(message.instance_uid, str(problem))
            return Outcome(answer, None, kind=MessageKind.REFUSED, limit=problem.limit)
        self._expect_beat()
        return outcome

    def miss(self, message: AgentToServer, now: datetime) -> None:
        """The server is too busy to take this message (A3). Unless it is a mere heartbeat it is not sent again, so
        the full state is asked for as soon as anything can be taken. Only an answer to an offer is remembered.
        """
        self._next_beat = b""
        says_nothing = is_bare(message) and not self._rules.announces(message.capabilities)
        is_next = self._continuity.follows(message.sequence_num, BARE if says_nothing else REFUSED)
        if not says_nothing:
            self._continuity.miss()
        elif not is_next:
            self._continuity.doubt()
        self._rules.overhear(message, self._limits, now)

    def set_desired(self, desired_hash: str) -> bool:
        """The intent changed, or is looked at again: True when an offer is due now."""
        is_due = self._rules.desire(desired_hash)
        if self._can_offer():
            return is_due
        self._rules.look_again()
        return False

    def make_offer(self, offer: Offer, now: datetime) -> ServerToAgent | None:
        """The message that carries a claimed offer, which counts as in flight from here on.

        None when a rule forbids to send it now, or it is over the send limit (T4): then it was not sent, and the claim
        has to be given back. On plain HTTP merge it into the outcome's reply (`outcome.reply.MergeFrom(...)`). Raises
        ValueError for an offer that must not exist: no hash, no files (it would stop), names twice (R3, R4).
        """
        config = config_message(offer)
        if not self._can_offer() or not self._rules.allows(offer.hash):
            return None
        message = self._answers.fitting(remote_config=config)
        if message is not None:
            self._rules.sent(offer.hash, now)
        return message

    @property
    def takes_commands(self) -> bool:
        """Whether there is anything that the agent can be told to do (K1, K2)."""
        restarts = self._rules.capabilities & _ACCEPTS_RESTART
        return bool(restarts or self._belief.custom_capabilities)

    def make_command(self, command: Command) -> ServerToAgent | None:
        """The message that tells the agent to do something (K1, K2); None when it does not take that, or has left."""
        custom = self._belief.custom_capabilities
        if self._left_at is not None or not command.is_accepted(self._rules.capabilities, custom):
            return None
        return message_for(command, self._uid_bytes)

    @property
    def offered_settings(self) -> str:
        """The hash of the connection settings that the agent was offered last and has, as far as is known."""
        return self._settings.offered

    @property
    def lost_settings(self) -> tuple[int, datetime] | None:
        """The claim of settings that did not arrive, for sure: its epoch and time."""
        return self._settings.lost

    @property
    def number(self) -> int | None:
        """Of its last message, whether or not all before it arrived; None when it is too large to be stored."""
        return self._continuity.number

    @property
    def wants_settings(self) -> bool:
        """True while connection settings are due and may be sent."""
        return self._can_offer() and self._settings.is_due(
            self._rules.capabilities, self._belief.connection
        )

    def set_settings(self, settings_hash: str) -> bool:
        """The same as set_desired, of connection settings."""
        self._settings.want(settings_hash)
        is_due = self.wants_settings
        if is_due:
            self._next_beat = b""
        return is_due

    def decline_settings(self) -> None:
        """The claim was not granted: it is not asked for again until something changes."""
        self._settings.decline()

    def make_settings_offer(self, offer: SettingsOffer) -> ServerToAgent | None:
        """The message that carries claimed connection settings; None when they may not be sent (as make_offer)."""
        offers = offers_message(offer)
        if not self._can_offer():
            return None
        message = self._answers.fitting(connection_settings=offers)
        if message is not None:
            self._settings.sent(offer.hash)
        return message

    def disconnect(self, now: datetime, reason: str) -> AgentPatch:
        """The connection is over: what to store. When the agent said goodbye, that stays the end."""
        changes = self._recall() or Changes()
        if self._left_at is None:
            self._left_at = now
            changes.facts.append(Fact(FactKind.DISCONNECTED, now, reason=reason))
        self._next_beat = b""
        return self._patch(self._seen_at or now, changes)

    # ---- receiving

    def _check_sender(self, message: AgentToServer) -> None:
        """M2, M5: a session is one agent's."""
        if message.instance_uid != self._uid_bytes:
            read_instance_uid(message)
            raise MalformedMessage("instance_uid is not the one that this session began with.")

    def _receive_bare(self, message: AgentToServer, now: datetime) -> Outcome:
        """A heartbeat: most messages are, so this way is short."""
        self._follow(message, BARE)
        return self._conclude(now, self._take_capabilities(message.capabilities, self._recall()))

    def _follow(self, message: AgentToServer, digest: int) -> bool:
        """Whether this is the next message; else it is doubted that all arrived."""
        is_next = self._continuity.follows(message.sequence_num, digest)
        self._settings.begin(self._continuity)
        self._belief.is_repeat = self._continuity.answer_was_lost
        if not (is_next or self._continuity.answer_was_lost):
            self._continuity.doubt()
        elif self._continuity.answer_was_lost and self._rules.has_doubtful_offer:
            self._continuity.doubt(at_once=True)
        is_websocket = self._transport is Transport.WEBSOCKET
        if self._is_first and is_websocket and self._continuity.stored_number is None:
            self._belief.doubt_health()
        return is_next

    def _receive_report(self, message: AgentToServer, now: datetime) -> Outcome:
        try:
            report = read_report(
                message, self._limits, stored_components=self._belief.stored_components
            )
        except MalformedMessage:
            # Its digest is not taken: of a message that is over the limits that could cost much.
            self._continuity.follows(message.sequence_num, REFUSED)
            self._settings.begin(self._continuity)
            self._continuity.refuse(now)
            raise
        is_next = self._follow(message, digest_of(message))
        changes = self._take_capabilities(message.capabilities, self._recall()) or Changes()
        if self._transport is Transport.HTTP and isinstance(report.components, Components):
            # It may answer our question, and to ask again in its reply could go round and round.
            self._belief.note_no_tree(report.components)
        kind = MessageKind.REPORT
        if self._is_full(message, is_next=is_next):
            kind = MessageKind.FULL_STATE
            proves_loss = not self._continuity.answer_arrived
            self._belief.take_full(report, message, now, changes, proves_loss=proves_loss)
            self._continuity.settle(now)
            self._rules.learn(self._belief.remote_config, proves_loss=proves_loss)
        else:
            self._belief.take(report, message, now, changes)
            if report.remote_config is not UNSET:
                self._rules.learn(self._belief.remote_config, proves_loss=False)
        self._belief.take_custom_message(message.custom_message, self._limits, now, changes)
        goodbye = goodbye_in(message, self._transport)
        if goodbye:
            kind = MessageKind.GOODBYE
            changes.facts.append(Fact(FactKind.DISCONNECTED, now, reason=goodbye))
        return self._conclude(now, changes, goodbye=goodbye, kind=kind)

    def _is_full(self, message: AgentToServer, *, is_next: bool) -> bool:
        if not message.HasField("agent_description"):
            return False
        fullness = self._belief.fullness(message, self._rules.capabilities)
        starts = message.sequence_num == 0 and not is_next
        return self._continuity.is_full(fullness, starts=starts)

    def _recall(self) -> Changes | None:
        """What was said of an offer in a message that was refused."""
        overheard = self._rules.take_overheard()
        if overheard is None:
            return None
        changes = Changes()
        self._belief.take_remote_config(*overheard, changes)
        self._rules.learn(self._belief.remote_config, proves_loss=False)
        return changes

    def _take_capabilities(self, mask: int, changes: Changes | None) -> Changes | None:
        """M9: they count from this message on."""
        if not self._rules.announces(mask):
            return changes
        self._rules.learn_capabilities(mask)
        self._settings.look_again(ask=True)
        changes = changes or Changes()
        changes.state["capabilities"] = self._rules.capabilities
        return changes

    # ---- answering

    def _expect_beat(self) -> None:
        """Foresee the next heartbeat, unless even that has to be looked at."""
        number = self._continuity.stored_number
        if number is not None and self._can_offer():
            self._next_beat = beat_frame(self._uid_bytes, number + 1, self._mask)

    def _conclude(
        self,
        now: datetime,
        changes: Changes | None,
        *,
        goodbye: str = "",
        kind: MessageKind = MessageKind.HEARTBEAT,
    ) -> Outcome:
        """The outcome of a message that was taken: reply, patch, and what comes next."""
        if self._is_first:
            self._is_first = False
            known = self._rules.capabilities, self._belief.connection
            is_due = self.lacks_desired or self._settings.is_due(*known)
            if self._rules.is_arrival_unknown(self._continuity, is_due=is_due):
                self._continuity.doubt(at_once=True)
        self._seen_at = now
        self._left_at = now if goodbye else None
        return Outcome(
            self._answers.message(flags=self._flags(now)),
            self._patch(now, changes),
            self._can_offer() and self._raise_offer(),
            CloseReason.AGENT_LEFT if goodbye else None,
            kind,
        )

    def _raise_offer(self) -> bool:
        """Whether a configuration or connection settings are due, said once each."""
        is_config_due = self._rules.raise_once()
        return (
            self._settings.raise_once(self._rules.capabilities, self._belief.connection)
            or is_config_due
        )

    def _flags(self, now: datetime) -> int:
        """What the reply asks for. A full state brings the components, so both are never asked."""
        if self._continuity.should_ask(now):
            return _REPORT_FULL_STATE
        return _REPORT_COMPONENTS if self._belief.should_ask_for_tree() else 0

    def _patch(self, now: datetime, changes: Changes | None) -> AgentPatch:
        continuity, is_polled = self._continuity, self._transport is Transport.HTTP
        number = continuity.stored_number
        patch = AgentPatch(self.instance_uid, self.epoch, now, number, is_polled=is_polled)
        patch.doubtful_num = continuity.doubtful_number
        if changes is not None:
            patch.disconnected_at = self._left_at
            patch.facts = tuple(changes.facts)
            for name, value in changes.state.items():
                setattr(patch, name, value)
        return patch

    def _can_offer(self) -> bool:
        """False while the agent is gone or owes a full state, which may show what it already has."""
        return self._left_at is None and not self._continuity.is_asked
