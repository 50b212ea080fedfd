"""Identities that the server gives are kept, bounded, and told in both timelines; clones over plain HTTP are found."""

from datetime import timedelta
from uuid import UUID

import pytest

from agents import store
from agents.identities import (
    MOST_AN_HOUR,
    give_uid,
    given_identities,
    kin_of,
    prune_given_uids,
    take_uid,
)
from agents.models import AgentEvent, GivenUid
from agents.snapshot import AgentSnapshot, Transport
from telflo.base.ids import new_id
from tests.factories import at, make_agent, make_patch, open_session

pytestmark = [pytest.mark.django_db, pytest.mark.rule("A2")]


def give(agent: AgentSnapshot, *, seconds: float = 0, is_clone: bool = True) -> UUID | None:
    return give_uid(
        instance_uid=agent.instance_uid,
        remote_address="192.0.2.8",
        is_clone=is_clone,
        now=at(seconds),
    )


def kinds(uid: UUID) -> list[str]:
    return list(
        AgentEvent.objects.filter(agent_id=uid).order_by("id").values_list("kind", flat=True)
    )


class TestGiving:
    @pytest.mark.rule("M6")
    def test_it_is_a_uuid_of_version_7_and_only_who_takes_it_makes_news(self) -> None:
        agent = make_agent()
        given = give(agent)
        assert given is not None
        assert (given.version, given == agent.instance_uid) == (7, False)
        assert kinds(agent.instance_uid) == ["connected"]

    def test_a_client_that_takes_none_is_not_given_one_for_ever(self) -> None:
        agent = make_agent()
        given = [give(agent, seconds=n) for n in range(MOST_AN_HOUR + 5)]
        assert None not in given[:MOST_AN_HOUR]
        assert set(given[MOST_AN_HOUR:]) == {None}
        assert kinds(agent.instance_uid) == ["connected", "shares_uid"]
        assert give(agent, seconds=3700) is not None

    def test_both_timelines_tell_and_both_pages_link(self) -> None:
        agent = make_agent()
        [given] = given_identities([give(agent) or new_id()]).values()
        assert given is not None
        assert kin_of(agent.instance_uid) == (None, ())
        copy = make_agent(uid=given.uid)
        take_uid(given, now=at(1))
        assert kinds(copy.instance_uid)[-1] == "cloned_from"
        assert kinds(agent.instance_uid)[-1] == "cloned"
        origin, copies = kin_of(copy.instance_uid)
        assert (origin and origin.uid, copies) == (agent.instance_uid, [])
        origin, copies = kin_of(agent.instance_uid)
        assert (origin, [kin.uid for kin in copies]) == (None, [copy.instance_uid])

    def test_an_agent_that_asked_has_a_former_uid_and_no_copy(self) -> None:
        agent = make_agent()
        [given] = given_identities([give(agent, is_clone=False) or new_id()]).values()
        assert given is not None
        make_agent(uid=given.uid)
        take_uid(given, now=at(1))
        assert kinds(given.uid)[-1] == "formerly"
        assert kinds(agent.instance_uid) == ["connected"]

    def test_nobody_needs_them_once_the_timelines_are_gone(self) -> None:
        give(make_agent())
        assert prune_given_uids(at() + timedelta(days=29)) == 0
        assert prune_given_uids(at() + timedelta(days=31)) == 1
        assert not GivenUid.objects.exists()


def poll(uid: UUID, number: int, seconds: float, address: str = "192.0.2.1") -> AgentSnapshot:
    return open_session(
        uid, now=at(seconds), transport=Transport.HTTP, address=address, number=number
    )


def register() -> UUID:
    uid = new_id()
    store.register([uid], now=at())
    return uid


class TestOverPlainHttp:
    def test_of_two_agents_that_poll_in_turn_one_is_found_and_then_nobody(self) -> None:
        uid = register()
        found = []
        for turn in range(6):
            for who in (0, 1):
                seconds = 60 * turn + 30 * who
                if who in found:
                    continue
                snapshot = poll(uid, 7 + 90 * who + turn, seconds, f"192.0.2.{who}")
                if snapshot.is_clone:
                    found.append(who)
        assert len(found) == 1

    def test_one_agent_that_polls_repeats_and_skips_is_never_found(self) -> None:
        uid = register()
        for turn, number in enumerate((0, 1, 1, 2, 7, 7, 8, 0, 1, 5, 5, 6, 7, 9)):
            assert not poll(uid, number, 30 * turn).is_clone

    def test_a_live_websocket_beside_it_is_found(self) -> None:
        live = make_agent()
        assert not poll(live.instance_uid, 1, 10).is_clone
        store.apply([make_patch(live, now=at(20))])
        assert poll(live.instance_uid, 2, 40).is_clone
        assert not poll(live.instance_uid, 2, 41).is_clone  # once

    def test_a_websocket_that_is_not_heard_any_more_is_not(self) -> None:
        live = make_agent()
        store.apply([make_patch(live, now=at(9))])
        for turn in range(3):
            assert not poll(live.instance_uid, turn, 10 + 30 * turn).is_clone
