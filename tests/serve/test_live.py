"""/ws/live/: signed-in people hear what changed, at most once a second and topic."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from telflo.base.hints import UI
from telflo.base.models import User
from telflo.live import TOPIC, LiveConsumer, has_session
from tests.factories import make_person

# Channels looks after database connections of the thread, also where nothing is read.
pytestmark = pytest.mark.django_db
FLEET = f"fleet:{uuid4()}"


def page(user: Any) -> WebsocketCommunicator:
    made = WebsocketCommunicator(LiveConsumer.as_asgi(), "/ws/live/")
    made.scope["user"] = user
    return made


async def touch(*topics: str) -> None:
    layer = get_channel_layer()
    assert layer is not None
    await layer.group_send(UI, {"type": "touch", "topics": list(topics)})


@pytest.fixture(autouse=True)
def _own_layer() -> Iterator[None]:
    """The layer in memory belongs to the loop of one test."""
    before = channel_layers.set("default", InMemoryChannelLayer())
    yield
    channel_layers.set("default", before or InMemoryChannelLayer())


@pytest.fixture
def person() -> User:
    return User(username="viewer", is_active=True)


async def test_nobody_else_may_listen() -> None:
    accepted, _ = await page(AnonymousUser()).connect()
    assert not accepted


async def test_a_page_hears_of_its_topics_alone(person: User) -> None:
    socket = page(person)
    await socket.connect()
    await socket.send_to(text_data=json.dumps({"subscribe": [FLEET]}))
    assert await socket.receive_nothing(timeout=0.05)
    await touch("overview", FLEET)
    assert await socket.receive_json_from() == {"topic": FLEET, "seq": 1}
    assert await socket.receive_nothing(timeout=0.05)
    await socket.disconnect()


async def test_many_changes_become_one_message_a_second(
    person: User,
) -> None:
    socket = page(person)
    await socket.connect()
    await socket.send_to(text_data=json.dumps({"subscribe": ["agents"]}))
    assert await socket.receive_nothing(timeout=0.05)
    for _ in range(20):
        await touch("agents")
    assert (await socket.receive_json_from(timeout=20))["seq"] == 1
    assert (await socket.receive_json_from(timeout=20))["seq"] == 2
    assert await socket.receive_nothing(timeout=0.2)
    await socket.disconnect()


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        '{"subscribe": "agents"}',
        '{"subscribe": ["agents", "no topic"]}',
        '{"subscribe": ["fleet:../../x"]}',
        json.dumps({"subscribe": ["agents"] * 201}),
        json.dumps({"subscribe": ["agents"], "more": "x" * 20_000}),
    ],
)
async def test_a_list_that_makes_no_sense_closes_the_socket(person: User, text: str) -> None:
    socket = page(person)
    await socket.connect()
    await socket.send_to(text_data=text)
    closed = await socket.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", 4400)


class Door:
    """Whether the person of a page may still listen, and how often that was asked."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.is_open = is_open
        self.asked = 0

    async def __call__(self, _session_key: str) -> bool:
        self.asked += 1
        return self.is_open


def guarded(person: User, door: Door) -> WebsocketCommunicator:
    made = WebsocketCommunicator(LiveConsumer.as_asgi(is_signed_in=door), "/ws/live/")
    made.scope["user"] = person
    return made


async def closing(socket: WebsocketCommunicator) -> int:
    said = await socket.receive_output()
    assert said["type"] == "websocket.close", said
    return int(said["code"])


async def test_who_may_not_see_pages_any_more_hears_nothing_more(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telflo.live.LOOK_AGAIN_S", 0)
    monkeypatch.setattr("telflo.live.EVERY_S", 0.05)
    door = Door()
    socket = guarded(person, door)
    await socket.connect()
    await socket.send_to(text_data=json.dumps({"subscribe": ["agents"]}))
    assert await socket.receive_nothing(timeout=0.05)
    await touch("agents")
    assert (await socket.receive_json_from())["topic"] == "agents"
    door.is_open = False
    await touch("agents")
    assert await closing(socket) == 4401


async def test_a_list_of_somebody_who_left_closes_the_socket(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telflo.live.LOOK_AGAIN_S", 0)
    socket = guarded(person, Door(is_open=False))
    await socket.connect()
    await socket.send_to(text_data=json.dumps({"subscribe": ["agents"]}))
    assert await closing(socket) == 4401


async def test_the_person_is_not_looked_up_for_every_message(person: User) -> None:
    door = Door(is_open=False)
    socket = guarded(person, door)
    await socket.connect()
    await socket.send_to(text_data=json.dumps({"subscribe": ["agents"]}))
    assert await socket.receive_nothing(timeout=0.05)
    await touch("agents")
    assert (await socket.receive_json_from())["topic"] == "agents"
    assert not door.asked
    await socket.disconnect()


@pytest.mark.parametrize("end", ["disable", "sign out", "password", "unknown"])
def test_a_session_ends_with_its_person_its_password_and_signing_out(end: str) -> None:
    person = make_person(password="a password of some length")
    client = Client()
    client.force_login(person)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert has_session(key)
    if end == "disable":
        person.is_active = False
    elif end == "password":
        person.set_password("four words in a row")
    elif end == "sign out":
        client.logout()
    person.save()
    assert not has_session("nothing" if end == "unknown" else key)


def test_every_topic_that_a_page_asks_for_is_one() -> None:
    """One that is not known ends the connection, and nothing on the page is live."""
    templates = Path(__file__).parents[2] / "templates"
    asked = [
        topic
        for template in templates.rglob("*.html")
        if template.parent.name != "cotton"
        for value in re.findall(r'data-live="([^"]*)"', template.read_text("utf-8"))
        for topic in re.sub(r"\{%.*?%\}", " ", re.sub(r"\{\{.*?\}\}", str(uuid4()), value)).split()
    ]
    assert len(asked) > 20
    assert [topic for topic in asked if not TOPIC.fullmatch(topic)] == []
