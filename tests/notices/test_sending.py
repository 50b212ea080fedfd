"""A webhook's POST against a real server: where it may go, and that it ends."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from notices.sending import Answer, post
from notices.sending.bounded import resolve
from notices.targets import Address
from tests.notices.receiver import Receiver

LOOPBACK = [ip_network("127.0.0.1/32")]


def send(url: str, **more: Any) -> Answer:
    how: dict[str, Any] = {"allowed": LOOPBACK, "ca_file": "", "within_s": 5.0, **more}
    return post(url, body=b'{"a":1}', headers={"X-A": "b"}, **how)


def test_it_posts_the_body_and_the_headers(receiver: Receiver) -> None:
    assert send(receiver.url) == Answer(status=204)
    [got] = receiver.got
    assert (got.path, got.body, got.headers["X-A"]) == ("/hook", b'{"a":1}', "b")
    assert got.headers["Host"] == f"127.0.0.1:{receiver.port}"


def test_a_private_address_is_refused_before_anything_is_sent(receiver: Receiver) -> None:
    answer = send(receiver.url, allowed=[])
    assert answer.error.startswith("Refused: 127.0.0.1 is an address of the inside")
    assert receiver.got == []


@pytest.mark.parametrize("name", ["localhost", "127.1", "2130706433", "0x7f.0.0.1"])
def test_so_is_a_name_or_a_spelling_of_one(receiver: Receiver, name: str) -> None:
    answer = send(receiver.url.replace("127.0.0.1", name), allowed=[])
    assert "is an address of the inside" in answer.error
    assert receiver.got == []


def test_a_redirect_leads_nowhere(receiver: Receiver) -> None:
    receiver.answers_with(307, Location="http://169.254.169.254/latest/meta-data/")
    answer = send(receiver.url)
    assert answer.status == 307
    assert "redirects are not followed" in answer.error
    assert len(receiver.got) == 1


def test_a_name_that_answers_differently_a_moment_later_changes_nothing(receiver: Receiver) -> None:
    """DNS rebinding: the name is asked once, and what was checked is what is connected to."""
    answers: Iterator[Sequence[Address]] = iter(
        [[ip_address("127.0.0.1")], [ip_address("169.254.169.254")]]
    )
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[Address]:
        asked.append(host)
        return next(answers)

    url = receiver.url.replace("127.0.0.1", "rebind.example")
    assert send(url, resolver=rebinding).status == 204
    assert asked == ["rebind.example"]
    assert receiver.got[0].headers["Host"].startswith("rebind.example:")
    assert "169.254.169.254" in send(url, resolver=rebinding).error


def test_a_name_with_one_address_of_the_inside_is_refused(receiver: Receiver) -> None:
    both = [ip_address("127.0.0.1"), ip_address("10.0.0.1")]
    answer = send(receiver.url, resolver=lambda *_: both)
    assert "10.0.0.1" in answer.error
    assert receiver.got == []


def test_an_answer_that_drips_ends_in_time(receiver: Receiver) -> None:
    receiver.dripping.set()
    assert send(receiver.url, within_s=0.3).error == "It did not answer within 0 s."


def test_a_long_answer_is_read_no_further_than_its_beginning(receiver: Receiver) -> None:
    receiver.answers_with(500, b"password=hunter2 " + b"x" * 300_000)
    answer = send(receiver.url)
    assert (answer.status, answer.error) == (500, "It answered 500.")
    assert len(answer.text) == 200
    assert "hunter2" not in answer.text


def test_retry_after_is_heard(receiver: Receiver) -> None:
    receiver.answers_with(429, Retry_After="90")
    assert send(receiver.url).retry_after == timedelta(seconds=90)
    receiver.answers_with(503, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT")
    assert send(receiver.url).retry_after is None


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_nobody_there_and_no_tls_are_said_in_words(receiver: Receiver, scheme: str) -> None:
    url = receiver.url.replace("http:", f"{scheme}:")
    if scheme == "https":
        assert send(url).error.startswith("TLS: ")
    else:
        gone = url.replace(str(receiver.port), "1")
        assert send(gone).error.startswith("No connection: ")


def test_what_is_not_http_is_said_so(receiver: Receiver) -> None:
    receiver.answers_with(200, b"", Content_Length="not a number")
    assert send(receiver.url).error == "What it answered is not HTTP."


def test_the_systems_resolver_gives_addresses() -> None:
    assert resolve("127.0.0.1", 80) == [ip_address("127.0.0.1")]
