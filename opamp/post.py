"""The plain-HTTP side of /v1/opamp: raw ASGI in front of Django's handler (a tenth of the cost of a view).

One request is one short session: it loads and writes through, since the next poll may reach another process.
Go clients take 200 alone for an answer, try 429 and 503 again, and drop the message at every other status.
"""

import asyncio
import gzip
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from agents.snapshot import AgentSnapshot, Transport
from fleets.connection_offer import Held, SettingsClaim
from fleets.offer import Claim
from opamp.auth import Headers, bearer_secret, header
from opamp.body import ClientLeft, announced_size, read_body, resumed
from opamp.consumers import Receive, Scope, Send, client_address, socket_of
from opamp.door import refusal_for
from opamp.errors import (
    AgentPutOff,
    AgentRefused,
    BadBody,
    ConnectionRefused,
    Overloaded,
    Overtaken,
    TooMany,
)
from opamp.gateway import Gateway
from opamp.identities import goes_by
from opamp.metrics import AWAY, OVERTAKEN
from opamp.ports import Caller, Credential
from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.framing import decode_body, encode_body
from opamp.protocol.identity import read_instance_uid, wants_new_uid
from opamp.protocol.replies import bad_request, new_identity
from opamp.protocol.session import AgentSession
from opamp.requests import takes_gzip
from opamp.sending import taken
from telflo.base.clock import now
from telflo.base.ids import new_id

logger = logging.getLogger(__name__)

PROTOBUF: Final = "application/x-protobuf"
WHAT_THIS_IS: Final = "This is Telflo's OpAMP endpoint. Agents connect by WebSocket, or POST application/x-protobuf.\n"
_GZIP_FROM_BYTES: Final = 1024
_TOO_LARGE: Final = 413
_FRAMING_BYTES: Final = 6
"""Tag and length of a field of any size that can be sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who posts, from where, and whether the connection has ended meanwhile."""

    uid: UUID
    address: str
    has_left: Callable[[], bool]


_SAYING: Final = ("remote_config", "connection_settings", "error_response")
"""Fields of an answer that a command, which carries nothing else, would take away."""


