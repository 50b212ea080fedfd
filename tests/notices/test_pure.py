"""Bodies, signatures, pauses between tries, and where webhooks may go."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from ipaddress import ip_address, ip_network
from uuid import UUID

import pytest

from fleets.rollouts.plan import State
from fleets.rollouts.telling import Subject, data_of, telling_of
from notices import message, retrying, signing
from notices.kinds import LOOKS, ROLLOUT_KINDS, Kind
from notices.message import Message
from notices.targets import BadUrl, check_address, check_url, shown_url
from tests.factories import at

ID = UUID("01890000-0000-7000-8000-000000000001")
TOLD = Message(ID, "rollout.paused", at(), "A & B <c>", "why\nso", "https://t/x", {"n": 1})


class TestBodies:
    def test_the_standard_body_has_type_time_and_data(self) -> None:
        assert json.loads(message.standard_body(TOLD)) == {
            "type": "rollout.paused",
            "timestamp": "2026-11-22T12:00:00Z",
            "data": {"title": "A & B <c>", "text": "why\nso", "url": "https://t/x", "n": 1},
        }

    def test_slacks_marks_are_escaped(self) -> None:
        said = json.loads(message.slack_body(TOLD))
        assert said == {"text": "*A &amp; B &lt;c&gt;*\nwhy\nso\nhttps://t/x"}

    def test_an_empty_part_leaves_no_empty_line(self) -> None:
        said = json.loads(message.slack_body(Message(ID, "test", at(), "t")))
        assert said == {"text": "*t*"}

    def test_a_subject_is_one_short_line(self) -> None:
        line = message.subject(Message(ID, "test", at(), "a\r\nBcc: x@y\n" + "b" * 300))
        assert line.startswith("a Bcc: x@y b")
        assert len(line) == 150

    def test_a_mail_says_where_it_comes_from(self) -> None:
        text = message.mail_text(TOLD, why="because")
        assert text == "A & B <c>\n\nwhy\nso\n\nhttps://t/x\n\n-- \nbecause\n"


class TestSignatures:
    def test_each_secret_signs_id_time_and_body(self) -> None:
        keys = [b"a" * 32, b"b" * 32]
        headers = signing.headers_of(map(signing.secret_of, keys), "msg_1", at(), b"{}")
        assert headers["webhook-id"] == "msg_1"
        assert headers["webhook-timestamp"] == str(int(at().timestamp()))
        signed = f"msg_1.{headers['webhook-timestamp']}.{{}}".encode()
        expected = [
            "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            for key in keys
        ]
        assert headers["webhook-signature"].split(" ") == expected

    def test_the_specifications_own_example(self) -> None:
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        made = signing._signature(
            secret, b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
        )
        assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


class TestRetrying:
    def test_it_goes_on_for_most_of_a_day_with_longer_pauses(self) -> None:
        pauses = [retrying.next_try(tries, chance=0.5) for tries in range(1, 11)]
        lengths = [pause for pause in pauses if pause]
        assert len(lengths) == 10
        assert lengths == sorted(lengths)
        assert timedelta(hours=18) < sum(lengths, timedelta()) < timedelta(hours=26)
        assert retrying.next_try(11, chance=0.5) is None

    def test_chance_spreads_them(self) -> None:
        early, late = retrying.next_try(1, chance=0), retrying.next_try(1, chance=1)
        assert (early, late) == (timedelta(seconds=8), timedelta(seconds=12))

    def test_a_receiver_may_ask_for_more_time_within_reason(self) -> None:
        hour = timedelta(hours=1)
        assert retrying.next_try(1, chance=0.5, wanted=hour) == hour
        assert retrying.next_try(1, chance=0.5, wanted=timedelta(days=9)) == timedelta(hours=6)
        assert retrying.next_try(9, chance=0.5, wanted=hour) == timedelta(hours=6)

    def test_it_is_given_up_when_much_failed_for_long(self) -> None:
        long_ago = at() - timedelta(hours=20)
        assert retrying.is_hopeless(10, long_ago, at())
        assert not retrying.is_hopeless(9, long_ago, at())
        assert not retrying.is_hopeless(500, at() - timedelta(hours=19), at())
        assert not retrying.is_hopeless(10, None, at())


INSIDE = [
    *("127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.1", "255.255.255.255"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::"),
    *("2001:0:4136:e378:8000:63bf:f5ff:fffe", "fec0::1", "3fff::1", "240.0.0.1", "::7f00:1"),
]  # fmt: skip


class TestTargets:
    @pytest.mark.parametrize("text", INSIDE)
    def test_the_inside_is_refused(self, text: str) -> None:
        with pytest.raises(BadUrl, match="TELFLO_WEBHOOK_ALLOW"):
            check_address(ip_address(text), [], is_plain=False)

    @pytest.mark.parametrize(
        "text", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e"]
    )
    def test_the_outside_is_not_but_by_https_alone(self, text: str) -> None:
        check_address(ip_address(text), [], is_plain=False)
        with pytest.raises(BadUrl, match="Use https"):
            check_address(ip_address(text), [], is_plain=True)

    def test_a_setting_allows_networks_of_the_inside(self) -> None:
        allowed = [ip_network("10.1.0.0/16"), ip_network("fd00::/8")]
        check_address(ip_address("10.1.2.3"), allowed, is_plain=True)
        check_address(ip_address("::ffff:10.1.2.3"), allowed, is_plain=True)
        check_address(ip_address("fd00::1"), allowed, is_plain=True)
        with pytest.raises(BadUrl):
            check_address(ip_address("10.2.0.1"), allowed, is_plain=False)

    @pytest.mark.parametrize(
        "url",
        [
            *("", "x", "ftp://a/", "https://", "https:///x", "file:///etc/passwd", "https://a:99999/"),
            *("https://u:p@a/", "https://a/#x", "https://ä/", "https://a/ b", "https://[::1", "https://a\n/"),
            *("https://127.0.0.1/", "https://[::1]/", "http://8.8.8.8/", "https://a/" + "x" * 1000),
            *("http://example.com/", "http://localhost:9000/"),
        ],
    )  # fmt: skip
    def test_what_is_no_address_of_a_receiver_is_refused(self, url: str) -> None:
        with pytest.raises(BadUrl):
            check_url(url, [])

    def test_http_to_a_name_needs_a_network_that_is_allowed(self) -> None:
        with pytest.raises(BadUrl, match="Use https: with http"):
            check_url("http://hooks.corp/", [])
        allowed = [ip_network("10.1.0.0/16")]
        assert check_url("http://hooks.corp/", allowed) == "http://hooks.corp/"
        with pytest.raises(BadUrl, match="Use https: with http"):
            check_url("http://8.8.8.8/", allowed)

    def test_an_address_is_shown_without_what_may_be_secret(self) -> None:
        assert shown_url("https://a:8443/x?key=1", is_secret=False) == "https://a:8443/x?…"
        assert shown_url("https://hooks.example/T0/B0/s3cret", is_secret=True) == (
            "https://hooks.example/…"
        )


def subject(**targets: int) -> Subject:
    return Subject(ID, 7, "edge", 4, ID, "edge-eu", "Edge EU", targets)


class TestRollouts:
    @pytest.mark.parametrize(
        ("state", "targets", "title", "text"),
        [
            ("paused", {"failed": 2, "succeeded": 1}, "is paused", "Why. 1 collector has it. 2 collectors failed."),
            ("rolling_back", {"failed": 1}, "is being taken back", "Why. 0 collectors have it. 1 collector failed."),
            ("rolled_back", {"reverted": 3}, "was taken back", "Why. 3 collectors back on the version before."),
            ("rolled_back", {"reverted": 3, "revert_failed": 1}, "was taken back",
             "Why. 3 collectors back on the version before. 1 collector did not go back."),
            ("succeeded", {"succeeded": 1200, "pending_offline": 2}, "succeeded",
             "1,200 collectors have it. 2 collectors offline, to follow."),
            ("cancelled", {"succeeded": 2, "waiting": 9}, "was cancelled", "Why. 2 collectors have it."),
        ],
    )  # fmt: skip
    def test_a_state_is_told_with_its_numbers(
        self, state: str, targets: dict[str, int], title: str, text: str
    ) -> None:
        told = telling_of(State(state), "Why.", subject(**targets))
        assert told is not None
        assert told.kind == f"rollout.{state}"
        assert told.title == f"Rollout #7 of edge v4 to Edge EU {title}"
        assert told.text == text

    @pytest.mark.parametrize("state", ["pending", "running", "baking", "superseded"])
    def test_other_states_are_not(self, state: str) -> None:
        assert telling_of(State(state), "", subject(waiting=1)) is None

    def test_nor_is_a_rollout_without_collectors(self) -> None:
        assert telling_of(State.SUCCEEDED, "", subject()) is None

    def test_programs_get_the_same_as_values(self) -> None:
        data = data_of(State.PAUSED, "why", subject(failed=1))
        assert data["rollout"] == {"id": str(ID), "number": 7, "state": "paused", "reason": "why"}
        assert data["version"] == {"configuration": "edge", "number": 4}
        assert data["fleet"]["slug"] == "edge-eu"
        assert data["targets"] == {"failed": 1}


def test_every_kind_has_a_look_and_rollouts_are_chosen_by_name() -> None:
    assert set(LOOKS) == set(Kind)
    assert set(ROLLOUT_KINDS) == {kind for kind in Kind if kind.startswith("rollout")}
