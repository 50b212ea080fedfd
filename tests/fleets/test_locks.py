"""All writers lock in one order (docs/architecture.md, "Locks"): fleets, rollouts, status rows, what hangs on those."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from agents.models import AgentStatus
from agents.snapshot import AgentSnapshot, ConfigStatus, Transport
from agents.store import Arrival
from fleets import connection_claims, forgetting, offers, reports, services
from fleets.admission import Caller, admit_agents
from fleets.connection_offer import Held, SettingsClaim
from fleets.enrollment import verify_token
from fleets.models import ArrivalMode
from fleets.rollouts import engine
from fleets.rollouts.services import start_rollout
from fleets.tokens import IssuedToken
from telflo.base import clock
from telflo.base.access import Role
from telflo.base.ids import new_id
from tests.factories import (
    TESTER,
    agent_of,
    make_answer,
    make_api_token,
    make_fleet,
    make_patch,
    make_person,
    make_token,
)
from tests.fleets.story import Story, hash_of

ORDER = ("fleets_fleet", "fleets_rollout", "agents_agentstatus", "the rest")
OWNED = frozenset(
    f"fleets_{name}"
    for name in ("membership", "attempt", "target", "quarantine", "agentconnection")
)
_FOR_UPDATE = re.compile(r" FOR (NO KEY )?UPDATE( OF [^ )]+)?")
_READ = re.compile(r'FROM "(\w+)"')
_WRITTEN = re.compile(r'(?:UPDATE|DELETE FROM) "(\w+)"')


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The tables whose rows are locked, in the order of their first lock, and the values that lock names. SQLite is
    told to ask for locks as PostgreSQL does, which are taken out of the statement again.
    """
    locked: dict[str, str] = {}
    is_postgresql = connection.vendor == "postgresql"
    for name in ("", "_of"):
        monkeypatch.setattr(connection.features, f"has_select_for_update{name}", True)
    monkeypatch.setattr(connection.features, "has_select_for_no_key_update", True)

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        tables = _WRITTEN.match(sql) or (_FOR_UPDATE.search(sql) and _READ.search(sql))
        if tables:
            table = tables[1] if tables[1] not in OWNED else ORDER[-1]
            if table in ORDER and table not in locked:
                locked[table] = str(params)
        return run(sql if is_postgresql else _FOR_UPDATE.sub("", sql), params, many, context)

    with connection.execute_wrapper(execute):
        yield locked


def admit(*tokens: IssuedToken, known: AgentSnapshot | None = None) -> None:
    now = clock.now()
    uids = [known.instance_uid if known else new_id(), *(new_id() for _ in tokens[1:])]
    callers = [
        Caller(verify_token(token.secret, now=now), Arrival(uid, Transport.WEBSOCKET, "192.0.2.7"))
        for token, uid in zip(tokens, uids, strict=True)
    ]
    admit_agents(callers, now=now)


def a_rollout_succeeds(story: Story) -> Callable[[], object]:
    [agent] = story.agents
    version = story.version()
    rollout = story.assign(version)
    story.claim(agent)
    story.answer(agent, ConfigStatus.APPLIED, hash_of(version))
    return lambda: engine.advance(rollout.pk, now=clock.now())


def newcomers_of_two_fleets(story: Story) -> Callable[[], object]:
    story.assign(story.version())
    return lambda: admit(make_token(fleet=make_fleet(version=story.one)), story.token)


def one_from_another_fleet(story: Story) -> Callable[[], object]:
    story.assign(story.version())
    token = make_token(fleet=make_fleet(version=story.one))
    return lambda: admit(token, story.token, known=story.agents[0])


def one_by_another_token(story: Story) -> Callable[[], object]:
    token = make_token(fleet=story.fleet)
    return lambda: admit(token, known=story.agents[0])


def heartbeats_beside_reports(story: Story) -> Callable[[], object]:
    silent, [agent] = story.join(), story.agents
    version = story.version()
    story.assign(version)
    story.claim(agent)
    answer = make_answer(agent, (ConfigStatus.FAILED, hash_of(version), "no"))
    return lambda: reports.record_patches([make_patch(silent), answer])


def an_offer(story: Story) -> Callable[[], object]:
    story.assign(story.version())
    epochs = {agent.instance_uid: agent.epoch for agent in story.agents}
    return lambda: offers.claim_offers(epochs, now=clock.now())


def settings_given_back(story: Story) -> Callable[[], object]:
    [agent] = story.agents
    connection_claims.claim_settings({agent.instance_uid: Held(agent.epoch, "")}, now=clock.now())
    return lambda: connection_claims.give_back_settings(
        {agent.instance_uid: SettingsClaim(agent.epoch, clock.now())}, now=clock.now()
    )


def a_move(story: Story) -> Callable[[], object]:
    story.assign(story.version())
    target = make_fleet(version=story.one)
    agent = agent_of(story.agents[0])
    return lambda: services.move_agent(agent=agent, fleet=target, actor=TESTER)


def a_move_by_a_program(story: Story) -> Callable[[], object]:
    story.assign(story.version())
    target = make_fleet(version=story.one)
    key = make_api_token(user=make_person(role=Role.OPERATOR)).secret
    address = f"/api/v1/agents/{story.agents[0].instance_uid}/"
    headers = {"Authorization": f"Bearer {key}"}

    def move() -> None:
        body = {"fleet": target.slug, "name": "moved"}
        answer = Client().patch(address, body, "application/json", headers=headers)
        assert answer.status_code == 200, answer.content

    return move


def a_look_only(story: Story) -> Callable[[], object]:
    agent = agent_of(story.agents[0])
    return lambda: services.set_mode(agent=agent, mode=ArrivalMode.OBSERVED, actor=TESTER)


def a_ghost(story: Story) -> Callable[[], object]:
    AgentStatus.objects.update(connected=False)
    return lambda: forgetting.forget_ghosts(clock.now() + timedelta(days=1_000))


def a_start(story: Story) -> Callable[[], object]:
    version = story.version()
    return lambda: start_rollout(fleet=story.fleet, version=version, actor=TESTER)


DOORS = [
    a_ghost,
    a_look_only,
    a_move,
    a_move_by_a_program,
    a_rollout_succeeds,
    a_start,
    an_offer,
    heartbeats_beside_reports,
    newcomers_of_two_fleets,
    one_by_another_token,
    one_from_another_fleet,
    settings_given_back,
]


@pytest.mark.django_db
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_locks_are_taken_in_one_order(
    door: Callable[[Story], Callable[[], object]], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.FORGET_AFTER = timedelta(days=30)
    work = door(Story())
    with recorded(monkeypatch) as locked:
        work()
    assert locked
    assert list(locked) == sorted(locked, key=ORDER.index)


@pytest.mark.django_db
def test_the_fleets_of_a_batch_are_locked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that let in newcomers of the same two fleets would hold one each and wait for the other."""
    fleets = [make_fleet(), make_fleet()]
    with recorded(monkeypatch) as locked:
        admit(*(make_token(fleet=fleet) for fleet in fleets))
    named = locked[ORDER[0]].replace("-", "")
    assert all(fleet.pk.hex in named for fleet in fleets)
