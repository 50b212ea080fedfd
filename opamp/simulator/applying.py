"""PURE. What a supervisor does with a configuration that it is offered, in the steps and words of the recordings.

APPLYING with the old effective configuration; an empty health; stopping and stopped; then either starting, the new
effective configuration, a healthy tree and APPLIED after a delay; or the collector's error, FAILED, and the old
configuration again, which a newer supervisor reports as APPLIED in its turn.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from opamp.proto.opamp_pb2 import AgentRemoteConfig, RemoteConfigStatuses
from opamp.simulator import shapes, workload
from opamp.simulator.behaviour import Behaviour
from opamp.simulator.report import DESCRIPTION, EFFECTIVE, HEALTH, STATUS, Message

if TYPE_CHECKING:
    from opamp.simulator.agent import SimulatedAgent

APPLIED: Final = int(RemoteConfigStatuses.RemoteConfigStatuses_APPLIED)
APPLYING: Final = int(RemoteConfigStatuses.RemoteConfigStatuses_APPLYING)
FAILED: Final = int(RemoteConfigStatuses.RemoteConfigStatuses_FAILED)

_RESTART_S: Final = 0.05
"""From the stop of a collector to the start of the next."""
_CRASH_LOOP_S: Final = 5.0
_MANY: Final = 30_000


def take(agent: SimulatedAgent, offer: AgentRemoteConfig, now: float) -> list[Message]:
    """The messages at once; the rest is planned as steps of the agent. An offer during another one replaces it."""
    config_hash = offer.config_hash
    if not config_hash:
        return []
    agent.forget_steps()
    if not offer.config.config_map:
        return _stop(agent, config_hash, now)
    files = tuple(
        (name, file.body.decode("utf-8", "replace"))
        for name, file in offer.config.config_map.items()
    )
    try:
        text = merged(agent.behaviour, files)
    except workload.Unusable as error:
        agent.report_remote(config_hash, FAILED, str(error))
        return agent.say(now, STATUS)
    if text == agent.tried:
        # Also for one that is crashing just now: real supervisors compare the text, not how it went.
        agent.report_remote(config_hash, APPLIED)
        agent.runs_hash = config_hash
        return agent.say(now, STATUS)
    return _change(agent, config_hash, text, now)


def merged(behaviour: Behaviour, files: tuple[tuple[str, str], ...] = ()) -> str:
    """These files (name, text) with those of the host. Raises workload.Unusable."""
    return workload.merge(behaviour.local_config, files, behaviour.local_override)


def with_ailment(behaviour: Behaviour, error: str) -> Behaviour:
    """The same, unhealthy with this error; "" for healthy."""
    return replace(behaviour, ailment=error)


def _change(agent: SimulatedAgent, config_hash: bytes, text: str, now: float) -> list[Message]:
    agent.tried = text
    agent.report_remote(config_hash, APPLYING)
    said = agent.say(now, EFFECTIVE, STATUS)
    agent.health = workload.EMPTY_HEALTH
    said += agent.say(now, HEALTH)
    for status in (workload.STOPPING, workload.STOPPED):
        said += agent.health_step(now, status)
    error = _problem(agent, text)
    step = partial(_fail, agent, config_hash, error) if error else partial(_run, agent, config_hash)
    if agent.behaviour.apply_delay_s > 0:
        agent.later(now + _RESTART_S, step)
        return said
    return [*said, *step(now)]


def _stop(agent: SimulatedAgent, config_hash: bytes, now: float) -> list[Message]:
    """An empty map: nothing runs, which counts as applied and healthy; the effective configuration stays."""
    agent.tried = ""
    agent.runs_hash = config_hash
    agent.report_remote(config_hash, APPLIED)
    agent.health = workload.plain_health(healthy=True)
    return agent.say(now, HEALTH, STATUS)


def _problem(agent: SimulatedAgent, text: str) -> str:
    """Why the collector does not start with this text; "" when it does."""
    if agent.behaviour.refuses(text):
        return agent.behaviour.fail_error or _unknown_exporter(agent)
    try:
        workload.run(text, agent.host.version)
    except workload.Unusable as error:
        return str(error)
    return ""


def _unknown_exporter(agent: SimulatedAgent) -> str:
    """The order of the valid values differs from run to run."""
    known = sorted(shapes.COMPONENTS["exporters"])
    agent.draw().shuffle(known)
    return shapes.unknown_component("exporters", "nosuch", known)


def _run(agent: SimulatedAgent, config_hash: bytes, now: float) -> list[Message]:
    """The collector starts with the new text and runs."""
    agent.runs = workload.run(agent.tried, agent.host.version)
    agent.runs_hash = config_hash
    return [*_start(agent, now), *_acknowledge(agent, config_hash, now)]


def _start(agent: SimulatedAgent, now: float) -> list[Message]:
    agent.health = agent.runs.health(workload.STARTING)
    said = agent.say(now, DESCRIPTION, HEALTH)
    agent.show_effective()
    said += agent.say(now, HEALTH, EFFECTIVE)
    return [*said, *agent.health_step(now, workload.OK)]


def _acknowledge(agent: SimulatedAgent, config_hash: bytes, now: float) -> list[Message]:
    """APPLIED, when the time in which the collector may still die is over."""

    def applied(moment: float) -> list[Message]:
        agent.report_remote(config_hash, APPLIED)
        return agent.say(moment, STATUS)

    delay = agent.behaviour.apply_delay_s
    if delay <= 0:
        return applied(now)
    agent.later(now + delay, applied)
    return []


def _fail(agent: SimulatedAgent, config_hash: bytes, error: str, now: float) -> list[Message]:
    """The collector exits. A supervisor that quotes logs also goes back; an older one tries again for ever."""
    is_newer = agent.host.version >= shapes.QUOTES_ITS_LOG_FROM
    said = _crash(agent, error if is_newer else "", now)
    quoted = f"{shapes.LOG_TAIL}{error}" if is_newer else ""
    agent.report_remote(config_hash, FAILED, shapes.EXITED + quoted)
    said += agent.say(now, STATUS)
    if not is_newer:
        agent.runs_hash = b""
        agent.later(now + _CRASH_LOOP_S, partial(_crash_again, agent))
        return said
    agent.tried = agent.runs.text
    if agent.behaviour.apply_delay_s > 0:
        agent.later(now + _RESTART_S, partial(_go_back, agent))
        return said
    return [*said, *_go_back(agent, now)]


def _go_back(agent: SimulatedAgent, now: float) -> list[Message]:
    """The old configuration runs again, and is reported when the server gave it."""
    said = _start(agent, now)
    return [*said, *_acknowledge(agent, agent.runs_hash, now)] if agent.runs_hash else said


def _crash(agent: SimulatedAgent, error: str, now: float) -> list[Message]:
    text = shapes.EXITED_HEALTH.format(pid=agent.draw().randrange(1000, _MANY))
    quoted = f"{shapes.LOG_TAIL}{error}" if error else ""
    agent.health = workload.plain_health(healthy=False, error=text + quoted)
    return agent.say(now, HEALTH)


def _crash_again(agent: SimulatedAgent, now: float) -> list[Message]:
    agent.later(now + _CRASH_LOOP_S, partial(_crash_again, agent))
    return _crash(agent, "", now)
