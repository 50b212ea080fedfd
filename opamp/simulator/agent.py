"""PURE. One simulated agent: an OpAMP client with a collector, as values in and messages out.

It behaves as the recorded supervisors do: everything at the first connection, then only what changed; a bare message
after a cut; the whole state when it is asked; a configuration applied in the recorded steps (applying.py).
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from opamp.proto.opamp_pb2 import ServerToAgent, ServerToAgentFlags
from opamp.simulator import applying, settings, shapes, wire, workload
from opamp.simulator.behaviour import Behaviour, Quirk
from opamp.simulator.hosts import Host, make_uid
from opamp.simulator.report import (
    DESCRIPTION,
    EFFECTIVE,
    HASH,
    HEALTH,
    MAP,
    SETTINGS,
    STATUS,
    Destination,
    Message,
    Truth,
)

FULL_STATE: Final = int(ServerToAgentFlags.ServerToAgentFlags_ReportFullState)
_COMPONENTS: Final = int(ServerToAgentFlags.ServerToAgentFlags_ReportAvailableComponents)
_NEVER: Final = float("inf")
_SKIPPED: Final = 5
_WANDERS_EVERY: Final = 3
_GARBAGE_BYTES: Final = 64

FULL: Final = (DESCRIPTION, HEALTH, EFFECTIVE, STATUS, MAP)
FIRST: Final = (DESCRIPTION, HEALTH, EFFECTIVE, STATUS, HASH)

Step = Callable[[float], list[Message]]


class SimulatedAgent:
    """An agent that keeps its state over all its connections.

    The caller says when a connection begins (connected), what arrived (receive), that it is time (wake, at `due`)
    and that the connection is over (lost); each answers the messages to send, in order. `destination` is set when it
    wants to end this connection and connect elsewhere.
    """

    __slots__ = (
        "_beats",
        "_capabilities",
        "_described",
        "_effective",
        "_is_started",
        "_last_said",
        "_offered_since",
        "_online",
        "_pending",
        "_seed",
        "_steps",
        "behaviour",
        "destination",
        "health",
        "heartbeat_s",
        "host",
        "instance_id",
        "number",
        "offered",
        "remote_error",
        "remote_hash",
        "remote_status",
        "repeated_offers",
        "runs",
        "runs_hash",
        "settings",
        "tried",
        "uid",
    )

    def __init__(self, uid: UUID, host: Host, behaviour: Behaviour, seed: int) -> None:
        self.uid = uid
        self.instance_id = str(uid)
        self.host = host
        self.behaviour = behaviour
        self.heartbeat_s = behaviour.heartbeat_s
        self.number = -1
        self.remote_hash = b""
        self.remote_status = 0
        self.remote_error = ""
        self.runs = workload.run(applying.merged(behaviour), host.version)
        self.runs_hash = b""
        self.tried = self.runs.text
        self.health = workload.EMPTY_HEALTH
        self.offered: list[str] = []
        self.repeated_offers = 0
        self._offered_since: set[str] = set()
        """What was offered since another hash was acknowledged."""
        self.destination: Destination | None = None
        self.settings = settings.Held(behaviour.capabilities)
        self._effective = self.runs
        self._described = ("", b"")
        self._seed = seed
        self._capabilities = wire.number_field(wire.CAPABILITIES, behaviour.capabilities)
        self._steps: deque[tuple[float, Step]] = deque()
        self._pending: set[str] = set()
        self._online = False
        self._is_started = False
        self._last_said = 0.0
        self._beats = 0

    # ---- what the transport tells

    @property
    def due(self) -> float:
        """When wake() has something to do."""
        return min(self._beat_at, self._steps[0][0]) if self._steps else self._beat_at

    @property
    def _beat_at(self) -> float:
        return self._last_said + self.heartbeat_s if self._online and self.heartbeat_s else _NEVER

    def connected(self, now: float) -> list[Message]:
        """A connection is open: everything the first time, after a cut only what changed meanwhile."""
        self._online = True
        self.destination = None
        self.settings.connected()
        if self._is_started:
            parts = tuple(name for name in (*FIRST, SETTINGS) if name in self._pending)
            self._pending.clear()
            return self._done(now, [self._message(now, *parts)])
        self._is_started = True
        if self.behaviour.whole_first_report:
            self.health = self._well()
            return self._done(now, [self._message(now, *FULL)])
        return self._done(now, [self._message(now, *FIRST), *self._collector_starts(now)])

    def receive(self, reply: ServerToAgent, now: float) -> list[Message]:
        """What a message of the server leads to. A command hides everything beside it."""
        if reply.HasField("command"):
            return self._done(now, self.restart_collector(now))
        said: list[Message] = []
        if reply.HasField("agent_identification"):
            said += self._take_identity(reply.agent_identification.new_instance_uid, now)
        if reply.flags & FULL_STATE:
            acknowledged = (SETTINGS,) if self.settings.report() else ()
            said.append(self._message(now, *FULL, *acknowledged))
        elif reply.flags & _COMPONENTS:
            said.append(self._message(now, MAP))
        if reply.HasField("remote_config"):
            self._note_offer(reply.remote_config.config_hash.hex())
            said += applying.take(self, reply.remote_config, now)
        if reply.HasField("connection_settings"):
            said += settings.take(self, reply.connection_settings, now)
        return self._done(now, said)

    def wake(self, now: float) -> list[Message]:
        """Do what is due: steps of an apply, or a heartbeat after a silence."""
        said: list[Message] = []
        while self._steps and self._steps[0][0] <= now:
            said += self._steps.popleft()[1](now)
        if not said and self._beat_at <= now:
            said = self._heartbeat(now)
        return self._done(now, said)

    def skip_heartbeat(self, now: float) -> None:
        """What it said before is still on its way: over plain HTTP a client does not put heartbeats behind that."""
        self._last_said = now

    def lost(self) -> None:
        """The connection is over; a later one begins with what changed meanwhile."""
        self._online = False

    def farewell(self, now: float, *, goes_silently: bool = False) -> list[Message]:
        """The supervisor ends in order: health and, but over plain HTTP, goodbye. Then it starts anew."""
        if not self._online:
            return []
        self.health = workload.plain_health(healthy=False, error=shapes.SHUTDOWN)
        goodbye = self._message(now, HEALTH, goodbye=not goes_silently)
        self.reboot()
        return [goodbye]

    def reboot(self) -> None:
        """The supervisor starts anew: number 0, an empty health, and what it had persisted."""
        self._online = self._is_started = False
        self.number = -1
        self.health = workload.EMPTY_HEALTH
        self.settings.forget()
        self._pending.clear()

    def leave(self, now: float, destination: Destination) -> list[Message]:
        """Say goodbye and go on at another address, as a client that starts anew."""
        goodbye = self._message(now, goodbye=True)
        self.reboot()
        # Deliberately not corrected until the collector has something new to say: so do real ones.
        self.destination = destination
        return [goodbye]

    def describe(self, attributes: Mapping[str, str], now: float) -> list[Message]:
        """Its host has other attributes from now on."""
        self.host = replace(self.host, attributes=attributes)
        self._described = ("", b"")
        return self._done(now, self.say(now, DESCRIPTION))

    def upgrade(self, version: str, now: float) -> list[Message]:
        """Another build of the collector starts with what ran: description, components and configuration say so."""
        self.host = replace(self.host, version=version)
        self._described = ("", b"")
        self.runs = workload.run(self.runs.text, version)
        return self._done(now, [*self.say(now, HASH), *self.restart_collector(now)])

    def fall_ill(self, error: str, now: float) -> list[Message]:
        """Its exporters fail with `error`, or work again with ""."""
        self.behaviour = applying.with_ailment(self.behaviour, error)
        self.health = self._well()
        return self._done(now, self.say(now, HEALTH))

    # ---- what the steps of an apply need

    def say(self, now: float, *parts: str) -> list[Message]:
        """A message with these parts; while there is no connection they are kept for the next."""
        if self._online:
            return [self._message(now, *parts)]
        self._pending.update(parts)
        return []

    def later(self, when: float, step: Step) -> None:
        """Do a step at a time; steps are planned in the order of time."""
        self._steps.append((when, step))

    def forget_steps(self) -> None:
        """What was planned is void."""
        self._steps.clear()

    def report_remote(self, config_hash: bytes, status: int, error: str = "") -> None:
        """What the next message with STATUS says of the remote configuration."""
        self.remote_hash, self.remote_status, self.remote_error = config_hash, status, error
        self._offered_since &= {config_hash.hex()}

    def show_effective(self) -> None:
        """From here on the effective configuration is that of what runs."""
        self._effective = self.runs

    def health_step(self, now: float, status: str) -> list[Message]:
        """The collector's tree in one of its steps."""
        self.health = self._well() if status == workload.OK else self.runs.health(status)
        return self.say(now, HEALTH)

    def draw(self) -> random.Random:
        """Random numbers of its own, others each time; a generator for each of thousands would be large."""
        self._seed += 1
        return random.Random(self._seed)

    def restart_collector(self, now: float) -> list[Message]:
        """The collector stops and starts with what it runs."""
        self.health = workload.EMPTY_HEALTH
        stopping = [*self.say(now, HEALTH), *self.health_step(now, workload.STOPPING)]
        return [*stopping, *self._collector_starts(now)]

    # ---- inside

    def truth(self) -> Truth:
        """What is so now."""
        return Truth(
            uid=self.uid,
            name=self.host.name,
            connected=self._online,
            number=self.number,
            remote_hash=self.remote_hash.hex(),
            remote_status=self.remote_status,
            remote_error=self.remote_error,
            runs=self.runs_hash.hex(),
            effective_sha256=self._effective.effective_sha256(self.host, self.instance_id),
            healthy=self.health.healthy,
            health=self.health.status,
            health_error=self.health.error,
            offered=tuple(self.offered),
            repeated_offers=self.repeated_offers,
            identifying=self.host.identifying(self.instance_id),
            non_identifying=self.host.non_identifying,
            components=workload.components_hash(self.host.version).hex(),
            settings=self.settings.said(),
        )

    def _note_offer(self, config_hash: str) -> None:
        self.offered.append(config_hash)
        self.repeated_offers += config_hash in self._offered_since
        self._offered_since.add(config_hash)

    def _well(self) -> workload.Health:
        ailment = self.behaviour.ailment
        return self.runs.health(workload.AILING if ailment else workload.OK, ailment)

    def _collector_starts(self, now: float) -> list[Message]:
        """Starting, then the effective configuration together with a whole tree."""
        self.health = self.runs.health(workload.STARTING)
        starting = self.say(now, DESCRIPTION, HEALTH)
        self.show_effective()
        self.health = self._well()
        return [*starting, *self.say(now, HEALTH, EFFECTIVE)]

    def _take_identity(self, new_uid: bytes, now: float) -> list[Message]:
        """The next message already has the new uid; the collector learns it by a restart."""
        if len(new_uid) != len(self.uid.bytes):
            return []
        self.uid = UUID(bytes=new_uid)
        said = self.say(now, DESCRIPTION)
        self.instance_id = str(self.uid)
        return [*said, *self.restart_collector(now)]

    def _heartbeat(self, now: float) -> list[Message]:
        quirk = self.behaviour.quirk
        self._beats += 1
        if quirk is Quirk.GARBAGE:
            noise = self.draw().randbytes(_GARBAGE_BYTES)
            return [Message(noise, self.uid, self.number, "garbage")]
        if quirk is Quirk.HALF_OPEN:
            self._last_said = now
            return []
        if quirk is Quirk.WANDER and self._beats % _WANDERS_EVERY == 0:
            self.uid = make_uid(self.draw())
        return [self._bare()]

    def _bare(self) -> Message:
        number = self._next_number()
        frame = wire.frame(self.uid.bytes, number, self._capabilities)
        return Message(frame, self.uid, number, "heartbeat")

    def _message(self, now: float, *parts: str, goodbye: bool = False) -> Message:
        """A message with these parts of the present state, in the order of their field numbers."""
        if not parts and not goodbye:
            return self._bare()
        rest = [self._capabilities]
        if DESCRIPTION in parts:
            rest.insert(0, wire.part(wire.DESCRIPTION, self._description()))
        if HEALTH in parts:
            rest.append(wire.part(wire.HEALTH, self.health.at(now)))
        if EFFECTIVE in parts:
            config = self._effective.effective_config(self.host, self.instance_id)
            rest.append(wire.part(wire.EFFECTIVE, config))
        if STATUS in parts:
            rest.append(wire.part(wire.REMOTE_STATUS, self._remote_status()))
        if goodbye:
            rest.append(wire.part(wire.DISCONNECT, b""))
        if HASH in parts or MAP in parts:
            rest.append(wire.part(wire.COMPONENTS, self._components(whole=MAP in parts)))
        if SETTINGS in parts:
            rest.append(wire.part(wire.SETTINGS_STATUS, self.settings.report()))
        number = self._next_number()
        frame = wire.frame(self.uid.bytes, number, b"".join(rest))
        kind = "+".join((*parts, "goodbye") if goodbye else parts)
        return self._as_message(frame, number, kind, parts)

    def _as_message(self, frame: bytes, number: int, kind: str, parts: tuple[str, ...]) -> Message:
        says_status, says_health = STATUS in parts, HEALTH in parts
        return Message(
            frame,
            self.uid,
            number,
            kind,
            hash=self.remote_hash.hex() if says_status else "",
            status=self.remote_status if says_status else 0,
            error=self.remote_error if says_status else "",
            healthy=self.health.healthy if says_health else None,
            health=self.health.status if says_health else "",
            health_error=self.health.error if says_health else "",
            settings=self.settings.said().hash if SETTINGS in parts else "",
        )

    def _description(self) -> bytes:
        """It stays the same until the uid changes."""
        if self._described[0] != self.instance_id:
            self._described = (self.instance_id, self.host.description(self.instance_id))
        return self._described[1]

    def _remote_status(self) -> bytes:
        return wire.remote_status(self.remote_hash, self.remote_status, self.remote_error)

    def _components(self, *, whole: bool) -> bytes:
        version = self.host.version
        named = wire.part(2, workload.components_hash(version))
        return workload.components(version) + named if whole else named

    def _next_number(self) -> int:
        self.number += 1
        if self.behaviour.quirk is Quirk.SKIP and self.number % _SKIPPED == 0 and self.number:
            self.number += 1
        return self.number

    def _done(self, now: float, said: list[Message]) -> list[Message]:
        if said:
            self._last_said = now
            if self.behaviour.quirk is Quirk.REPEAT:
                return [message for message in said for _ in range(2)]
        return said
