"""Who is connected to this process: connections, the agents on them, and which connection an agent belongs to."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from opamp.pace import Pace
from opamp.ports import Credential
from opamp.protocol.session import AgentSession

logger = logging.getLogger(__name__)

POLICY_VIOLATION: Final = 1008
"""The code of a connection that is closed for what its peer does or may not do (RFC 6455 §7.4.1)."""

_CLOSE_REASON_BYTES: Final = 123  # RFC 6455 §5.5: a control frame holds 125 bytes, two are the code
_CLOSE_TIMEOUT_S: Final = 5.0
LEAST_BYTES_PER_S: Final = 64 * 1024


class Link(Protocol):
    """One accepted WebSocket, as its adapter gives it to the gateway."""

    async def send(self, frame: bytes) -> None:
        """Send one binary message; returns when the peer keeps up. Raises OSError or RuntimeError when it is gone."""

    async def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake. Raises as send() does."""

    def abort(self) -> None:
        """End it at once, whatever is still to be sent."""

    def unsent(self) -> int:
        """How many bytes wait for the peer to read; 0 where that is not known."""

    def look(self, now_s: float) -> str:
        """Called every few seconds: keep it alive; answers why it has to be cut, or ""."""


class Connection:
    """One WebSocket. It may carry many agents (M2). Every send is bounded in time, so nobody waits for a slow peer."""

    __slots__ = (
        "_unsent",
        "_unsent_since_s",
        "address",
        "agents",
        "close_reason",
        "closed",
        "credential",
        "has_spoken",
        "is_aborted",
        "link",
        "opened_s",
        "pace",
        "send_timeout_s",
        "user_agent",
    )

    def __init__(
        self,
        link: Link,
        *,
        credential: Credential,
        address: str,
        user_agent: str,
        send_timeout_s: float,
        pace: Pace,
    ) -> None:
        self.link = link
        self.credential = credential
        self.address = address
        self.user_agent = user_agent
        self.pace = pace
        self.send_timeout_s = send_timeout_s
        self.agents: dict[bytes, HeldAgent] = {}
        """By the 16 bytes of their uid."""
        self.opened_s = asyncio.get_running_loop().time()
        self.has_spoken = False
        self.closed = asyncio.Event()
        self.is_aborted = False
        self.close_reason = ""
        self._unsent = 0
        self._unsent_since_s = self.opened_s

    async def reply(self, frame: bytes) -> bool:
        """Send an answer from the receive loop; False when the peer is gone. look() ends it when it takes too long."""
        try:
            await self.link.send(frame)
        except (OSError, RuntimeError):  # gone, or closed meanwhile
            return False
        return True

    async def deliver(self, frame: bytes) -> bool:
        """Send beside the receive loop; False when it could not be sent, and then the connection is over."""
        if self.closed.is_set() or self.is_aborted:
            return False
        try:
            async with asyncio.timeout(self.send_timeout_s + len(frame) / LEAST_BYTES_PER_S):
                await self.link.send(frame)
        except TimeoutError:
            self.abort(DOES_NOT_READ)
            return False
        except (OSError, RuntimeError):  # gone, or closed meanwhile
            return False
        return True

    async def close(self, code: int, reason: str) -> None:
        """Close with a code and a reason that the peer may read; a peer that does not read is cut off."""
        self.close_reason = self.close_reason or reason
        text = reason.encode()[:_CLOSE_REASON_BYTES].decode(errors="ignore")
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self.link.close(code, text)
        except TimeoutError:
            self.abort(reason)
        except (OSError, RuntimeError):
            return

    def abort(self, reason: str) -> None:
        """End it without waiting for the peer."""
        self.close_reason = self.close_reason or reason
        if not self.is_aborted and not self.closed.is_set():
            logger.info("The connection of %s is cut: %s", self.address, reason)
            self.is_aborted = True
            self.link.abort()

    def look(self, now_s: float) -> str:
        """Why it has to be cut, or "": nothing of what waits was taken for too long, or the link knows why."""
        unsent = self.link.unsent()
        if unsent == 0 or unsent < self._unsent:
            self._unsent_since_s = now_s
        self._unsent = unsent
        if now_s - self._unsent_since_s > self.send_timeout_s:
            return DOES_NOT_READ
        return self.link.look(now_s)


DOES_NOT_READ: Final = "The collector did not read what was sent."


