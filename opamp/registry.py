"""Who is connected to this process: connections, the agents on them, and which connection an agent belongs to."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from opamp.ports import Credential
from opamp.proto.opamp_pb2 import AgentToServer
from opamp.protocol.session import AgentSession

logger = logging.getLogger(__name__)

Send = Callable[[dict[str, Any]], Awaitable[None]]

_CLOSE_REASON_BYTES: Final = 123  # RFC 6455 §5.5: a control frame holds 125 bytes, two are the code
_CLOSE_TIMEOUT_S: Final = 5.0


class Connection:
    """One WebSocket. It may carry many agents (M2). Every send is bounded in time, so nobody waits for a slow peer."""

    def __init__(
        self, send: Send, *, credential: Credential, address: str, send_timeout_s: float
    ) -> None:
        self.credential = credential
        self.address = address
        self.agents: dict[UUID, HeldAgent] = {}
        self.closed = asyncio.Event()
        self.aborted = False
        self.close_reason = ""
        self._send = send
        self._send_timeout_s = send_timeout_s
        self._task = asyncio.current_task()

    async def deliver(self, frame: bytes) -> bool:
        """Send one binary message; False when it could not be sent, and then the connection is over."""
        if self.closed.is_set() or self.aborted:
            return False
        try:
            async with asyncio.timeout(self._send_timeout_s):
                await self._send({"type": "websocket.send", "bytes": frame})
        except TimeoutError:
            logger.info("%s does not read; its connection is closed.", self.address)
            self.abort("The collector did not read what was sent.")
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
                await self._send({"type": "websocket.close", "code": code, "reason": text})
        except TimeoutError:
            self.abort(reason)
        except (OSError, RuntimeError):
            return

    def abort(self, reason: str) -> None:
        """End the receive loop without waiting for the peer."""
        self.close_reason = self.close_reason or reason
        if self._task is not None and not self.aborted and not self.closed.is_set():
            self.aborted = True
            self._task.cancel()


@dataclass(slots=True, eq=False)
class HeldAgent:
    """An agent on a connection. session is None, and messages wait, until it is admitted."""

    uid: UUID
    connection: Connection
    session: AgentSession | None = None
    waiting: deque[AgentToServer] = field(default_factory=deque)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    declined_hash: str = ""
    declined_until_s: float = 0.0

    @property
    def epoch(self) -> int:
        """The epoch of its session; -1 before it has one."""
        return -1 if self.session is None else self.session.epoch


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
        if other is not None and other is not agent and other.epoch > agent.epoch:
            return False
        self._agents[agent.uid] = agent
        return True

    def get(self, uid: UUID) -> HeldAgent | None:
        """The agent's newest session here."""
        return self._agents.get(uid)

    def drop(self, agent: HeldAgent) -> bool:
        """Forget this session; False when it was not the newest one."""
        if self._agents.get(agent.uid) is not agent:
            return False
        del self._agents[agent.uid]
        return True

    def held(self, uids: Iterator[UUID]) -> list[HeldAgent]:
        """Those of the given agents that are here."""
        return [agent for uid in uids if (agent := self._agents.get(uid)) is not None]
