"""Silence is judged by what could be stored: an outage of ours disconnects nobody."""

from datetime import datetime, timedelta

import pytest

from agents import store
from agents.models import AgentStatus
from telflo.base import clock
from telflo.base.measures import sample
from telflo.system.listening import listening_since
from telflo.system.values import Process
from telflo.tasks import sweep_statuses
from tests.factories import at, make_agent, make_patch, status_of
from tests.system.rows import make_process

BACK, LAG = "telflo_process_back_seconds", "telflo_opamp_buffer_lag_seconds"


def process(
    kind: str = "gateway", silent_s: float = 1, back_s: float | None = None, lag_s: float = 0
) -> Process:
    numbers = {LAG: [sample(lag_s)]} | ({} if back_s is None else {BACK: [sample(back_s)]})
    return Process(kind, "box", 1, "1", at(0), at(0), silent_s, 0, numbers)


def lived(
    since_s: float, until_s: float = 999, *, host: str = "box", clock_s: float = 0
) -> Process:
    """A gateway that began by its own clock at since_s and wrote last at until_s by the database's, at 1000."""
    began, wrote = at(since_s), at(until_s)
    return Process("gateway", host, 1, "1", began, wrote, 1000 - until_s, clock_s, {})


class TestListening:
    @pytest.mark.parametrize(
        ("processes", "heard_s"),
        [
            ([], None),
            ([process("worker", back_s=3)], None),
            ([process()], None),
            ([process(lag_s=4)], None),
            ([process(back_s=40), process(back_s=400)], 41),
            ([process(), process(lag_s=11)], 0),
            ([process(), process("web", silent_s=60)], 0),
            ([process(), process("web", silent_s=400)], None),
            ([process("web", silent_s=400), process("worker")], 0),
            ([process(), process("worker", silent_s=60, back_s=3)], None),
        ],
        ids=[
            "nobody reports",
            "only a worker was cut off",
            "all is well",
            "a little late",
            "two came back",
            "one cannot store",
            "one may be cut off",
            "one was killed",
            "nobody is back yet",
            "the worker is cut off",
        ],
    )
    def test_since_when_it_is_complete(
        self, processes: list[Process], heard_s: float | None
    ) -> None:
        expected = None if heard_s is None else at(1000 - heard_s)
        assert listening_since(processes, at(1000)) == expected

    @pytest.mark.parametrize(
        ("processes", "heard_s"),
        [
            ([lived(-900, 950), lived(955)], None),
            ([lived(-900, 950), lived(970)], 30),
            ([lived(-900, 940), lived(945, 950), lived(955, 970), lived(975)], None),
            ([lived(-900, 950), lived(-900, 950), lived(955)], 0),
            ([lived(-900, 950), lived(-900)], 0),
            ([lived(-900, 950), lived(955, host="other")], 0),
            ([lived(-900, 950), lived(955, 970)], 0),
            ([lived(-900, 950), lived(1015, clock_s=60)], None),
        ],
        ids=[
            "another took its place at once",
            "another took its place later",
            "it dies again and again",
            "one was started anew, one hangs",
            "the others are older",
            "another machine's",
            "nobody took the place of the last",
            "its clock is ahead",
        ],
    )
    def test_one_whose_place_was_taken_is_not_waited_for(
        self, processes: list[Process], heard_s: float | None
    ) -> None:
        expected = None if heard_s is None else at(1000 - heard_s)
        assert listening_since(processes, at(1000)) == expected


@pytest.mark.django_db
class TestSweep:
    def test_silence_before_an_outages_end_does_not_count(self) -> None:
        agent = make_agent()
        assert store.sweep(at(200), listening_since=at(150)) == 0
        assert store.sweep(at(255), listening_since=at(150)) == 0
        assert store.sweep(at(256), listening_since=at(150)) == 1
        assert status_of(agent).status == "disconnected"

    def test_one_that_was_long_gone_becomes_stale_all_the_same(self) -> None:
        agent = make_agent()
        store.apply([make_patch(agent, now=at(1), disconnected_at=at(1))])
        assert store.sweep(at(90_000), listening_since=at(90_000)) == 1
        assert status_of(agent).status == "stale"

    @pytest.mark.rule("D2")
    def test_the_first_sweep_after_an_outage_leaves_the_connected_connected(self) -> None:
        """The worker is quicker than the gateway, whose buffer holds what the collector said meanwhile."""
        _heard_before(clock.now() - timedelta(seconds=150))
        gateway = make_process(kind="gateway", silent_s=120)
        assert sweep_statuses() == 0
        gateway.seen_at = clock.now()
        gateway.numbers = {BACK: [sample(3.0)]}
        gateway.save()
        assert sweep_statuses() == 0
        gateway.numbers = {BACK: [sample(130.0)]}
        gateway.save()
        assert sweep_statuses() == 1

    def test_a_worker_that_was_cut_off_alone_judges_at_once(self) -> None:
        _heard_before(clock.now() - timedelta(seconds=150))
        make_process(kind="gateway")
        make_process(kind="worker", pid=2, silent_s=120)
        assert sweep_statuses() == 1


def _heard_before(moment: datetime) -> None:
    agent = make_agent()
    AgentStatus.objects.filter(pk=agent.instance_uid).update(last_seen_at=moment)
