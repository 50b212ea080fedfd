"""A simulated agent and the server's session, talking in memory on a clock that the test moves."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from agents.configmap import configmap_sha256
from agents.snapshot import UNSET, ConfigFile, Description
from fleets.offer import Offer
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.framing import decode_frame
from opamp.simulator.agent import SimulatedAgent
from opamp.simulator.behaviour import Behaviour
from opamp.simulator.hosts import Host
from opamp.simulator.report import Message
from tests.protocol.world import Server

UID = UUID("01890000-0000-7000-8000-000000000001")
START = 1_795_379_157.0

GOOD = "receivers:\n  otlp: {}\nexporters:\n  debug: {}\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [debug]\n"
BETTER = GOOD.replace("debug", "otlphttp")
BAD = GOOD.replace("debug", "nosuch")


def offer(text: str) -> Offer:
    files = (ConfigFile("", text.encode(), "text/yaml"),)
    return Offer(configmap_sha256(files), files)


def make_agent(version: str = "0.158.0", **behaviour: object) -> SimulatedAgent:
    return SimulatedAgent(
        UID,
        Host("web-17", version=version),
        Behaviour(**behaviour),  # type: ignore[arg-type]  # names of its fields
        seed=7,
    )


@dataclass
class Talk:
    """What both say, in order. `said` has what the agent said, decoded."""

    agent: SimulatedAgent
    server: Server = field(default_factory=Server)
    now: float = START
    said: list[pb.AgentToServer] = field(default_factory=list)

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    def connect(self) -> None:
        """A connection begins, and with it a session."""
        self.server.sessions.clear()
        self.deliver(self.agent.connected(self.now))

    def deliver(self, messages: list[Message]) -> None:
        """Hand over messages and everything that follows from them, in the order in which they were sent."""
        queue = deque(messages)
        while queue:
            decoded = decode_frame(queue.popleft().frame)
            self.said.append(decoded)
            outcome = self.server.take(decoded, self.moment)
            queue += self.agent.receive(outcome.reply, self.now)

    def offer(self, text: str) -> str:
        """Offer a configuration by the session's own rules; answers its hash."""
        wanted = offer(text)
        session = self.server.sessions[self.agent.uid]
        assert session.set_desired(wanted.hash)
        message = session.make_offer(wanted, self.moment)
        assert message is not None
        self.deliver(self.agent.receive(message, self.now))
        return wanted.hash

    def push(self, **fields: object) -> None:
        """A message that the server sends of its own accord."""
        message = pb.ServerToAgent(instance_uid=self.agent.uid.bytes, **fields)  # type: ignore[arg-type]  # its fields
        self.deliver(self.agent.receive(message, self.now))

    def wait(self, seconds: float) -> None:
        """Time goes by; the agent does what is due when it is due."""
        end = self.now + seconds
        while self.agent.due <= end:
            self.now = max(self.now, self.agent.due)
            self.deliver(self.agent.wake(self.now))
        self.now = end

    def check(self) -> None:
        """Belief equals truth."""
        self.server.flush()
        truth, belief = self.agent.truth(), self.server.stored[self.agent.uid]
        reported = belief.remote_config
        known = ("", 0, "")
        if reported is not UNSET and reported is not None:
            known = (reported.hash, reported.status.value, reported.error)
        assert known == (truth.remote_hash, truth.remote_status, truth.remote_error)
        assert belief.effective_config.sha256 == truth.effective_sha256  # type: ignore[union-attr]  # it was reported
        assert belief.sequence_num == truth.number
        described = Description(truth.identifying, truth.non_identifying)
        assert belief.description == described
        assert belief.components.hash == truth.components  # type: ignore[union-attr]  # it was reported
        acknowledged = belief.connection.hash if belief.connection else ""  # type: ignore[union-attr]  # the same
        assert acknowledged == (truth.settings.hash if truth.settings.is_acknowledged else "")
        health = belief.health
        assert (health.healthy, health.status, health.last_error) == (  # type: ignore[union-attr]  # the same
            truth.healthy,
            truth.health,
            truth.health_error,
        )
