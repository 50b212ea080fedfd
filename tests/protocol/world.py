"""A small world for the core: agents that compress their reports, and a server that stores patches.

The agent tells the truth by deltas, as opamp-go does, and answers ReportFullState with all it has.
The server keeps what a real one keeps: stored state per agent, and a buffer that a crash loses.
"""

import base64
import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from agents.snapshot import UNSET, AgentPatch, AgentSnapshot, FactKind, Transport
from opamp.proto import opamp_pb2 as pb
from opamp.protocol import reports
from opamp.protocol.framing import decode_frame
from opamp.protocol.health import read_health
from opamp.protocol.limits import Limits
from opamp.protocol.outcome import Outcome
from opamp.protocol.session import AgentSession

RECORDINGS = Path(__file__).parent / "recordings"
NAMES = ("ws-0.149.0", "ws-0.158.0-rollback", "ws-0.158.0-validate", "http-0.158.0")
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIMITS = Limits()
FULL_STATE = 1
COMPONENTS = 2
PARTS = (
    "agent_description",
    "health",
    "effective_config",
    "remote_config_status",
    "available_components",
    "custom_capabilities",
)


@dataclass(slots=True)
class Recorded:
    """One agent message of a recording."""

    at: datetime
    raw: bytes
    message: pb.AgentToServer


