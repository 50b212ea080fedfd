"""What a full state leaves out is gone for the rest of the session too (C3): what comes later is judged without it."""

import pytest

from agents.commands import Message
from agents.snapshot import (
    UNSET,
    AgentPatch,
    Capability,
    ComponentHealth,
    Components,
    ConfigStatus,
    ConnectionReport,
    EffectiveConfig,
    FactKind,
    SettingsState,
)
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.session import AgentSession
from tests.protocol.sessions import MASK, said, session
from tests.protocol.world import START

PING = "io.example.ping/1.0"
DIGEST = "ab" * 32


def take(one: AgentSession, message: pb.AgentToServer) -> AgentPatch:
    patch = one.receive(message, START).patch
    assert patch is not None
    return patch


def kinds(patch: AgentPatch) -> set[FactKind]:
    return {fact.kind for fact in patch.facts}


def restart(one: AgentSession, mask: int = MASK) -> AgentPatch:
    """Its client starts anew on the same connection, and has nothing but a description."""
    return take(one, said(0, capabilities=mask, agent_description=pb.AgentDescription()))


@pytest.mark.rule("C3", "K2")
def test_who_announces_no_custom_capability_any_more_is_sent_and_heard_no_message() -> None:
    one, says = session(), pb.CustomMessage(capability=PING, type="pong")
    announced = pb.CustomCapabilities(capabilities=[PING])
    before = take(one, said(5, custom_capabilities=announced, custom_message=says))
    assert [message.capability for message in before.messages] == [PING]
    assert one.make_command(Message(PING, "ping", b"")) is not None
    restart(one)
    assert take(one, said(1, custom_message=says)).messages == ()
    assert one.make_command(Message(PING, "ping", b"")) is None
    assert not one.takes_commands


@pytest.mark.rule("C3", "R6")
def test_the_same_effective_configuration_is_stored_again() -> None:
    one, config = session(), pb.EffectiveConfig()
    config.config_map.config_map[""].body = b"receivers: {}"
    assert isinstance(take(one, said(5, effective_config=config)).effective_config, EffectiveConfig)
    assert take(one, said(6, effective_config=config)).effective_config is UNSET
    assert restart(one).effective_config is None
    assert isinstance(take(one, said(1, effective_config=config)).effective_config, EffectiveConfig)


@pytest.mark.rule("C3", "C4")
def test_the_same_components_are_stored_and_told_again() -> None:
    one = session()
    named = pb.AvailableComponents(hash=bytes.fromhex(DIGEST))
    named.components["receivers"].sub_component_map["otlp"].SetInParent()
    first = take(one, said(5, available_components=named))
    assert isinstance(first.components, Components)
    assert kinds(first) == {FactKind.COMPONENTS}
    again = take(one, said(6, available_components=named))
    assert (again.components, again.facts) == (UNSET, ())
    assert restart(one).components is None
    back = take(one, said(1, available_components=named))
    assert isinstance(back.components, Components)
    assert (back.components.hash, kinds(back)) == (DIGEST, {FactKind.COMPONENTS})


@pytest.mark.rule("C3", "H1")
def test_the_same_health_is_news() -> None:
    well = pb.ComponentHealth(healthy=True, status="StatusOK")
    one = session(health=ComponentHealth(healthy=True, status="StatusOK"))
    assert take(one, said(5, health=well)).facts == ()
    assert restart(one).health is None
    assert kinds(take(one, said(1, health=well))) == {FactKind.HEALTH}


@pytest.mark.rule("C3", "S2")
def test_connection_settings_are_due_to_who_no_longer_names_them() -> None:
    mask = MASK | Capability.REPORTS_CONNECTION_SETTINGS_STATUS
    report = ConnectionReport(ConfigStatus.APPLIED, DIGEST)
    one = session(capabilities=mask, connection=report, settings=SettingsState(wanted=DIGEST))
    named = pb.ConnectionSettingsStatus(
        last_connection_settings_hash=bytes.fromhex(DIGEST),
        status=pb.ConnectionSettingsStatuses.ConnectionSettingsStatuses_APPLIED,
    )
    first = take(one, said(5, capabilities=mask, connection_settings_status=named))
    assert (first.connection, one.wants_settings) == (UNSET, False)
    assert restart(one, mask).connection is None
    assert one.wants_settings
    back = take(one, said(1, capabilities=mask, connection_settings_status=named))
    assert (back.connection, kinds(back)) == (report, {FactKind.CONNECTION_SETTINGS})
    assert not one.wants_settings


class TestWhatIsTold:
    """Facts of the timeline that have nothing but their kind."""

    def test_another_description_is_told_and_the_first_and_the_same_are_not(self) -> None:
        one = session()
        descriptions = [pb.AgentDescription(), pb.AgentDescription()]
        descriptions[1].identifying_attributes.add(key="service.version").value.string_value = "2"
        turns = [0, 0, 1, 1, 0]
        told = [
            take(one, said(number, agent_description=descriptions[turn]))
            for number, turn in enumerate(turns, 5)
        ]
        changed = [{FactKind.DESCRIPTION} if n in {2, 4} else set() for n in range(len(turns))]
        assert [kinds(patch) for patch in told] == changed

    @pytest.mark.rule("C4")
    def test_other_components_are_told_and_the_same_are_not(self) -> None:
        one = session(components_hash="aa")
        told = [
            take(one, said(number, available_components=pb.AvailableComponents(hash=digest)))
            for number, digest in enumerate([b"\xaa", b"\xbb", b"\xbb", b"\xaa"], 5)
        ]
        assert [kinds(patch) for patch in told] == [
            set(),
            {FactKind.COMPONENTS},
            set(),
            {FactKind.COMPONENTS},
        ]
