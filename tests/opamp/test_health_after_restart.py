"""A real supervisor that we made connect anew (a recording): its health is unknown then, not unhealthy."""

from uuid import UUID

import pytest

from agents import store
from agents.models import AgentEvent, AgentStatus
from agents.snapshot import Transport
from agents.views.health import health_panel
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.session import AgentSession
from telflo.base.ids import new_id
from tests.factories import at, open_session
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


def test_over_plain_http_a_collector_that_is_well_again_after_our_restart_is_news() -> None:
    """Each poll is a session of its own, and what is kept of its health is of before the restart."""
    uid = new_id()
    store.register([uid], now=at(0))
    say(uid, 0, healthy=True, status="StatusOK")
    AgentStatus.objects.filter(agent_id=uid).update(restarted_at=at(1))
    say(uid, 2, healthy=False, status="StatusStopping")
    assert AgentStatus.objects.get(agent_id=uid).health == "unknown"
    say(uid, 3, healthy=True, status="StatusOK")
    assert AgentStatus.objects.get(agent_id=uid).health == "healthy"
    told = AgentEvent.objects.filter(agent_id=uid, kind="health").order_by("at")
    assert [event.data["status"] for event in told] == ["StatusOK", "StatusStopping", "StatusOK"]


def say(uid: UUID, seconds: int, *, healthy: bool, status: str) -> None:
    """One poll that tells of its health."""
    known = open_session(uid, now=at(seconds), transport=Transport.HTTP, number=seconds)
    message = pb.AgentToServer(instance_uid=uid.bytes, sequence_num=seconds)
    message.health.healthy, message.health.status = healthy, status
    patch = AgentSession(known, LIMITS).receive(message, at(seconds)).patch
    assert patch is not None
    store.apply([patch])
