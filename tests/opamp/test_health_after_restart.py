"""A real supervisor that we made connect anew (a recording): its health is unknown then, not unhealthy."""

from uuid import UUID

import pytest

from agents import store
from agents.models import AgentEvent, AgentStatus
from agents.views.health import health_panel
from opamp.protocol.session import AgentSession
from tests.factories import open_session
from tests.protocol.world import LIMITS, STORIES, Recorded

pytestmark = pytest.mark.django_db


def connections(name: str) -> list[list[Recorded]]:
    """The story of one uid, cut where its client starts anew."""
    story = STORIES[name]
    uid = story[0].message.instance_uid
    parts: list[list[Recorded]] = []
    for step in story:
        if step.message.instance_uid != uid:
            break
        if step.message.sequence_num == 0 or not parts:
            parts.append([])
        parts[-1].append(step)
    return parts


def replay(part: list[Recorded]) -> AgentStatus:
    """Everything of one connection, stored message by message."""
    uid = uid_of(part)
    known = open_session(uid, now=part[0].at)
    session = AgentSession(known, LIMITS)
    for step in part:
        patch = session.receive(step.message, step.at).patch
        assert patch is not None
        store.apply([patch])
    return AgentStatus.objects.get(agent_id=uid)


def uid_of(part: list[Recorded]) -> UUID:
    """Whose story it is."""
    return UUID(bytes=part[0].message.instance_uid)


@pytest.mark.rule("H1", "S5")
@pytest.mark.parametrize("name", ["ws-0.149.0", "ws-0.158.0-validate", "ws-0.158.0-rollback"])
def test_after_the_offer_of_a_credential_the_last_known_health_stays_marked_as_of_then(
    name: str,
) -> None:
    first, second = connections(name)[-2:]
    store.register([uid_of(first)], now=first[0].at)
    before = replay(first)
    assert before.health == "healthy"
    after = replay(second)
    assert (after.health, after.health_report) == ("unknown", before.health_report)
    assert after.health_at == before.health_at
    assert after.health_since == second[0].at
    unhealthy = AgentEvent.objects.filter(kind="health", data__healthy=False, at__gte=second[0].at)
    assert not unhealthy.exists()
    panel = health_panel(after, name="web-1", now=second[-1].at)
    assert "last known" in panel.summary
    assert panel.tree is not None
    assert panel.tree.healthy is None
