"""What connection settings an agent is to have: by capability, complete, one hash for each set."""

from dataclasses import replace
from uuid import UUID

import pytest

from agents.snapshot import Capability
from fleets.connection_offer import (
    DEFAULT_HEARTBEAT_S,
    MOST_UNUSED,
    AgentFacts,
    FleetWish,
    Need,
    Plan,
    Signal,
    keeps_interval,
    plan_settings,
)

TOKEN, HEIR, OWN = UUID(int=1), UUID(int=2), UUID(int=3)
OWN_TELEMETRY = int(
    Capability.REPORTS_OWN_METRICS | Capability.REPORTS_OWN_TRACES | Capability.REPORTS_OWN_LOGS
)
HEARTBEAT = int(Capability.REPORTS_HEARTBEAT)
ACCEPTS = int(Capability.ACCEPTS_OPAMP_CONNECTION_SETTINGS)
EVERYTHING = OWN_TELEMETRY | HEARTBEAT | ACCEPTS
WISH = FleetWish(heartbeat_s=60, marks={"metrics": "m1", "logs": "l1"})
SHARED = AgentFacts(capabilities=EVERYTHING, token=TOKEN, is_shared=True)


def plan(wish: FleetWish, agent: AgentFacts) -> Plan:
    found = plan_settings(wish, agent, can_connect=True)
    assert found is not None
    return found


@pytest.mark.rule("S1")
@pytest.mark.parametrize(
    ("bit", "signal"),
    [
        (Capability.REPORTS_OWN_METRICS, Signal.METRICS),
        (Capability.REPORTS_OWN_TRACES, Signal.TRACES),
        (Capability.REPORTS_OWN_LOGS, Signal.LOGS),
    ],
)
def test_each_kind_of_telemetry_only_with_its_capability(bit: Capability, signal: Signal) -> None:
    wish = FleetWish(marks=dict.fromkeys(Signal, "a"))
    assert plan(wish, AgentFacts(int(bit))).signals == (signal,)


@pytest.mark.rule("S1")
def test_no_credential_without_the_capability_for_opamp_settings() -> None:
    wish = FleetWish(own_credentials=True, heartbeat_s=60)
    able, unable = plan(wish, SHARED), plan(wish, replace(SHARED, capabilities=HEARTBEAT))
    assert (able.need, unable.need) == (Need.OWN, Need.NONE)


def test_an_agent_that_can_do_nothing_is_offered_nothing() -> None:
    wish = replace(WISH, own_credentials=True)
    assert plan_settings(wish, AgentFacts(0, is_shared=True), can_connect=True) is None


@pytest.mark.rule("S4")
@pytest.mark.parametrize("capabilities", [HEARTBEAT, ACCEPTS])
def test_an_interval_goes_to_all_that_take_one(capabilities: int) -> None:
    assert plan(WISH, AgentFacts(capabilities)).heartbeat_s == 60


@pytest.mark.rule("S4")
def test_a_credential_never_goes_without_an_interval() -> None:
    wish = FleetWish(own_credentials=True)
    assert plan(wish, SHARED).heartbeat_s == DEFAULT_HEARTBEAT_S


def test_an_interval_that_is_no_longer_set_goes_back_to_the_default() -> None:
    assert plan_settings(FleetWish(), SHARED, can_connect=True) is None
    before = replace(SHARED, offered_heartbeat_s=60)
    assert plan(FleetWish(), before).heartbeat_s == DEFAULT_HEARTBEAT_S


def test_telemetry_that_is_no_longer_set_is_switched_off_by_name() -> None:
    before = replace(SHARED, offered_telemetry=True)
    off = plan(FleetWish(), before)
    assert (off.signals, off.switched_off) == ((), tuple(Signal))


@pytest.mark.rule("S2")
def test_an_offer_with_own_telemetry_names_every_kind_that_the_agent_has() -> None:
    """A client that takes each kind for itself would go on with one that is left out."""
    both = plan(WISH, SHARED)
    assert (both.signals, both.switched_off) == ((Signal.METRICS, Signal.LOGS), (Signal.TRACES,))
    less = plan(replace(WISH, marks={"metrics": "m1"}), replace(SHARED, offered_telemetry=True))
    assert (less.signals, less.switched_off) == ((Signal.METRICS,), (Signal.TRACES, Signal.LOGS))
    one = plan(WISH, AgentFacts(int(Capability.REPORTS_OWN_METRICS)))
    assert (one.signals, one.switched_off) == ((Signal.METRICS,), ())