def load(name: str) -> list[Recorded]:
    """The agent's messages of one recording."""
    found = []
    for line in (RECORDINGS / f"{name}.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry.get("dir") == "agent":
            raw = base64.b64decode(entry["data"])
            frame = raw if name.startswith("ws") else b"\x00" + raw
            at = START + timedelta(seconds=entry["t"])
            found.append(Recorded(at, frame, decode_frame(frame)))
    return found


class Agent:
    """Has a state, numbers its messages, and does what a reply asks for."""

    def __init__(self, uid: bytes) -> None:
        self.uid = uid
        self.number = 0
        self.capabilities = 0
        self.truth = pb.AgentToServer()
        self.full_tree = pb.AvailableComponents()

    @classmethod
    def of(cls, story: list[Recorded]) -> "Agent":
        """The agent of a recording, which has its component tree from the start."""
        agent = cls(b"")
        agent.full_tree.CopyFrom(TREES[story[0].message.available_components.hash])
        return agent

    def fork(self) -> "Agent":
        """The same agent in another future."""
        twin = copy.copy(self)
        twin.truth = pb.AgentToServer()
        twin.truth.CopyFrom(self.truth)
        return twin

    def say(self, delta: pb.AgentToServer) -> pb.AgentToServer:
        """The next message, with what changed."""
        message = pb.AgentToServer()
        for part in PARTS:
            if delta.HasField(part):
                getattr(self.truth, part).CopyFrom(getattr(delta, part))
                getattr(message, part).CopyFrom(getattr(delta, part))
        if delta.HasField("agent_disconnect"):
            message.agent_disconnect.SetInParent()
        return self._number(message)

    def follow(self, recorded: pb.AgentToServer) -> pb.AgentToServer:
        """The next message of a recording, in this agent's own numbering."""
        self.uid = recorded.instance_uid
        self.capabilities = recorded.capabilities
        if recorded.sequence_num == 0:
            self.number = 0
        return self.say(recorded)

    def say_all(self) -> pb.AgentToServer:
        """The answer to ReportFullState."""
        message = pb.AgentToServer()
        message.CopyFrom(self.truth)
        if self.full_tree.components:
            message.available_components.CopyFrom(self.full_tree)
        return self._number(message)

    def say_components(self) -> pb.AgentToServer:
        """The answer to ReportAvailableComponents."""
        return self._number(pb.AgentToServer(available_components=self.full_tree))

    def beat(self) -> pb.AgentToServer:
        """A heartbeat."""
        return self._number(pb.AgentToServer())

    def _number(self, message: pb.AgentToServer) -> pb.AgentToServer:
        message.instance_uid = self.uid
        message.capabilities = self.capabilities
        message.sequence_num = self.number
        self.number += 1
        return message


STORIES = {name: load(name) for name in NAMES}
TREES = {
    step.message.available_components.hash: step.message.available_components
    for story in STORIES.values()
    for step in story
    if step.message.available_components.components
}
"""Component trees by hash; the recorded HTTP agent was not asked for its own."""


@dataclass
class Server:
    """Sessions, a write buffer, and what is stored."""

    transport: Transport = Transport.WEBSOCKET
    stored: dict[UUID, AgentPatch] = field(default_factory=dict)
    full_state_at: dict[UUID, datetime] = field(default_factory=dict)
    trees: set[str] = field(default_factory=set)
    buffer: list[AgentPatch] = field(default_factory=list)
    sessions: dict[UUID, AgentSession] = field(default_factory=dict)
    asked: int = 0

    @property
    def is_websocket(self) -> bool:
        """Whether a session lives longer than a message."""
        return self.transport is Transport.WEBSOCKET

    def fork(self) -> "Server":
        """The same server in another future; patches are values and stay shared."""
        trees = set(self.trees)
        return Server(
            self.transport,
            dict(self.stored),
            dict(self.full_state_at),
            trees,
            list(self.buffer),
            {uid: _fork_session(session, trees) for uid, session in self.sessions.items()},
        )

    def take(self, message: pb.AgentToServer, now: datetime) -> Outcome:
        """Receive one message, as the gateway does; over plain HTTP each has its own session."""
        uid = UUID(bytes=message.instance_uid)
        if self.transport is Transport.HTTP:
            self.sessions.pop(uid, None)
        if uid not in self.sessions:
            self.sessions[uid] = AgentSession(
                self.snapshot(uid), LIMITS, stored_components=self.trees
            )
        outcome = self.sessions[uid].receive(message, now)
        assert not outcome.reply.HasField("error_response"), outcome.reply
        assert outcome.patch is not None
        self.buffer.append(outcome.patch)
        self.asked += outcome.reply.flags & FULL_STATE
        if self.transport is Transport.HTTP:
            self.flush()  # written through, before the answer
        return outcome

    def flush(self) -> None:
        for patch in self.buffer:
            before = self.stored.get(patch.instance_uid)
            self.stored[patch.instance_uid] = patch if before is None else before.merge(patch)
            if patch.components is not UNSET and patch.components and patch.components.tree:
                self.trees.add(patch.components.hash)
            for fact in patch.facts:
                if fact.kind is FactKind.FULL_STATE:
                    self.full_state_at[patch.instance_uid] = fact.at
        self.buffer.clear()

    def crash(self) -> None:
        """Die with everything that is not stored."""
        self.buffer.clear()
        self.sessions.clear()

    def snapshot(self, uid: UUID) -> AgentSnapshot:
        """What a new session is given."""
        state = self.stored.get(uid)
        if state is None:
            return AgentSnapshot(uid, 1, transport=self.transport)
        components = state.components
        digest = components.hash if components is not UNSET and components else ""
        effective = state.effective_config
        return AgentSnapshot(
            uid,
            state.epoch + 1,
            sequence_num=state.sequence_num,
            capabilities=0 if state.capabilities is UNSET else state.capabilities,
            is_new=False,
            remote_config=None if state.remote_config is UNSET else state.remote_config,
            effective_sha256=effective.sha256 if effective is not UNSET and effective else "",
            components_hash=digest,
            lacks_components=digest not in self.trees,
            health=None if state.health is UNSET else state.health,
            transport=self.transport,
            full_state_at=self.full_state_at.get(uid),
            seen_at=state.seen_at,
        )


def server_for(name: str) -> Server:
    """A server for the transport of a recording."""
    return Server(Transport.HTTP if name.startswith("http") else Transport.WEBSOCKET)


def _fork_session(session: AgentSession, trees: set[str]) -> AgentSession:
    twin = copy.copy(session)
    for part in ("_belief", "_continuity", "_rules"):
        setattr(twin, part, copy.copy(getattr(session, part)))
    twin._rules.in_flight = dict(session._rules.in_flight)
    twin._belief.stored_components = trees
    return twin


def converse(server: Server, agent: Agent, message: pb.AgentToServer, now: datetime) -> Outcome:
    """Deliver a message and let the agent do what the replies ask for."""
    outcome = first = server.take(message, now)
    for _ in range(10):
        if outcome.reply.flags & FULL_STATE:
            outcome = server.take(agent.say_all(), now)
        elif outcome.reply.flags & COMPONENTS:
            outcome = server.take(agent.say_components(), now)
        else:
            return first
    raise AssertionError("the server asks again and again")


def settle(server: Server, agent: Agent, now: datetime) -> None:
    """Let quiet times pass, with heartbeats only."""
    for beat in (1, 2):
        converse(server, agent, agent.beat(), now + timedelta(seconds=31 * beat))
    server.flush()


def check_belief(server: Server, agent: Agent) -> None:
    """What is stored equals what the agent has."""
    state = server.stored[UUID(bytes=agent.uid)]
    truth = agent.truth
    assert state.capabilities == agent.capabilities
    assert state.description == reports.read_description(truth.agent_description, LIMITS)
    remote_config = None if state.remote_config is UNSET else state.remote_config
    assert remote_config == reports.read_remote_config(truth.remote_config_status, LIMITS)
    if truth.HasField("effective_config"):
        assert state.effective_config == reports.read_effective_config(
            truth.effective_config, LIMITS
        )
    health = read_health(truth.health, LIMITS)
    if not health.says_nothing:  # unknown: then the last known one stays
        assert state.health == health
    components = None if state.components is UNSET else state.components
    assert (components.hash if components else "") == truth.available_components.hash.hex()
    assert not (components and agent.full_tree.components) or components.hash in server.trees


def encode(message: pb.AgentToServer) -> bytes:
    """The frame of an agent's message."""
    return b"\x00" + message.SerializeToString()
