"""Errors of one cause are one cluster, and what those that failed share is found."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleets.rollouts.clusters import Failure, clusters, contrasts, pattern_of

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Agent process PID=9855 exited unexpectedly, exit code=1.",
            "Agent process PID=71 exited unexpectedly, exit code=1.",
        ),
        (
            "listen tcp 0.0.0.0:4317: bind: address already in use",
            "listen tcp 10.1.2.3:4318: bind: address already in use",
        ),
        ("dial tcp [fe80::1]:4317: refused", "dial tcp [2001:db8::7]:55: refused"),
        ("open /etc/otel/a.pem: no such file", "open /var/lib/b.pem: no such file"),
        (
            "timeout after 1.5s at 2026-01-05T12:00:00Z",
            "timeout after 30s at 2026-02-01 01:02:03.4+01:00",
        ),
        (
            "id 01a2168d-1c2f-7c11-8f0a-1234567890ab is taken",
            "id 019e9374-c31b-7974-8844-6a0898ceb485 is taken",
        ),
        ("hash deadbeef00112233 differs", "hash 00aa11bb22cc33dd44 differs"),
        (
            'unknown type: "tail_sampling" for id: "x" (valid values: [batch memory_limiter filter])',
            'unknown type: "tail_sampling" for id: "x" (valid values: [filter batch memory_limiter])',
        ),
        ("a [b, c,d]", "a [d, b, c]"),
        (r"open C:\ProgramData\otel\a.pem: no", r"open D:\Program Files\Otel 2\b.pem: no"),
        (r'open "C:\\otel\\a.pem": no', r'open "C:\\b.pem": no'),
        (r"open \\files-1\share\a.pem: no", r"open \\files-2\b\c.pem: no"),
        ("open C:/otel/a.pem: no", "open C:/b.pem: no"),
        ("open /a.pem: no", "open /etc/otel/b.pem: no"),
        ("open ./conf/a.yaml: no", "open ../b.yaml: no"),
        ("dial tcp fe80::1%eth0: refused", "dial tcp 2001:db8:0:1:2:3:4:5: refused"),
        ("bind ::1:4317: in use", "bind ::ffff:10.1.2.3:43170: in use"),
        ("retry in 3m20s", "retry in 1m2.5s"),
        ("retry in 1h0m0s", "retry in 250ms"),
        ("pid=12ab died", "pid=9 died"),
        ("pid=ab12 died", "pid=7f died"),
    ],
)
def test_one_cause_is_one_pattern(one: str, other: str) -> None:
    assert pattern_of(one) == pattern_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('unknown type: "tail_sampling"', 'unknown type: "batch2"'),
        ("exit code=1", "exit code=x"),
        ("address already in use", "permission denied"),
        ('failed to create "otlp" exporter', 'failed to create "otlphttp" exporter'),
        ('failed to create "otlp/2" exporter', 'failed to create "otlp/3" exporter'),
        ("exporters::otlp/2: no host", "exporters::otlp/2b: no host"),
        ("processors::batch/2m: no", "processors::batch/3m: no"),
        ("service::pipelines::logs: no", "service::pipelines::traces: no"),
        ("exporters::file::a: no", "exporters::file::b: no"),
        ("dial tcp://gateway-a:4317", "dial tcp://gateway-b:4317"),
        (r"invalid pattern ^\d+\s", r"invalid pattern ^\w+\s"),
        ("use https", "use http"),
        ("expected map", "expected 2"),
    ],
)
def test_other_causes_are_others(one: str, other: str) -> None:
    assert pattern_of(one) != pattern_of(other)


@given(st.text(max_size=300))
def test_a_pattern_is_its_own_pattern(text: str) -> None:
    once = pattern_of(text)
    assert pattern_of(once) == once


def failure(number: int, error: str, minute: int = 0) -> Failure:
    return Failure(UUID(int=number), error, NOON + timedelta(minutes=minute))


def test_the_largest_cluster_comes_first_with_a_whole_example_and_its_times() -> None:
    rare = failure(1, "permission denied")
    often = [failure(n, f"PID={n} died", minute=n) for n in (4, 2, 3)]
    first, second = clusters([rare, *often])
    assert (first.count, first.example) == (3, "PID=2 died")
    assert (first.first_at, first.last_at) == (often[1].at, often[0].at)
    assert first.uids == (UUID(int=2), UUID(int=3), UUID(int=4))
    assert (second.count, second.pattern) == (1, "permission denied")


def host(number: int, **traits: str) -> dict[str, str]:
    return {"host.name": f"host-{number}", **traits}


class TestContrasts:
    def test_what_all_that_failed_share_and_nobody_else_has_comes_first(self) -> None:
        failed = [host(n, image="v2", os="linux", zone="a") for n in range(4)]
        others = [host(n, image="v1", os="linux", zone="ab"[n % 2]) for n in range(4, 12)]
        first, *rest = contrasts(failed, others)
        assert (first.key, first.value, first.gap) == ("image", "v2", 1.0)
        assert [one.key for one in rest] == ["zone"]
        assert (first.failed, first.of_failed, first.others, first.of_others) == (4, 4, 0, 8)

    def test_a_name_of_its_own_explains_nothing(self) -> None:
        assert contrasts([host(1), host(1)], [host(2), host(3)]) == []

    def test_one_alone_or_nobody_to_compare_with_says_nothing(self) -> None:
        assert contrasts([host(1, image="v2")], [host(2, image="v1")]) == []
        assert contrasts([host(1, image="v2"), host(2, image="v2")], []) == []

    def test_what_fewer_than_four_of_five_that_failed_share_is_no_cause(self) -> None:
        others = [host(n, image="v1") for n in range(20, 30)]
        for sharing, is_told in ((7, False), (8, True)):
            images = ["v2"] * sharing + ["v1"] * (10 - sharing)
            failed = [host(n, image=image) for n, image in enumerate(images)]
            assert bool(contrasts(failed, others)) is is_told

    def test_what_most_have_is_no_contrast(self) -> None:
        failed = [host(n, os="linux") for n in range(3)]
        assert contrasts(failed, [host(n, os="linux") for n in range(5, 9)]) == []