def test_an_offer_without_own_telemetry_leaves_it_alone() -> None:
    assert plan(FleetWish(heartbeat_s=60), SHARED).switched_off == ()


@pytest.mark.rule("S2")
def test_the_hash_covers_everything_and_changes_with_each_part() -> None:
    base = plan(WISH, SHARED)
    others = [
        plan(replace(WISH, heartbeat_s=61), SHARED),
        plan(replace(WISH, marks={"metrics": "m2", "logs": "l1"}), SHARED),
        plan(replace(WISH, marks={"metrics": "m1"}), SHARED),
        plan(replace(WISH, marks={"traces": "m1", "logs": "l1"}), SHARED),
        plan(replace(WISH, own_credentials=True), SHARED),
        plan(WISH, replace(SHARED, successor=HEIR)),
    ]
    hashes = {base.hash, *(one.hash for one in others)}
    assert len(hashes) == len(others) + 1
    assert plan(WISH, SHARED).hash == base.hash


@pytest.mark.rule("S6")
class TestOwnCredential:
    wish = replace(WISH, own_credentials=True)

    def test_only_who_came_by_a_shared_token_gets_one(self) -> None:
        assert plan(self.wish, replace(SHARED, is_shared=False)).need is Need.NONE

    def test_while_it_is_under_way_the_hash_is_that_of_the_offer(self) -> None:
        offered = plan(self.wish, SHARED).hash_with(str(OWN))
        under_way = replace(SHARED, offered_credential=OWN, is_current=True, unused_offers=1)
        assert plan(self.wish, under_way).hash == offered

    def test_a_successor_that_is_in_use_is_none_that_is_under_way(self) -> None:
        """It was offered an interval since, so the last offer is of this session."""
        moved = replace(SHARED, offered_credential=TOKEN, is_current=True)
        has = plan(replace(self.wish, own_credentials=False), moved).hash
        assert plan(self.wish, moved).hash != has

    def test_once_it_is_in_use_nothing_is_due_any_more(self) -> None:
        offered = plan(self.wish, SHARED).hash_with(str(OWN))
        moved = AgentFacts(EVERYTHING, token=OWN, offered_credential=OWN, offered_heartbeat_s=60)
        assert (plan(self.wish, moved).hash, plan(self.wish, moved).need) == (offered, Need.NONE)

    def test_who_comes_back_by_the_shared_token_is_offered_another(self) -> None:
        again = replace(SHARED, offered_credential=OWN)
        due = plan(self.wish, again)
        assert due.need is Need.OWN
        assert due.hash != due.hash_with(str(OWN))

    def test_who_never_comes_back_with_one_is_left_alone(self) -> None:
        lost = replace(SHARED, offered_credential=OWN, unused_offers=MOST_UNUSED)
        assert plan(self.wish, lost).need is Need.NONE
        assert plan(self.wish, replace(lost, is_current=True)).need is Need.OWN

    def test_none_is_offered_by_a_server_that_does_not_know_its_address(self) -> None:
        found = plan_settings(self.wish, SHARED, can_connect=False)
        assert found is not None
        assert found.need is Need.NONE


@pytest.mark.rule("S5")
def test_in_the_overlap_of_a_rotation_the_successor_is_offered() -> None:
    due = plan(FleetWish(), replace(SHARED, successor=HEIR))
    assert (due.need, due.mark) == (Need.SUCCESSOR, str(HEIR))
    moved = replace(
        SHARED, token=HEIR, offered_credential=HEIR, offered_heartbeat_s=due.heartbeat_s
    )
    assert plan(FleetWish(), moved).hash == due.hash


@pytest.mark.parametrize(
    ("messages", "seconds", "keeps"),
    [
        (6, 60, True),
        (7, 60, True),
        (2, 60, False),
        (20, 60, False),
        (4, 40, False),
        (0, 0, False),
    ],
)
def test_an_interval_is_kept_by_who_is_heard_as_often(
    messages: int, seconds: float, *, keeps: bool
) -> None:
    assert keeps_interval(10, messages=messages, seconds=seconds) is keeps
    assert not keeps_interval(0, messages=messages, seconds=seconds)
