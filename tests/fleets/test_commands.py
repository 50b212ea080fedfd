"""What people tell collectors: refused in words where it cannot be, kept as a row, claimed once, dropped in time."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from agents import store
from agents.commands import Message, Restart
from agents.models import Agent, AgentCommand, AgentEvent, AgentMessage
from agents.snapshot import (
    KEPT_MESSAGES,
    AgentSnapshot,
    Capability,
    ComponentHealth,
    CustomMessage,
    Fact,
    FactKind,
    Transport,
)
from fleets.commands import MOST_BYTES, restart_agent, send_message
from telflo.base import clock
from telflo.base.errors import Conflict, DomainError
from telflo.base.models import Activity
from tests.factories import (
    CAPABILITIES,
    TESTER,
    agent_of,
    enrol,
    make_fleet,
    make_patch,
    make_token,
)

pytestmark = pytest.mark.django_db

PING = "io.example.ping/1.0"
RESTARTS = int(CAPABILITIES | Capability.ACCEPTS_RESTART_COMMAND)


@pytest.fixture
def snapshot() -> AgentSnapshot:
    snapshot = enrol(token=make_token(fleet=make_fleet()), capabilities=RESTARTS)
    store.apply([make_patch(snapshot, custom_capabilities=(PING,))])
    return snapshot


def restart(snapshot: AgentSnapshot) -> AgentCommand:
    return restart_agent(agent=agent_of(snapshot), actor=TESTER, reason="stuck")


def claim(snapshot: AgentSnapshot, *, epoch: int | None = None, after_s: float = 0) -> object:
    epochs = {snapshot.instance_uid: snapshot.epoch if epoch is None else epoch}
    moment = clock.now() + timedelta(seconds=after_s)
    return store.claim_commands(epochs, now=moment).get(snapshot.instance_uid)


def kinds(uid: UUID) -> list[str]:
    return list(
        AgentEvent.objects.filter(agent_id=uid).order_by("id").values_list("kind", flat=True)
    )


@pytest.mark.rule("K1")
class TestRestarts:
    def test_it_is_claimed_once_and_told_in_timeline_and_log(self, snapshot: AgentSnapshot) -> None:
        restart(snapshot)
        assert claim(snapshot) == Restart()
        assert claim(snapshot) is None
        assert kinds(snapshot.instance_uid)[-2:] == ["restart_asked", "restart_sent"]
        entry = Activity.objects.get(action="agent.restart")
        assert entry.reason == "stuck"
        assert entry.fleet_id == agent_of(snapshot).membership.fleet_id

    def test_who_does_not_accept_restarts_is_not_told(self, snapshot: AgentSnapshot) -> None:
        store.apply([make_patch(snapshot, capabilities=int(CAPABILITIES))])
        with pytest.raises(Conflict, match="does not accept restarts"):
            restart(snapshot)
        assert not AgentCommand.objects.exists()

    def test_who_is_not_connected_is_not_told(self, snapshot: AgentSnapshot) -> None:
        store.apply([make_patch(snapshot, disconnected_at=clock.now())])
        with pytest.raises(Conflict, match="is not connected"):
            restart(snapshot)

    def test_a_second_one_has_to_wait_for_the_first(self, snapshot: AgentSnapshot) -> None:
        restart(snapshot)
        with pytest.raises(Conflict, match="waits for its delivery"):
            restart(snapshot)
        claim(snapshot)
        restart(snapshot)

    def test_a_capability_that_is_gone_by_then_holds_it_back(self, snapshot: AgentSnapshot) -> None:
        restart(snapshot)
        store.apply([make_patch(snapshot, capabilities=int(CAPABILITIES))])
        assert claim(snapshot) is None

    def test_a_session_that_was_replaced_claims_nothing(self, snapshot: AgentSnapshot) -> None:
        restart(snapshot)
        assert claim(snapshot, epoch=snapshot.epoch - 1) is None
        assert claim(snapshot) == Restart()

    def test_what_was_not_delivered_in_five_minutes_never_is(self, snapshot: AgentSnapshot) -> None:
        restart(snapshot)
        assert claim(snapshot, after_s=301) is None
        now = clock.now()
        assert store.expire_commands(now + timedelta(seconds=299)) == 0
        assert store.expire_commands(now + timedelta(seconds=301)) == 1
        assert store.expire_commands(now + timedelta(seconds=302)) == 0
        assert kinds(snapshot.instance_uid)[-1] == "restart_expired"
        assert claim(snapshot) is None

    @pytest.mark.parametrize(
        ("after_s", "complaint", "is_calm"),
        [(3, "", True), (3, "out of memory", False), (61, "", False)],
    )
    def test_the_steps_of_a_restart_are_marked_in_the_timeline(
        self, snapshot: AgentSnapshot, after_s: float, complaint: str, is_calm: bool
    ) -> None:
        restart(snapshot)
        claim(snapshot)
        when = clock.now() + timedelta(seconds=after_s)
        stopping = ComponentHealth(False, "StatusStopping", complaint)
        fact = Fact(FactKind.HEALTH, when, health=stopping)
        store.apply([make_patch(snapshot, now=when, health=stopping, facts=(fact,))])
        event = AgentEvent.objects.filter(kind="health").latest("id")
        assert event.data.get("restarting", False) is is_calm


@pytest.mark.rule("K2")
class TestMessages:
    def send(self, snapshot: AgentSnapshot, capability: str = PING, data: bytes = b"\x00") -> None:
        agent = agent_of(snapshot)
        send_message(agent=agent, capability=capability, kind="ping", data=data, actor=TESTER)

    def test_it_is_claimed_as_it_was_sent_one_at_a_time(self, snapshot: AgentSnapshot) -> None:
        self.send(snapshot, data=b"\x00\xff")
        restart(snapshot)
        assert claim(snapshot) == Message(PING, "ping", b"\x00\xff")
        assert claim(snapshot) == Restart()
        assert kinds(snapshot.instance_uid).count("message_sent") == 1

    def test_a_capability_that_was_not_announced_is_refused(self, snapshot: AgentSnapshot) -> None:
        with pytest.raises(Conflict, match="did not announce"):
            self.send(snapshot, capability="io.example.other")

    def test_a_message_that_is_too_long_is_refused(self, snapshot: AgentSnapshot) -> None:
        with pytest.raises(DomainError, match="at most 65536 bytes"):
            self.send(snapshot, data=b"x" * (MOST_BYTES + 1))

    def test_of_each_agent_the_last_messages_are_kept(self, snapshot: AgentSnapshot) -> None:
        other = enrol(token=make_token(fleet=make_fleet()))
        for number in range(KEPT_MESSAGES + 5):
            said = CustomMessage(clock.now(), PING, str(number), b"secret", 6)
            store.apply([make_patch(one, messages=(said,)) for one in (snapshot, other)])
        for one in (snapshot, other):
            types = AgentMessage.objects.filter(agent_id=one.instance_uid).values_list(
                "type", flat=True
            )
            assert list(types) == [str(n) for n in range(KEPT_MESSAGES + 4, 4, -1)]

    def test_they_are_encrypted_at_rest(self, snapshot: AgentSnapshot) -> None:
        said = CustomMessage(clock.now(), PING, "t", b"secret", 6)
        store.apply([make_patch(snapshot, messages=(said,))])
        with connection.cursor() as cursor:
            cursor.execute("SELECT body FROM agents_agentmessage")
            [(stored,)] = cursor.fetchall()
        assert b"c2VjcmV0" not in bytes(stored)  # base64 of it


def test_plain_http_claims_for_the_poll_that_asks() -> None:
    token = make_token(fleet=make_fleet())
    first = enrol(token=token, transport=Transport.HTTP, capabilities=RESTARTS)
    agent = Agent.objects.select_related("status").get(pk=first.instance_uid)
    restart_agent(agent=agent, actor=TESTER)
    poll = enrol(
        token=token, uid=first.instance_uid, transport=Transport.HTTP, capabilities=RESTARTS
    )
    assert claim(poll) == Restart()
