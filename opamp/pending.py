"""What waits to be written: one patch a session, merged, and which token's it is. Pure: the caller brings the time."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol
from uuid import UUID

from agents.snapshot import AgentPatch
from opamp.weight import weight

Key = tuple[int, int]
"""(instance uid, epoch): patches of two sessions are never merged, or the fence (I3) would not hold.

The uid as a number: Python hashes a UUID several times slower, and every message comes by here.
"""

Holder = UUID | None
"""The id of the credential by which something came."""

Weighed = tuple[AgentPatch, int]
"""A patch and what it takes in memory."""

_KEY_BYTES: Final = 512
"""What a session takes here that has anything waiting."""
_BEAT_BYTES: Final = 128
_ALONG: Final = 0.2
"""Of heartbeat_flush_s: by so much earlier than it is due a heartbeat is written with another one that is."""


@dataclass(frozen=True, slots=True)
class BufferLimits:
    """When to write, and how much may wait (seconds, rows, bytes).

    share: of both, what one token may fill (0 to 1). Heartbeats, of which each connected agent has one waiting, are no
    rows of it.
    """

    flush_s: float = 0.25
    flush_rows: int = 500
    heartbeat_flush_s: float = 15.0
    rows: int = 50_000
    bytes: int = 256 * 1024 * 1024
    share: float = 0.5


class Beating(Protocol):
    """A session whose heartbeats are read when they fall due, so that all but the first of them cost nothing here.

    beat_waits: they will be read; only the buffer sets it.
    """

    instance_uid: UUID
    epoch: int
    beat_waits: bool

    def heartbeat(self) -> AgentPatch:
        """What the last message but for its content says: when, and which number."""


@dataclass(slots=True)
class _Beat:
    source: Beating
    due_s: float

    def read(self) -> AgentPatch:
        self.source.beat_waits = False
        return self.source.heartbeat()


@dataclass(slots=True)
class _Share:
    rows: int = 0
    bytes: int = 0


class Pending:
    """What waits, as a plain value: one merged patch per session, changes apart from mere heartbeats."""

    def __init__(self, limits: BufferLimits) -> None:
        self._limits = limits
        self._changes: dict[Key, AgentPatch] = {}
        self._beats: dict[Key, _Beat] = {}
        self._sizes: dict[Key, int] = {}
        self._holders: dict[Key, Holder] = {}
        self._taken: dict[Key, tuple[Holder, int, int]] = {}
        self._taken_agents: set[int] = set()
        self._shares: dict[Holder, _Share] = {}
        """What each token has here, with what was taken out and is not written yet."""
        self._epochs: dict[int, set[Key]] = {}
        self.bytes = 0
        """What waits, estimated."""
        self.taken_bytes = 0
        """What was taken out since the last put_back()."""

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def changes(self) -> int:
        """How many sessions have something other than a heartbeat waiting."""
        return len(self._changes)

    def is_share_full(self, holder: Holder) -> bool:
        """Whether as much waits by this token as may."""
        share, limits = self._shares.get(holder), self._limits
        return share is not None and (
            share.rows >= limits.rows * limits.share or share.bytes >= limits.bytes * limits.share
        )

    def add(self, patch: AgentPatch, holder: Holder = None) -> None:
        """Take a change. Heartbeats of the session that wait are older and say nothing more."""
        key = (patch.instance_uid.int, patch.epoch)
        self._read_beat(key)
        earlier = self._changes.get(key)
        self._changes[key] = earlier.merge(patch) if earlier else patch
        # What the patch replaces counts on until it is put back: to weigh all of it each time would cost more.
        self._weigh(key, weight(patch) + self._known(key), holder, rows=earlier is None)

    def beat(self, source: Beating, holder: Holder = None, *, now_s: float) -> None:
        """Take a heartbeat of a session of which none waits; it falls due after heartbeat_flush_s."""
        key = (source.instance_uid.int, source.epoch)
        if earlier := self._changes.get(key):
            self._changes[key] = earlier.merge(source.heartbeat())
            return
        source.beat_waits = True
        self._beats[key] = _Beat(source, now_s + self._limits.heartbeat_flush_s)
        self._weigh(key, _BEAT_BYTES, holder)

    def holds(self, uid: UUID) -> bool:
        """Whether anything of this agent waits, or was taken out since the last put_back()."""
        return uid.int in self._epochs or uid.int in self._taken_agents

    def next_heartbeat_s(self) -> float | None:
        """When the oldest heartbeat falls due; insertion order is due order."""
        return next((beat.due_s for beat in self._beats.values()), None)

    def take_due(self, *, now_s: float) -> list[AgentPatch]:
        """Remove and answer up to flush_rows changes, and up to as many heartbeats if one is due: a fleet that comes
        back fills every batch with changes, and silence is judged by heartbeats.
        """
        keys = list(self._due(now_s))
        return [self._remove(key) for key in keys]

    def take_agents(self, uids: Collection[UUID]) -> list[AgentPatch]:
        """Remove and answer all patches of these agents, older sessions first."""
        keys = [key for uid in uids for key in sorted(self._epochs.get(uid.int, ()))]
        return [self._remove(key) for key in keys]

    def put_back(self, left: Sequence[Weighed]) -> None:
        """Return what could not be written of what was taken, in front of what came meanwhile."""
        taken, self._taken, self.taken_bytes = self._taken, {}, 0
        self._taken_agents.clear()
        for holder, size, rows in taken.values():
            self._change_share(holder, -rows, -size)
        later = self._changes
        self._changes = {}
        for patch, size in left:
            key = (patch.instance_uid.int, patch.epoch)
            is_change = key not in later
            newer = later.pop(key, None) or self._read_beat(key)
            self._changes[key] = patch.merge(newer) if newer else patch
            self._weigh(key, size + self._known(key), taken[key][0], rows=is_change)
        self._changes.update(later)

    def _due(self, now_s: float) -> Iterator[Key]:
        most = self._limits.flush_rows
        yield from islice(self._changes, most)
        oldest_s = self.next_heartbeat_s()
        if oldest_s is None or oldest_s > now_s:
            return
        # Those that are nearly due go along: each alone would be a write for every message.
        until_s = now_s + self._limits.heartbeat_flush_s * _ALONG
        for key, beat in islice(self._beats.items(), most):
            if beat.due_s > until_s:
                return
            yield key

    def _remove(self, key: Key) -> AgentPatch:
        size = self._sizes.pop(key)
        self.bytes -= size
        self.taken_bytes += size
        self._taken[key] = (self._holders.pop(key), size, key in self._changes)
        self._taken_agents.add(key[0])
        self._epochs[key[0]].discard(key)
        if not self._epochs[key[0]]:
            del self._epochs[key[0]]
        return self._changes.pop(key) if key in self._changes else self._beats.pop(key).read()

    def _read_beat(self, key: Key) -> AgentPatch | None:
        beat = self._beats.pop(key, None)
        return beat.read() if beat else None

    def _known(self, key: Key) -> int:
        return self._sizes.get(key, _KEY_BYTES) - _KEY_BYTES

    def _weigh(self, key: Key, size: int, holder: Holder, *, rows: int = 0) -> None:
        size, known = size + _KEY_BYTES, self._sizes.get(key)
        self._sizes[key] = size
        grown = size - (known or 0)
        self.bytes += grown
        if known is None:
            self._epochs.setdefault(key[0], set()).add(key)
            self._holders[key] = holder
        self._change_share(self._holders[key], rows, grown)

    def _change_share(self, holder: Holder, rows: int, size: int) -> None:
        share = self._shares.get(holder)
        if share is None:
            share = self._shares[holder] = _Share()
        share.rows += rows
        share.bytes += size
        if not (share.rows or share.bytes):
            del self._shares[holder]
