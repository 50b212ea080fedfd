"""What sessions hand to the write buffer."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from agents.snapshot import AgentPatch, ConfigStatus, Fact, FactKind, RemoteConfigReport
from tests.opamp.fakes import UID

T0 = datetime(2026, 7, 1, 12, tzinfo=UTC)


def heartbeat(uid: UUID = UID, n: int = 1, epoch: int = 1) -> AgentPatch:
    return AgentPatch(uid, epoch, T0 + timedelta(seconds=n), n)


def report(uid: UUID = UID, n: int = 1, *, epoch: int = 1, **fields: Any) -> AgentPatch:
    status = RemoteConfigReport(ConfigStatus.APPLYING, f"{n:02x}")
    fact = Fact(FactKind.REMOTE_CONFIG, T0, remote_config=status)
    return replace(heartbeat(uid, n, epoch), remote_config=status, facts=(fact,), **fields)


def numbers(patch: AgentPatch) -> list[str]:
    return [fact.remote_config.hash for fact in patch.facts if fact.remote_config]


@dataclass(slots=True)
class Beats:
    """A session that only sends heartbeats."""

    instance_uid: UUID = UID
    epoch: int = 1
    n: int = 1
    beat_waits: bool = False

    def heartbeat(self) -> AgentPatch:
        return heartbeat(self.instance_uid, self.n, self.epoch)