@dataclass(slots=True, eq=False)
class HeldAgent:
    """An agent on a connection. session is None, and messages wait, until it is admitted.

    is_newest: it is the one that the registry holds for its uid, and none is newer in another process.
    """

    uid: UUID
    connection: Connection
    session: AgentSession | None = None
    asks_uid: bool = False
    """Its first message asked for an identity (M6)."""
    waiting: list[bytes] = field(default_factory=list)
    """WebSocket messages in order; opamp/aside.py keeps them."""
    is_settled: bool = False
    is_newest: bool = False
    declined_hash: str = ""
    declined_until_s: float = 0.0
    replaced_s: float | None = None
    """When a newer session of this uid began, here or in another process (loop time)."""
    new_uid: UUID | None = None
    """The identity that it was given since."""
    times_given: int = 0
    asked: int = 0
    """So many of its messages ask for a new identity and are not answered: one is on its way."""

    @property
    def epoch(self) -> int:
        """The epoch of its session; -1 before it has one."""
        return -1 if self.session is None else self.session.epoch

    def replaced(self) -> None:
        """A newer session of this uid began."""
        self.is_newest = False
        if self.replaced_s is None:
            self.replaced_s = asyncio.get_running_loop().time()


class KnownTrees:
    """Hashes of component trees that are stored (C4). When there are too many, all are forgotten and asked for again.

    Written from two threads: a set is replaced, never iterated.
    """

    def __init__(self, *, most: int = 4_096) -> None:
        self._most = most
        self._hashes: set[str] = set()

    def __contains__(self, components_hash: object) -> bool:
        return components_hash in self._hashes

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, components_hash: str) -> None:
        """Remember one."""
        if len(self._hashes) >= self._most:
            self._hashes = set()
        self._hashes.add(components_hash)


class Registry:
    """Every connection of this process, and for each uid the newest session (A2)."""

    def __init__(self) -> None:
        self._agents: dict[UUID, HeldAgent] = {}
        self._connections: set[Connection] = set()
        self._per_credential: Counter[UUID | None] = Counter()

    def __len__(self) -> int:
        return len(self._agents)

    @property
    def connections(self) -> frozenset[Connection]:
        """All connections."""
        return frozenset(self._connections)

    @property
    def connection_count(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    def agents(self) -> list[HeldAgent]:
        """All agents that are held here."""
        return list(self._agents.values())

    def uids(self) -> list[UUID]:
        """All agents that are held here."""
        return list(self._agents)

    def held_by(self, credential_id: UUID | None) -> int:
        """How many connections a credential has here (A5)."""
        return self._per_credential[credential_id]

    def credential_ids(self) -> list[UUID]:
        """The credentials of all connections."""
        return [known for known in self._per_credential if known is not None]

    def add_connection(self, connection: Connection) -> None:
        """Remember a connection that was accepted."""
        self._connections.add(connection)
        self._per_credential[connection.credential.id] += 1

    def remove_connection(self, connection: Connection) -> list[HeldAgent]:
        """Forget a connection; answers those of its agents that were held by it and no newer one."""
        if connection not in self._connections:
            return []
        self._connections.discard(connection)
        self._per_credential[connection.credential.id] -= 1
        if not self._per_credential[connection.credential.id]:
            del self._per_credential[connection.credential.id]
        return [agent for agent in connection.agents.values() if self.drop(agent)]

    def hold(self, agent: HeldAgent) -> bool:
        """Make this the agent's session here; False when a newer one is (the greater epoch wins, I3)."""
        other = self._agents.get(agent.uid)
        if other is not None and other is not agent:
            if other.epoch > agent.epoch:
                agent.replaced()
                return False
            other.replaced()
        self._agents[agent.uid] = agent
        agent.is_newest = True
        return True

    def get(self, uid: UUID) -> HeldAgent | None:
        """The agent's newest session here."""
        return self._agents.get(uid)

    def drop(self, agent: HeldAgent) -> bool:
        """Forget this session; False when it was not the newest one."""
        agent.is_newest = False
        if self._agents.get(agent.uid) is not agent:
            return False
        del self._agents[agent.uid]
        return True

    def held(self, uids: Iterator[UUID]) -> list[HeldAgent]:
        """Those of the given agents that are here."""
        return [agent for uid in uids if (agent := self._agents.get(uid)) is not None]
