"""Stand-ins that are passed to constructors: a domain in memory, and an agent's messages."""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from agents.commands import Command
from agents.snapshot import (
    AgentPatch,
    AgentSnapshot,
    Capability,
    ConfigFile,
    SettingsState,
)
from fleets.connection_offer import Held, SettingsClaim, SettingsOffer
from fleets.offer import Claim, Intent, Offer
from opamp.errors import AgentPutOff, AgentRefused, ConnectionRefused
from opamp.gateway import Gateway
from opamp.ports import Admitted, Caller, Credential, Refusal
from opamp.post import OpampPost
from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent
from telflo.base.ids import new_id

SECRET = "tlf_e_good"
ADDRESS = "192.0.2.7"
"""Whence agents come."""
CREDENTIAL = Credential(id=uuid4(), prefix="tlf_e_go")
OTHER_SECRET = "tlf_e_other"
OTHER = Credential(id=uuid4(), prefix="tlf_e_ot")
UID = UUID("01890000-0000-7000-8000-000000000001")
UID2 = UUID("01890000-0000-7000-8000-000000000002")
CAPABILITIES = int(
    Capability.REPORTS_STATUS | Capability.ACCEPTS_REMOTE_CONFIG | Capability.REPORTS_HEARTBEAT
)
TOO_MANY = "Too many new collectors a minute by this token."
HASH = "ab" * 32
OFFER = Offer(HASH, (ConfigFile("", b"receivers: {}\n", "text/yaml"),))


def comes_back(said: str | bytes | int) -> bool:
    """Whether a Retry-After, or the seconds of retry_info, are what the server says unless it is set up otherwise."""
    return 30 <= int(said) <= 45


