"""Collectors that can be told another credential: they come, and are offered one."""

from typing import Any

from agents.snapshot import AgentSnapshot, Capability
from fleets.connection import update_connection
from fleets.connection_claims import claim_settings, give_back_settings
from fleets.connection_offer import Held, SettingsClaim, SettingsOffer
from fleets.models import AgentConnection, Token, TokenKind
from fleets.standing import intents
from fleets.tokens import IssuedToken
from telflo.base import clock
from tests.factories import CAPABILITIES, TESTER, enrol, make_fleet, make_token

ABLE = int(
    CAPABILITIES | Capability.REPORTS_HEARTBEAT | Capability.ACCEPTS_OPAMP_CONNECTION_SETTINGS
)


def come(secret: str, uid: Any = None, **how: Any) -> AgentSnapshot:
    """The agent comes by the secret."""
    token = IssuedToken(Token(), secret)
    return enrol(token=token, uid=uid, capabilities=ABLE, **how)


def claim(agent: AgentSnapshot) -> SettingsOffer | None:
    held = {agent.instance_uid: Held(agent.epoch, agent.settings.offered)}
    return claim_settings(held, now=clock.now()).get(agent.instance_uid)


def wanted(agent: AgentSnapshot) -> str:
    return intents([agent.instance_uid])[agent.instance_uid].settings


def offered(agent: AgentSnapshot) -> SettingsOffer:
    offer = claim(agent)
    assert offer is not None
    return offer


def give_back(agent: AgentSnapshot) -> None:
    """What this session claimed last."""
    at = AgentConnection.objects.get(agent_id=agent.instance_uid).offered_at
    assert at is not None
    give_back_settings({agent.instance_uid: SettingsClaim(agent.epoch, at)}, now=clock.now())


def credentials(**how: Any) -> list[Token]:
    return list(Token.objects.filter(kind=TokenKind.AGENT, **how).order_by("pk"))


def one_arrives() -> None:
    """A collector of another fleet comes by this server's address as it is offered, so that others are sent there."""
    fleet = make_fleet(name="proof")
    update_connection(fleet=fleet, own_credentials=True, actor=TESTER)
    agent = come(make_token(fleet=fleet).secret)
    come(offered(agent).secret, agent.instance_uid)