class OpampPost:
    """An ASGI application for HTTP requests to the OpAMP endpoint."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: it is open until what it is answered with is sent."""
        with ExitStack() as held:
            try:
                answer = await self._answer_to(scope, receive, held)
            except ClientLeft:
                return
            await self._send(scope, send, answer)

    async def _answer_to(self, scope: Scope, receive: Receive, held: ExitStack) -> Answer:
        try:
            return await self._answer(scope, receive, held)
        except BadBody as error:
            if error.status == _TOO_LARGE:
                self._gateway.counters.hit("message_bytes")
            return _text(error.status, error.text)
        except ConnectionRefused as refusal:
            self._gateway.refused(refusal, **_sender(scope))
            return _refusal(refusal)
        except (Overloaded, TooMany) as wait:
            return _refusal(wait)

    async def _answer(self, scope: Scope, receive: Receive, held: ExitStack) -> Answer:
        if scope["method"] != "POST":
            return Answer(405, WHAT_THIS_IS.encode(), {"allow": "POST", **_PLAIN})
        headers = scope["headers"]
        content_type = header(headers, b"content-type").partition(";")[0].strip().lower()
        if content_type != PROTOBUF:
            return _text(415, f"The content type has to be {PROTOBUF}.")
        secret = bearer_secret(headers)
        first, credential = await self._let_in(scope, receive, secret)
        held.enter_context(self._gateway.polls.holding(credential.id))
        self._gateway.allowances.check(credential.id, announced_size(headers))
        body = await self._read(headers, resumed(first, receive), credential.id)
        with self._gateway.aside.holding(credential.id, body):
            async with self._gateway.polls.turn(credential.id):
                status, reply = await self._exchange(scope, credential, body)
        return self._encode(scope, status, reply)

    async def _let_in(
        self, scope: Scope, receive: Receive, secret: str
    ) -> tuple[Mapping[str, Any], Credential]:
        """What came first of the body, and who sends it. Only who is let in is waited for.

        It is taken at once: a supervisor that stops hangs up right behind its goodbye (D1), and the server drops what
        was not taken by then.
        """
        address = client_address(scope)
        asking = asyncio.create_task(self._gateway.authenticate(secret, address=address))
        first: Mapping[str, Any] = {}
        try:
            async with asyncio.timeout(None) as patience:
                stop_waiting = partial(_end_if_failed, patience)
                asking.add_done_callback(stop_waiting)
                first = await receive()
        except TimeoutError:
            pass  # `asking` says why
        except BaseException:
            asking.cancel()
            raise
        finally:
            asking.remove_done_callback(stop_waiting)
        return first, await asking

    async def _read(self, headers: Headers, receive: Receive, holder: UUID | None) -> bytes:
        """The body. Raises BadBody; TooMany when too much came by the token; Overloaded when so much is unfinished that
        this one has to go.
        """
        gateway, who, counted = self._gateway, object(), 0
        most = gateway.options.protocol.message_bytes
        try:
            async with asyncio.timeout(None) as patience:
                end = partial(patience.reschedule, 0)

                def came(size: int, more: bool) -> None:
                    nonlocal counted
                    gateway.allowances.take(holder, size - counted)
                    counted = size
                    if more:
                        gateway.allowances.check(holder, most)
                        gateway.unfinished.hold(who, size, end, holder)

                return await read_body(headers, receive, most=most, came=came)
        except TimeoutError:
            gateway.counters.unavailable_answers += 1
            raise Overloaded(gateway.options.retry_after()) from None
        finally:
            gateway.unfinished.done(who)

    async def _exchange(
        self, scope: Scope, credential: Credential, body: bytes
    ) -> tuple[int, ServerToAgent]:
        """The status and the ServerToAgent for one AgentToServer. What waits for its turn is bytes: a message takes
        many times as much once it is decoded.
        """
        raw_uid = b""
        try:
            message = decode_body(body, self._gateway.options.protocol.parts)
            raw_uid = message.instance_uid
            uid = read_instance_uid(message)
            _check_uid_header(scope, uid)
        except MalformedMessage as error:
            self._gateway.counters.malformed(error.limit)
            return 400, bad_request(raw_uid, str(error))
        address = client_address(scope)
        self._gateway.refusals.check_agent(uid, credential=credential, address=address)
        self._gateway.polls.check_pace(credential.id, uid, len(body))
        try:
            reply = await self._gateway.polls.run(
                self._process, credential, message, Sender(uid, address, _has_left(scope)), now()
            )
        except AgentRefused as refusal:
            return self._refused(scope, credential, uid, refusal)
        except Overtaken:
            raise self._gateway.put_off(OVERTAKEN) from None
        except Exception as error:
            if not self._gateway.domain.is_temporary(error):
                logger.exception("A request of %s could not be processed.", uid)
                return 500, bad_request(raw_uid, "The server could not process this message.")
            logger.warning("A request of %s has to wait.", uid, exc_info=error)
            raise self._gateway.put_off(AWAY) from error
        return 200, reply

    def _process(
        self,
        credential: Credential,
        message: AgentToServer,
        sender: Sender,
        moment: datetime,
    ) -> ServerToAgent:
        """On a thread: a session of one message, stored before it is answered; the answer carries the offer."""
        domain, uid = self._gateway.domain, sender.uid
        asks = wants_new_uid(message)
        if asks and uid not in domain.sessions([uid]):
            return new_identity(uid.bytes, new_id())  # M6: the old one is never registered
        snapshot = self._admit(credential, message, sender, moment)
        session = self._gateway.new_session(snapshot)
        if asks or snapshot.is_clone:
            given = self._give_uid(session, sender.address, moment, is_clone=snapshot.is_clone)
            if given is not None:
                return new_identity(uid.bytes, given)
        outcome = session.receive(message, moment)
        self._gateway.counters.take_http(outcome)
        if outcome.patch is not None:
            self._gateway.record_patches([outcome.patch])
        if session.lost_settings is not None:
            lost = SettingsClaim(*session.lost_settings)
            domain.give_back_settings({uid: lost}, now=moment)
        if outcome.offer_due:
            self._offer_settings(session, outcome.reply, moment)
            offer = domain.claim_offers({uid: session.epoch}, now=moment).get(uid)
            carried = session.make_offer(offer, moment) if offer is not None else None
            if carried is not None and self._fits(outcome.reply, carried):
                outcome.reply.MergeFrom(carried)
            elif offer is not None:
                domain.give_back_offers({uid: Claim(session.epoch, offer.hash)}, now=moment)
        return self._command(session, outcome.reply, moment) or outcome.reply

    def _admit(
        self, credential: Credential, message: AgentToServer, sender: Sender, moment: datetime
    ) -> AgentSnapshot:
        """What is known of the agent. Raises its refusal; Overtaken when it hung up and says nothing new."""
        uid, number = sender.uid, message.sequence_num
        caller = Caller(
            credential, uid, Transport.HTTP, sender.address, number, has_left=sender.has_left
        )
        snapshot = self._gateway.domain.admit_agents([caller], now=moment)[uid]
        if isinstance(snapshot, AgentPutOff) and sender.has_left():
            raise Overtaken
        if isinstance(snapshot, Exception):
            raise snapshot
        return snapshot

    def _give_uid(
        self, session: AgentSession, address: str, moment: datetime, *, is_clone: bool
    ) -> UUID | None:
        """A new identity, or None for a clone when enough were given; who asked for it (M6) leaves the old one."""
        given = self._gateway.domain.give_uid(
            instance_uid=session.instance_uid,
            remote_address=address,
            is_clone=is_clone,
            now=moment,
        )
        if is_clone:
            return given
        given = given or new_id()
        self._gateway.record_patches([session.disconnect(moment, goes_by(given))])
        return given

    def _command(
        self, session: AgentSession, reply: ServerToAgent, moment: datetime
    ) -> ServerToAgent | None:
        """On a thread: a command takes the place of an answer that says nothing else (K1); others wait for the next."""
        if not session.takes_commands:
            return None
        if reply.flags or any(reply.HasField(name) for name in _SAYING):
            return None
        uid = session.instance_uid
        claimed = self._gateway.domain.claim_commands({uid: session.epoch}, now=moment)
        message = session.make_command(claimed[uid]) if uid in claimed else None
        if message is not None:
            message.capabilities = reply.capabilities
        return message

    def _fits(self, reply: ServerToAgent, carried: ServerToAgent) -> bool:
        """Whether both may be sent as one (T8): an answer that is refused for its size would take the offer along."""
        most = self._gateway.options.protocol.send_bytes
        return reply.ByteSize() + carried.remote_config.ByteSize() + _FRAMING_BYTES <= most

    def _offer_settings(
        self, session: AgentSession, reply: ServerToAgent, moment: datetime
    ) -> None:
        """Put connection settings that are due into the answer (S3)."""
        if not session.wants_settings:
            return
        domain, uid = self._gateway.domain, session.instance_uid
        held = Held(session.epoch, session.offered_settings, session.number)
        offer = domain.claim_settings({uid: held}, now=moment).get(uid)
        carried = session.make_settings_offer(offer) if offer is not None else None
        if carried is not None:
            reply.MergeFrom(carried)
        elif offer is not None:
            unsent = SettingsClaim(session.epoch, moment)
            domain.give_back_settings({uid: unsent}, now=moment)

    def _refused(
        self, scope: Scope, credential: Credential, uid: UUID, refusal: AgentRefused
    ) -> tuple[int, ServerToAgent]:
        sender = _sender(scope)
        self._gateway.refusals.add_agent(refusal, uid, credential=credential, **sender)
        if refusal.is_for_now:
            self._gateway.counters.put_off("newcomers")
            raise Overloaded(self._gateway.options.retry_after(), refusal.text)
        return 403, bad_request(uid.bytes, refusal.text)

    async def _send(self, scope: Scope, send: Send, answer: Answer) -> None:
        """Send it, and return once the socket has nearly all: a server waits for that before the last part."""
        headers = {**answer.headers, "content-length": str(len(answer.body))}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer.body, "more_body": True})
        last = send({"type": "http.response.body", "body": b""})
        transport = socket_of(scope).get("transport")
        if transport is None:
            await last
        elif not await taken(last, transport, len(answer.body), self._gateway.options):
            self._gateway.counters.cut_connections += 1
            self._gateway.counters.hit("send_timeout_s")

    def _encode(self, scope: Scope, status: int, reply: ServerToAgent) -> Answer:
        body = encode_body(reply)
        if len(body) > self._gateway.options.protocol.send_bytes:  # T8
            self._gateway.counters.hit("send_bytes")
            logger.error("An answer of %d bytes is too large to be sent.", len(body))
            return _text(500, "The answer is larger than this server may send.")
        headers = {"content-type": PROTOBUF}
        accepted = header(scope["headers"], b"accept-encoding")
        if len(body) >= _GZIP_FROM_BYTES and takes_gzip(accepted):
            body = gzip.compress(body, compresslevel=5)
            headers["content-encoding"] = "gzip"
        return Answer(status, body, headers)