class MemoryDomain:
    """opamp.ports.Domain without a database; `log` has the calls in order."""

    def __init__(self) -> None:
        self.log: list[tuple[str, Any]] = []
        self.desired: dict[UUID, str] = {}
        self.settings: dict[UUID, SettingsOffer] = {}
        self.offers: dict[str, Offer] = {HASH: OFFER}
        self.claimed: dict[UUID, str] = {}
        self.epochs: dict[UUID, int] = {}
        self.patches: list[AgentPatch] = []
        self.refusals: list[Refusal] = []
        self.revoked: set[UUID] = set()
        self.commands: dict[UUID, list[Command]] = {}
        self.given: list[UUID] | None = []
        self.elsewhere: dict[UUID, tuple[int, bool]] = {}
        self.refuse_agents = ""
        self.put_off: set[UUID] = set()
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def names(self) -> list[str]:
        """The calls in order, by name."""
        return [name for name, _ in self.log]

    def verify_token(self, secret: str, *, now: datetime) -> Credential:
        self.log.append(("verify_token", secret))
        self._fail()
        if secret == OTHER_SECRET:
            return OTHER
        if secret != SECRET:
            raise ConnectionRefused(
                "unknown", text="The token is not known here.", token_prefix="x"
            )
        if CREDENTIAL.id in self.revoked:
            raise ConnectionRefused("revoked", text="The token is revoked.", token_prefix="x")
        return CREDENTIAL

    def admit_agents(self, callers: Sequence[Caller], *, now: datetime) -> Mapping[UUID, Admitted]:
        self.log.append(("admit_agents", tuple(caller.instance_uid for caller in callers)))
        assert self.gate.wait(10)
        self._fail()
        return {caller.instance_uid: self._admit(caller) for caller in callers}

    def _admit(self, caller: Caller) -> Admitted:
        instance_uid, transport = caller.instance_uid, caller.transport
        if self.refuse_agents:
            text = TOO_MANY if self.refuse_agents == "rate" else "The token expired."
            return AgentRefused(self.refuse_agents, text=text)
        if instance_uid in self.put_off:
            return AgentPutOff("Not now.")
        is_new = instance_uid not in self.epochs
        if not is_new and caller.has_left():
            return AgentPutOff("It left.")
        self.epochs[instance_uid] = self.epochs.get(instance_uid, 0) + 1
        return AgentSnapshot(
            instance_uid=instance_uid,
            epoch=self.epochs[instance_uid],
            is_new=is_new,
            desired_hash=self.desired.get(instance_uid, ""),
            settings=SettingsState(wanted=self._intent(instance_uid).settings),
            transport=transport,
        )

    def give_uid(
        self, *, instance_uid: UUID, remote_address: str, is_clone: bool, now: datetime
    ) -> UUID | None:
        self.log.append(("give_uid", (instance_uid, is_clone)))
        assert self.gate.wait(10)
        self._fail()
        if self.given is not None:
            self.given.append(new_id())
        return self.given[-1] if self.given else None

    def claim_commands(
        self, agents: Mapping[UUID, int], *, now: datetime
    ) -> Mapping[UUID, Command]:
        self.log.append(("claim_commands", dict(agents)))
        return {uid: self.commands[uid].pop(0) for uid in agents if self.commands.get(uid)}

    def sessions(self, uids: Collection[UUID] | None) -> Mapping[UUID, tuple[int, bool]]:
        self._fail()
        known = {uid: (epoch, True) for uid, epoch in self.epochs.items()} | self.elsewhere
        return known if uids is None else {uid: known[uid] for uid in uids if uid in known}

    def record_patches(self, patches: Sequence[AgentPatch]) -> None:
        self.log.append(("record_patches", tuple(patches)))
        self._fail()
        self.patches.extend(patches)

    def claim_offers(self, agents: Mapping[UUID, int], *, now: datetime) -> Mapping[UUID, Offer]:
        self.log.append(("claim_offers", dict(agents)))
        self._fail()
        granted = {}
        for uid in agents:
            wanted = self.desired.get(uid, "")
            if wanted in self.offers and self.claimed.get(uid) != wanted:
                self.claimed[uid] = wanted
                granted[uid] = self.offers[wanted]
        return granted

    def give_back_offers(self, claims: Mapping[UUID, Claim], *, now: datetime) -> None:
        self.log.append(("give_back_offers", dict(claims)))
        for uid in claims:
            self.claimed.pop(uid, None)

    def claim_settings(
        self, agents: Mapping[UUID, Held], *, now: datetime
    ) -> Mapping[UUID, SettingsOffer]:
        if self.settings:
            self.log.append(("claim_settings", dict(agents)))
        wanted = {uid: self.settings[uid] for uid in agents if uid in self.settings}
        return {uid: offer for uid, offer in wanted.items() if offer.hash != agents[uid].offered}

    def give_back_settings(self, claims: Mapping[UUID, SettingsClaim], *, now: datetime) -> None:
        self.log.append(("give_back_settings", dict(claims)))

    def intents(self, uids: Collection[UUID] | None) -> Mapping[UUID, Intent]:
        self.log.append(("intents", uids and set(uids)))
        members = self.desired.keys() | self.settings.keys() if uids is None else uids
        return {uid: self._intent(uid) for uid in members}

    def _intent(self, uid: UUID) -> Intent:
        offer = self.settings.get(uid)
        return Intent(self.desired.get(uid, ""), offer.hash if offer else "")

    def revoked_among(self, credential_ids: Collection[UUID]) -> Collection[UUID]:
        return self.revoked & set(credential_ids)

    def record_refusals(self, refusals: Sequence[Refusal]) -> None:
        self.refusals.extend(refusals)

    def is_temporary(self, error: Exception) -> bool:
        return isinstance(error, ConnectionError | AgentPutOff)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class Wire(ABC):
    """The agent's end of one WebSocket. `sent` has what the server sent, as ASGI's events."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()

    @abstractmethod
    def feed(self, data: bytes) -> None:
        """Send a binary message."""

    @abstractmethod
    def feed_text(self, text: str) -> None:
        """Send a text."""

    @abstractmethod
    def hang_up(self) -> None:
        """Cut the connection."""

    @abstractmethod
    async def over(self) -> None:
        """Return once the server knows that the connection is over."""

    @abstractmethod
    async def nothing_more(self) -> None:
        """Assert that the server has sent nothing that was not taken."""

    async def next(self) -> Mapping[str, Any]:
        """What the server sends next."""
        async with asyncio.timeout(5):
            return await self.sent.get()

    async def reply(self) -> ServerToAgent:
        """The next message of the server."""
        event = await self.next()
        assert event["type"] == "websocket.send", event
        assert event["bytes"][:1] == b"\x00"
        return ServerToAgent.FromString(event["bytes"][1:])

    def say(self, message: AgentToServer) -> None:
        """Send an OpAMP message."""
        self.feed(b"\x00" + message.SerializeToString())


def hello(uid: UUID = UID, sequence_num: int = 0, **fields: Any) -> AgentToServer:
    """A bare message of an agent that takes remote configuration."""
    return AgentToServer(
        instance_uid=uid.bytes, sequence_num=sequence_num, capabilities=CAPABILITIES, **fields
    )


def full(uid: UUID = UID, sequence_num: int = 0) -> AgentToServer:
    """A first message that is a full state, so that offers may follow at once."""
    message = hello(uid, sequence_num)
    attribute = message.agent_description.identifying_attributes.add(key="service.name")
    attribute.value.string_value = "otelcol"
    message.remote_config_status.SetInParent()
    message.health.healthy = True
    message.effective_config.config_map.SetInParent()
    return message


async def joined(wire: Wire, *, uid: Any = UID) -> None:
    """Connect and be answered once, with a full state."""
    assert (await wire.next())["type"] == "websocket.accept"
    wire.say(full(uid))
    assert (await wire.reply()).instance_uid == uid.bytes


async def post(
    gateway: Gateway,
    secret: str,
    body: bytes,
    *,
    address: str = "192.0.2.9",
    headers: Sequence[tuple[bytes, bytes]] = (),
    extensions: Mapping[str, Any] | None = None,
) -> tuple[int, ServerToAgent]:
    """One request by plain HTTP: the status, and what the server says where that is no plain text."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    all_headers = [
        *headers,
        (b"authorization", f"Bearer {secret}".encode()),
        (b"content-type", b"application/x-protobuf"),
    ]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "extensions": extensions or {}}
    scope |= {"headers": all_headers, "client": (address, 1)}
    await OpampPost(gateway)(scope, receive, send)
    is_message = (b"content-type", b"application/x-protobuf") in sent[0]["headers"]
    said = sent[1]["body"] if is_message else b""
    return sent[0]["status"], ServerToAgent.FromString(said)
