"""Restart and custom messages in pages and API: only where they are accepted, and told in words."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from agents.models import Agent, AgentCommand, AgentEvent, AgentMessage, GivenUid
from agents.snapshot import Capability
from telflo.base import clock
from telflo.base.access import Role
from telflo.base.ids import new_id
from tests.api.caller import caller
from tests.factories import CAPABILITIES, make_collector, make_fleet
from tests.pages.reading import page, signed_in

pytestmark = pytest.mark.django_db

PING = "io.example.ping/1.0"


def collector(name: str = "web-1", **row: Any) -> Agent:
    """One that takes restarts and custom messages."""
    takes = int(CAPABILITIES | Capability.ACCEPTS_RESTART_COMMAND)
    about = {"capabilities": takes, "custom_capabilities": [PING]}
    return make_collector(name=name, fleet=make_fleet(), agent=about, **row)


def keep(agent: Agent, data: bytes, *, size: int = 0) -> None:
    AgentMessage.objects.create(
        agent=agent,
        at=clock.now(),
        capability=PING,
        type="pong",
        body=base64.b64encode(data).decode(),
        size=size or len(data),
    )


def follow(client: Client, path: str, data: dict[str, str] | None = None) -> str:
    response = client.post(path, data or {}, follow=True)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.rule("K1")
class TestRestart:
    def test_it_is_there_only_where_it_is_accepted_and_can_be_delivered(self) -> None:
        takes, refuses = collector(), make_collector()
        away = collector("away", status="disconnected")
        link = "/collectors/{}/restart/"
        for agent, is_there in ((takes, True), (refuses, False), (away, False)):
            html = page(f"/collectors/{agent.pk}/", role=Role.OPERATOR)
            assert (link.format(agent.pk) in html) is is_there
        assert link.format(takes.pk) not in page(f"/collectors/{takes.pk}/")

    def test_the_page_asks_and_then_says_that_it_waits(self) -> None:
        agent, client = collector(), signed_in(Role.OPERATOR)
        asked = client.get(f"/collectors/{agent.pk}/restart/").content.decode()
        assert "Restart web-1?" in asked
        html = follow(client, f"/collectors/{agent.pk}/restart/", {"reason": "stuck"})
        assert "web-1 is told to restart" in html
        assert "asked for a restart" in html
        again = follow(client, f"/collectors/{agent.pk}/restart/")
        assert "waits for its delivery already" in again
        assert AgentCommand.objects.count() == 1

    def test_what_cannot_be_is_said_in_words(self) -> None:
        agent = make_collector(name="old")
        html = follow(signed_in(Role.OPERATOR), f"/collectors/{agent.pk}/restart/")
        assert "old does not accept restarts" in html

    def test_many_at_once_and_those_that_take_none_are_left_out(self) -> None:
        agents = [collector("a"), collector("b"), make_collector(name="c")]
        data = {"do": "restart", "id": [str(agent.pk) for agent in agents], "confirmed": "1"}
        response = signed_in(Role.OPERATOR).post("/collectors/bulk/", data, follow=True)
        html = response.content.decode()
        assert "2 collectors are told to restart" in html
        assert "1 collector not told to restart: c does not accept restarts" in html

    def test_the_steps_of_a_restart_are_no_alarm(self) -> None:
        now = clock.now()
        agent = collector(health="unhealthy", restarted_at=now - timedelta(seconds=5))
        data = {"healthy": False, "status": "StatusStopping", "restarting": True}
        AgentEvent.objects.create(agent=agent, at=now, kind="health", data=data)
        assert "web-1 is unhealthy" not in page("/")
        assert "Restarting" in page(f"/collectors/{agent.pk}/timeline/")
        agent.status.restarted_at = now - timedelta(seconds=90)
        agent.status.save()
        assert "web-1 is unhealthy" in page("/")

    def test_programs_ask_too(self) -> None:
        agent, call = collector(), caller(Role.OPERATOR)
        answer = call("POST", f"agents/{agent.pk}/restart/", {"reason": "stuck"})
        assert (answer.status, answer.body["kind"]) == (202, "restart")
        assert call("POST", f"agents/{agent.pk}/restart/").problem(409)
        refused = call("POST", f"agents/{make_collector().pk}/restart/").problem(409)
        assert "accepts_restart_command: true" in refused["detail"]


@pytest.mark.rule("K2")
class TestMessages:
    def test_what_came_is_shown_as_text_without_secrets_or_as_hexadecimal(self) -> None:
        agent = collector()
        keep(agent, b'{"state": "ready", "password": "hunter22hunter22"}')
        keep(agent, b"\x00\xff\x10")
        keep(agent, "fünf".encode()[:2], size=900)
        html = page(f"/collectors/{agent.pk}/messages/")
        assert "ready" in html
        assert "hunter22" not in html
        assert "00 ff 10" in html
        assert "the first 2 of 900 bytes" in html

    def test_the_tab_is_there_where_there_is_something(self) -> None:
        agent, other = collector(), make_collector()
        assert f"/collectors/{agent.pk}/messages/" in page(f"/collectors/{agent.pk}/")
        assert f"/collectors/{other.pk}/messages/" not in page(f"/collectors/{other.pk}/")
        assert PING in page(f"/collectors/{agent.pk}/")
        assert "None announced" in page(f"/collectors/{other.pk}/messages/")

    def test_programs_read_and_send_them(self) -> None:
        agent, call = collector(), caller(Role.OPERATOR)
        keep(agent, b"\x00\x01")
        [shown] = call("GET", f"agents/{agent.pk}/messages/").body["results"]
        assert (shown["text"], shown["is_text"], shown["type"]) == ("00 01", False, "pong")
        assert call("GET", f"agents/{agent.pk}/").body["custom_capabilities"] == [PING]
        data = base64.b64encode(b"\x00\xff").decode()
        answer = call("POST", f"agents/{agent.pk}/messages/", {"capability": PING, "base64": data})
        assert answer.status == 202
        assert AgentCommand.objects.get().body == data

    @pytest.mark.parametrize(
        ("body", "status", "words"),
        [
            ({"capability": "io.example.other", "text": "x"}, 409, "did not announce"),
            ({"capability": PING, "base64": "?"}, 422, "no base64"),
            ({"capability": PING, "base64": "", "text": ""}, 422, "not both"),
            ({"capability": PING, "text": "x" * 70_000}, 422, "65536"),
            ({}, 400, "capability"),
        ],
    )
    def test_what_is_wrong_is_said(self, body: dict[str, str], status: int, words: str) -> None:
        answer = caller(Role.OPERATOR)("POST", f"agents/{collector().pk}/messages/", body)
        answer.problem(status)
        assert words in answer.text


@pytest.mark.rule("A2")
class TestCopies:
    def test_a_copied_machine_waits_for_a_person_for_a_day(self) -> None:
        agent, copy = collector(), collector("web-1 copy")
        given = GivenUid.objects.create(
            uid=copy.pk, was=agent.pk, is_clone=True, given_at=clock.now(), taken_at=clock.now()
        )
        html = page("/")
        assert "web-1 was copied with its identity" in html
        assert "1 copy of it got an instance uid of its own" in html
        assert f"/collectors/{copy.pk}/" in page(f"/collectors/{agent.pk}/")
        assert f"/collectors/{agent.pk}/" in page(f"/collectors/{copy.pk}/")
        GivenUid.objects.filter(pk=given.pk).update(given_at=clock.now() - timedelta(days=2))
        assert "was copied" not in page("/")

    def test_two_that_take_no_new_uid_wait_for_a_person(self) -> None:
        agent = collector()
        for _ in range(15):
            GivenUid.objects.create(was=agent.pk, is_clone=True, given_at=clock.now())
        assert "was copied" not in page("/")
        GivenUid.objects.create(uid=new_id(), was=agent.pk, is_clone=True, given_at=clock.now())
        assert "none takes a new one" in page("/")

    def test_the_timelines_say_it_in_words(self) -> None:
        agent, uid = collector(), new_id()
        for kind, data in (
            ("cloned", {"uid": str(uid), "address": "192.0.2.9"}),
            ("cloned_from", {"was": str(uid), "name": "web-0"}),
            ("formerly", {"was": str(uid), "name": ""}),
            ("shares_uid", {"address": "192.0.2.8"}),
        ):
            AgentEvent.objects.create(agent=agent, at=clock.now(), kind=kind, data=data)
        html = page(f"/collectors/{agent.pk}/timeline/")
        for words in (
            "the one at 192.0.2.9 used its instance uid too",
            "web-0",
            f"formerly {str(uid)[-8:]}",
            "the one at 192.0.2.8 is given new ones and takes none",
        ):
            assert words in html