def _end_if_failed(patience: asyncio.Timeout, asking: asyncio.Task[Credential]) -> None:
    if not asking.cancelled() and asking.exception() is not None:
        patience.reschedule(0)


def _has_left(scope: Scope) -> Callable[[], bool]:
    transport = socket_of(scope).get("transport")
    return bool if transport is None else transport.is_closing


def _sender(scope: Scope) -> dict[str, str]:
    """What is kept of who was refused."""
    return {
        "address": client_address(scope),
        "transport": Transport.HTTP.value,
        "user_agent": header(scope["headers"], b"user-agent"),
    }


def _check_uid_header(scope: Scope, uid: UUID) -> None:
    """The OpAMP-Instance-UID header says the same as the message (T9)."""
    named = header(scope["headers"], b"opamp-instance-uid")
    if not named:
        return
    try:
        agrees = UUID(named) == uid
    except ValueError:
        agrees = False
    if not agrees:
        raise MalformedMessage("The OpAMP-Instance-UID header is not the message's instance_uid.")


_PLAIN: Final = {"content-type": "text/plain; charset=utf-8"}


def _text(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, f"{text}\n".encode(), {**_PLAIN, **(headers or {})})


def _refusal(error: ConnectionRefused | Overloaded | TooMany) -> Answer:
    refusal = refusal_for(error)
    return _text(refusal.status, refusal.text, refusal.headers)
