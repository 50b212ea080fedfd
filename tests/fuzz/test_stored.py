"""What the protocol takes, the database takes: absurd texts and numbers of accepted messages, stored and read again."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from agents.models import Agent
from agents.models import EffectiveConfig as StoredConfig
from agents.snapshot import (
    UNSET,
    AgentPatch,
    AgentSnapshot,
    ComponentHealth,
    Components,
    Description,
    EffectiveConfig,
    RemoteConfigReport,
    Transport,
)
from agents.status import tells_shutdown
from agents.store.values import files_from_text
from fleets import reports
from opamp.protocol.health import read_tree
from tests.factories import T0, enrol, make_fleet, make_token, make_version, open_session
from tests.fuzz import inputs, targets
from tests.fuzz.extremes import extremes

pytestmark = [pytest.mark.django_db, pytest.mark.rule("M7", "R6", "H2")]

LARGEST = 400_000
"""Bytes of the largest extreme that is stored here: encrypting megabytes takes its time."""


def accepted(bodies: Iterator[bytes]) -> Iterator[AgentPatch]:
    """What is to be stored of these messages to one session."""
    target = targets.LongSession(Transport.WEBSOCKET)
    yield from filter(None, map(target.take, bodies))


def enrolled() -> AgentSnapshot:
    """The targets' agent, as a member of a fleet that has a version."""
    token = make_token(fleet=make_fleet(version=make_version()))
    return enrol(token=token, uid=targets.AGENT, now=T0)


def stored(known: AgentSnapshot, patch: AgentPatch) -> AgentSnapshot:
    """Store a patch as the session that the database knows, and begin the next one."""
    reports.record_patches([replace(patch, epoch=known.epoch)])
    return open_session(targets.AGENT, now=T0)


def check(patch: AgentPatch, known: AgentSnapshot) -> None:
    """What the next session is told is what the patch said, where it said something."""
    agent = Agent.objects.get()
    if isinstance(patch.description, Description):
        assert agent.identifying == patch.description.identifying
        assert agent.non_identifying == patch.description.non_identifying
    if isinstance(patch.health, ComponentHealth) and not tells_shutdown(patch.health):
        assert agent.status.health_report is not None
        assert read_tree(agent.status.health_report) == patch.health
    if isinstance(patch.effective_config, EffectiveConfig):
        body = StoredConfig.objects.get(sha256=known.effective_sha256)
        assert files_from_text(body.files) == patch.effective_config.files
    if isinstance(patch.remote_config, RemoteConfigReport):
        assert known.remote_config == patch.remote_config
    if isinstance(patch.components, Components):
        assert known.components_hash == patch.components.hash
    if patch.custom_capabilities is not UNSET:
        assert tuple(agent.custom_capabilities) == patch.custom_capabilities
    assert known.sequence_num == patch.sequence_num


@pytest.mark.parametrize("seed", range(3))
def test_accepted_damage_is_stored_and_read_again(seed: int) -> None:
    rng, known, count = random.Random(seed), enrolled(), 0
    bodies = (inputs.make(rng).body for _ in range(250))
    for patch in accepted(body for body in bodies if len(body) < LARGEST):
        known = stored(known, patch)
        check(patch, known)
        count += 1
    assert count > 50


@pytest.mark.parametrize("name", [name for name, body in extremes().items() if len(body) < LARGEST])
def test_an_accepted_extreme_is_stored_and_read_again(name: str) -> None:
    for patch in accepted(iter([inputs.head(0) + extremes()[name]])):
        check(patch, stored(enrolled(), patch))


def test_most_texts_are_accepted_somewhere() -> None:
    """Else the tests above would store nothing."""
    taken = [
        name for name, body in extremes().items() if [*accepted(iter([inputs.head(0) + body]))]
    ]
    assert len(taken) > len(extremes()) / 3
