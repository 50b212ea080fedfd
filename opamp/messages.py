"""A message's way: bytes in, bytes out, without waiting for anything (I5).

Only the first message of an agent has to wait: it is put aside, the agent is admitted (opamp/admission.py), and the
answer is sent from there.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from opamp.allowances import LIMIT, Allowances
from opamp.aside import Aside
from opamp.buffer import WriteBuffer
from opamp.errors import TooMany
from opamp.identities import Identities
from opamp.metrics import Counters
from opamp.options import GatewayOptions
from opamp.proto.opamp_pb2 import AgentToServer
from opamp.protocol.beats import UID, uid_of
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.framing import decode_frame, encode_frame
from opamp.protocol.identity import read_instance_uid, wants_new_uid
from opamp.protocol.replies import bad_request, unavailable
from opamp.registry import Connection, HeldAgent, Registry
from telflo.base.clock import now

logger = logging.getLogger(__name__)

_FAILED: Final = "The server could not process this message."


class Messages:
    """Answers the messages of connections.

    check: raises TooMany for who was refused too often. admit: begins to let an agent in, beside everything else.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        buffer: WriteBuffer,
        options: GatewayOptions,
        counters: Counters,
        identities: Identities,
        aside: Aside,
        allowances: Allowances,
        check: Callable[[HeldAgent], None],
        admit: Callable[[HeldAgent], None],
        want_offer: Callable[[HeldAgent], None],
    ) -> None:
        self._registry = registry
        self._buffer = buffer
        self._options = options
        self._counters = counters
        self._identities = identities
        self._aside = aside
        self._allowances = allowances
        self._check = check
        self._admit = admit
        self._want_offer = want_offer

    def receive(self, connection: Connection, data: bytes) -> bytes | None:
        """The answer to one binary WebSocket message (M1); None when it follows later. Never raises for bad input."""
        connection.has_spoken = True
        answer = self._hear(connection, data)
        if answer is not None:
            return answer
        holder = connection.credential.id
        if self._allowances.is_spent(holder, len(data)):
            return self._unavailable(uid_of(data), LIMIT)
        self._allowances.take(holder, len(data))
        try:
            message = decode_frame(data, self._options.protocol.parts)
        except MalformedMessage as error:
            self._counters.malformed(error.limit)
            return encode_frame(bad_request(b"", str(error)))
        agent = connection.agents.get(message.instance_uid)
        if agent is not None and agent.is_newest and not wants_new_uid(message):
            return self.answer(agent, message)
        return self.receive_other(connection, message, data)

    def answer(self, agent: HeldAgent, message: AgentToServer) -> bytes:
        """The answer to a message of an admitted agent: no database, exactly one reply."""
        assert agent.session is not None
        holder = agent.connection.credential.id
        if limit := self._buffer.refuses(holder):
            agent.session.miss(message, now())
            return self._unavailable(message.instance_uid, limit)
        try:
            outcome = agent.session.receive(message, now())
        except Exception:
            logger.exception("A message of %s could not be processed.", agent.uid)
            self.end_session(agent)
            return encode_frame(bad_request(message.instance_uid, _FAILED))
        if outcome.patch is None:
            self._counters.refuse(outcome)
        elif outcome.patch.is_heartbeat:
            self._buffer.beat(agent.session, holder)
        else:
            self._buffer.submit(outcome.patch, holder)
        if outcome.close is not None:
            self.end_session(agent)
        self._counters.kinds[outcome.kind] += 1
        if outcome.offer_due:
            self._want_offer(agent)
        return encode_frame(outcome.reply)

    def end_session(self, agent: HeldAgent) -> None:
        """Forget the session: the agent's next message is admitted anew, and a gap asks for its full state."""
        self._registry.drop(agent)
        forget(agent)

    def leave(self, agent: HeldAgent, moment: datetime, reason: str) -> None:
        """The agent is gone from its connection, which may go on with others."""
        if agent.session is not None and agent.is_newest:
            holder = agent.connection.credential.id
            self._buffer.submit(agent.session.disconnect(moment, reason), holder)
        self.end_session(agent)

    def end_connection(self, connection: Connection, moment: datetime, reason: str) -> None:
        """Its agents are disconnected, unless they are on a newer connection.

        What those said that are not let in yet is kept until they are: they were connected, and it is true.
        """
        for agent in self._registry.remove_connection(connection):
            if agent.session is not None and agent.new_uid is None:
                patch = agent.session.disconnect(moment, reason)
                self._buffer.submit(patch, connection.credential.id)

    def _hear(self, connection: Connection, data: bytes) -> bytes | None:
        """The short way of most messages: a heartbeat that is known by its bytes."""
        agent = connection.agents.get(data[UID])
        if agent is None or not agent.is_newest:
            return None
        session = agent.session
        assert session is not None
        is_waiting = session.beat_waits
        if not is_waiting and self._buffer.refuses(connection.credential.id):
            return None
        answer = session.hear(data, now())
        if answer is not None:
            self._counters.heartbeats += 1
            if not is_waiting:
                self._buffer.beat(session, connection.credential.id)
        return answer

    def receive_other(
        self, connection: Connection, message: AgentToServer, data: bytes
    ) -> bytes | None:
        """The answer to a message (`data`) of an agent that is not held by this connection (yet, or any more)."""
        raw_uid = message.instance_uid
        try:
            uid = read_instance_uid(message)
        except MalformedMessage as error:
            self._counters.malformed()
            return encode_frame(bad_request(raw_uid, str(error)))
        agent = connection.agents.get(raw_uid)
        if agent is not None and agent.session is not None and wants_new_uid(message):
            self._identities.answer_request(agent)
            return None
        if agent is None or (agent.is_settled and self._registry.get(uid) is None):
            most = self._options.agents_per_connection
            if agent is None and len(connection.agents) >= most:
                self._counters.hit("agents_per_connection")
                self._counters.refused_messages += 1
                problem = f"One connection carries at most {most} agents."
                return encode_frame(bad_request(raw_uid, problem))
            return self._let_in(HeldAgent(uid, connection), message, data)
        if agent.is_settled:
            return self._identities.answer_replaced(agent, message)
        if limit := self._aside.keep(agent, data):
            return self._unavailable(raw_uid, limit)
        return None

    def _let_in(self, agent: HeldAgent, message: AgentToServer, data: bytes) -> bytes | None:
        """Its message waits until it is admitted; one that does not fit is to be sent again."""
        try:
            self._check(agent)
        except TooMany as wait:
            self._counters.unavailable_answers += 1
            return encode_frame(
                unavailable(message.instance_uid, wait.retry_after_s, problem=str(wait))
            )
        if limit := self._aside.keep(agent, data):
            return self._unavailable(message.instance_uid, limit)
        agent.asks_uid = wants_new_uid(message)
        agent.connection.agents[message.instance_uid] = agent
        self._admit(agent)
        return None

    def _unavailable(self, raw_uid: bytes, limit: str) -> bytes:
        self._counters.put_off(limit)
        return encode_frame(unavailable(raw_uid, self._options.retry_after()))


def forget(agent: HeldAgent) -> None:
    """Take the agent off its connection, unless a newer session is in its place there."""
    raw_uid = agent.uid.bytes
    if agent.connection.agents.get(raw_uid) is agent:
        del agent.connection.agents[raw_uid]
