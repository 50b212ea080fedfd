"""From options to agents: the same seed gives the same agents, and measures are what they say."""

import random
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter

import pytest
from django.core.management import CommandError, call_command

from opamp.simulator.behaviour import Quirk
from opamp.simulator.measures import Histogram, Measures
from opamp.simulator.options import add_options, amount, plan_of
from opamp.simulator.plan import Amount, Plan, backoff, parts
from opamp.simulator.schedule import Schedule


def planned(*arguments: str) -> Plan:
    parser = ArgumentParser()
    add_options(parser)
    required = ["--url", "ws://127.0.0.1:1/v1/opamp", "--token", "a", "--count", "100"]
    return plan_of(vars(parser.parse_args([*required, *arguments])))


def test_the_same_seed_gives_the_same_agents_and_another_seed_others() -> None:
    first, again, other = (
        [(part.agent.uid, part.agent.host) for part in parts(planned("--seed", seed))]
        for seed in ("1", "1", "2")
    )
    assert first == again
    assert not {uid for uid, _ in first} & {uid for uid, _ in other}
    assert len({uid for uid, _ in first}) == 100
    assert all(uid.version == 7 for uid, _ in first)


def test_hosts_vary_as_in_real_fleets() -> None:
    hosts = [part.agent.host for part in parts(planned("--attribute", "site=ams"))]
    assert {host.version for host in hosts} == {"0.149.0", "0.158.0"}
    assert {host.arch for host in hosts} == {"amd64", "arm64"}
    assert {host.os_type for host in hosts} == {"linux", "windows"}
    assert len({host.attributes["cloud.availability_zone"] for host in hosts}) > 2
    assert {host.attributes["site"] for host in hosts} == {"ams"}


def test_amounts_are_numbers_or_shares() -> None:
    assert amount("50").of(200) == 50
    assert amount("0.02").of(200) == 4
    assert amount("2%").of(200) == 4
    assert amount("500").of(200) == 200
    for wrong in ("many", "-1", "200%", "nan"):
        with pytest.raises(ArgumentTypeError, match="neither a number"):
            amount(wrong)


def test_every_quirk_can_be_asked_for_and_each_agent_has_one_at_most() -> None:
    wanted = [quirk for quirk in Quirk if quirk is not Quirk.NONE]
    options = [word for quirk in wanted for word in (f"--{quirk.value}", "4")]
    made = list(parts(planned(*options, "--http-share", "0.3")))
    counts = Counter(part.agent.behaviour.quirk for part in made)
    assert all(counts[quirk] == 4 for quirk in wanted)
    assert not any(part.over_http and part.agent.behaviour.quirk for part in made)
    assert sum(part.over_http for part in made)
    clones = [part.agent.uid for part in made if part.agent.behaviour.quirk is Quirk.CLONE]
    assert len(set(clones)) == 2


def test_a_marker_alone_means_all_of_them() -> None:
    def failing(*options: str) -> int:
        return sum(part.agent.behaviour.fails for part in parts(planned(*options)))

    assert failing("--fail-marker", "bad") == 100
    assert failing("--fail-marker", "bad", "--fail-share", "0.1") == 10
    assert failing("--fail-share", "5") == 5
    assert failing() == 0


def test_tokens_are_given_in_turn() -> None:
    tokens = Counter(part.token for part in parts(planned("--token", "b")))
    assert tokens == {"a": 50, "b": 50}


def test_the_backoff_grows_is_capped_and_has_jitter() -> None:
    rng = random.Random(1)
    first = [backoff(0, rng, most_s=30) for _ in range(50)]
    assert 0.25 <= min(first) < max(first) <= 0.75
    assert all(backoff(1000, rng, most_s=2) <= 2 for _ in range(50))


def test_percentiles_are_right_within_two_per_cent() -> None:
    histogram = Histogram()
    assert histogram.summary()["p99_ms"] == 0
    for milliseconds in range(1, 1001):
        histogram.add(milliseconds / 1000)
    summary = histogram.summary()
    assert summary["count"] == 1000
    assert summary["p50_ms"] == pytest.approx(500, rel=0.03)
    assert summary["p99_ms"] == pytest.approx(990, rel=0.03)
    assert summary["max_ms"] == 1000


def test_it_says_when_it_is_the_limit_itself() -> None:
    measures = Measures()
    assert measures.limit() == ""
    measures.lags.add(0.2)
    assert "ms late" in measures.limit()
    measures.busiest = 0.97
    assert "97% of a core" in measures.limit()


def test_the_schedule_keeps_order_and_takes_what_is_planned_meanwhile() -> None:
    schedule, done = Schedule(), list[str]()

    def first(now: float) -> None:
        done.append("first")
        schedule.at(now, lambda _: done.append("then"))

    schedule.at(2, lambda _: done.append("late"))
    schedule.at(1, first)
    schedule.at(1, lambda _: done.append("second"))
    for task in schedule.due(1):
        task(1)
    assert done == ["first", "second", "then"]
    assert len(schedule) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--url", "http://127.0.0.1", "--count", "1"], "ws://"),
        (["--url", "ws://127.0.0.1", "--count", "0"], "at least 1"),
        (["--url", "ws://127.0.0.1", "--count", "900000000"], "open files"),
    ],
)
def test_what_cannot_run_is_said_in_one_line(options: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words) as caught:
        call_command("simulate_agents", "--token", "x", *options)
    assert "\n" not in str(caught.value)


def test_an_amount_of_nothing_is_nobody() -> None:
    assert Amount().of(100) == 0
