"""The activity log's door, and log lines without secrets."""

import json
import logging
import re
import sys
from typing import Any
from unittest.mock import AsyncMock
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from telflo.base import logs
from telflo.base.activity import Actor, actor_of, record
from telflo.base.logs import JsonFormatter, TextFormatter
from telflo.base.models import Activity
from telflo.base.observed import Observed
from tests.factories import TESTER, make_api_token, make_configuration, make_fleet, make_person


@pytest.mark.django_db
class TestActivity:
    def test_before_and_after_are_masked(self) -> None:
        record(
            actor=TESTER,
            action="x.y",
            obj=make_configuration(name="edge"),
            before={"token": "hunter2"},
            after={"url": "https://u:hunter2@h/"},
        )
        activity = Activity.objects.get()
        assert "hunter2" not in str(activity.before) + str(activity.after)
        assert (activity.object_type, activity.object_label) == ("configuration", "edge")

    def test_a_fleet_and_what_belongs_to_it_are_found_by_fleet(self) -> None:
        fleet = make_fleet()
        record(actor=TESTER, action="fleet.look", obj=fleet)
        assert Activity.objects.get().fleet_id == fleet.pk

    def test_each_kind_of_actor_is_named(self) -> None:
        issued = make_api_token(user=make_person(username="ada"))
        user = issued.token.user
        actors = [
            Actor.person(user),
            Actor.api_token(user, issued.token),
            Actor.worker("sweep"),
            Actor.token("edge, tlf_e_ab12"),
        ]
        assert [(actor.kind.value, actor.label) for actor in actors] == [
            ("person", "ada"),
            ("api_token", "test (token of ada)"),
            ("worker", "sweep"),
            ("token", "edge, tlf_e_ab12"),
        ]

    def test_the_actor_of_a_request_is_its_person_and_nobody_is_an_error(self) -> None:
        request = RequestFactory().get("/")
        request.user = make_person(username="ada")
        assert actor_of(request).label == "ada"
        request.user = AnonymousUser()
        with pytest.raises(TypeError):
            actor_of(request)


def logged(message: str, *args: object, **more: object) -> logging.LogRecord:
    found = logging.LogRecord("telflo.x", logging.WARNING, __file__, 1, message, args, None)
    vars(found).update(more)
    return found


class TestLogs:
    def test_a_line_is_json_with_its_extra_fields(self) -> None:
        line = json.loads(JsonFormatter().format(logged("saw %s", "ä", fleet="edge")))
        assert (line["message"], line["level"], line["logger"]) == ("saw ä", "warning", "telflo.x")
        assert line["fleet"] == "edge"
        assert line["time"].endswith("+00:00")

    def test_credentials_are_masked_in_message_fields_and_traceback(self) -> None:
        found = logged("Authorization: Bearer %s", "tlf_u_hunter2hunter2", token="hunter2")
        try:
            raise ValueError("https://u:hunter2@host/")  # noqa: TRY301 - a traceback is wanted
        except ValueError:
            found.exc_info = sys.exc_info()
        assert "hunter2" not in JsonFormatter().format(found)

    def test_plain_lines_are_masked_too(self) -> None:
        found = logged("Authorization: Bearer %s", "tlf_u_hunter2hunter2")
        assert "hunter2" not in TextFormatter("%(message)s").format(found)

    def test_a_line_says_which_process_wrote_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(logs, "_part", [])
        logs.speak_as("worker")
        found = logged("x")
        assert json.loads(JsonFormatter().format(found))["process"] == f"worker:{found.process}"

    def test_a_line_carries_what_the_work_is_about(self) -> None:
        with logs.about(request="0190aa"), logs.about(task="sweep"):
            line = json.loads(JsonFormatter().format(logged("x")))
            text = TextFormatter("%(message)s").format(logged("x"))
        assert (line["request"], line["task"]) == ("0190aa", "sweep")
        assert text == "x [request=0190aa task=sweep]"
        after = json.loads(JsonFormatter().format(logged("x")))
        assert after.get("request") != "0190aa"
        assert "task" not in after

    def test_a_gateways_line_names_the_collector(self) -> None:
        uid = uuid4()
        found = logging.LogRecord("opamp.gateway", 30, __file__, 1, "%s left", (uid,), None)
        assert json.loads(JsonFormatter().format(found))["agent"] == str(uid)
        other = logging.LogRecord("fleets.tasks", 30, __file__, 1, "%s", (uuid4(),), None)
        assert "agent" not in json.loads(JsonFormatter().format(other))

    def test_a_value_that_is_no_json_is_masked_too(self) -> None:
        request = RequestFactory().get("/install/BeV5nKnyFoocdEiVAb04gU")
        line = JsonFormatter().format(logged("x", seen=request, request=request))
        assert "/install/" in line
        assert "BeV5nKny" not in line


class TestRequests:
    async def answer(self, **headers: str) -> tuple[str, str]:
        """What a line of the request says, and what the answer says."""
        lines: list[str] = []
        sent: list[Any] = []

        async def page(_scope: Any, _receive: Any, send: Any) -> None:
            lines.append(JsonFormatter().format(logged("at work")))
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def send(event: Any) -> None:
            sent.append(event)

        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "GET", "path": "/", "headers": pairs}
        await Observed(page)(scope, None, send)
        return json.loads(lines[0])["request"], dict(sent[0]["headers"])[b"x-request-id"].decode()

    async def test_a_request_has_an_id_in_its_lines_and_in_its_answer(self) -> None:
        in_log, in_answer = await self.answer()
        assert in_log == in_answer
        assert len(in_log) == 12
        assert in_log != (await self.answer())[0]

    async def test_the_proxys_id_is_taken_when_it_is_one(self) -> None:
        assert await self.answer(**{"x-request-id": "7f3a-91c2-00"}) == ("7f3a-91c2-00",) * 2
        for wrong in ("short", "x" * 65, "a b c d e f g", 'quote"quote"', "line\nline"):
            assert (await self.answer(**{"x-request-id": wrong}))[0] != wrong

    async def test_requests_are_counted_by_class_of_status(self) -> None:
        observed = Observed(answering(404))

        async def send(_event: Any) -> None: ...

        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        await observed(scope, None, send)
        assert observed.numbers()["telflo_http_requests"] == [[{"status": "4xx"}, 1]]

    async def test_what_is_no_request_passes_through(self) -> None:
        seen = []

        async def other(scope: Any, _receive: Any, _send: Any) -> None:
            seen.append(scope["type"])

        await Observed(other)({"type": "lifespan"}, None, AsyncMock())
        assert seen == ["lifespan"]


def answering(status: int) -> Any:
    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status})

    return application


@pytest.mark.django_db
def test_the_page_of_a_failure_names_the_reference_of_its_lines(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ValueError("what nobody expected")

    monkeypatch.setattr("telflo.home.views.read_numbers", broken)
    make_fleet()
    client = Client(raise_request_exception=False)
    client.force_login(make_person())
    formatted: list[str] = []
    handler = Keeping(formatted)
    logging.getLogger().addHandler(handler)
    try:
        with logs.about():
            response = client.get("/")
    finally:
        logging.getLogger().removeHandler(handler)
    assert response.status_code == 500
    [reference] = re.findall(r"Reference <code>(\w+)</code>", response.content.decode())
    [line] = [text for text in formatted if "what nobody expected" in text]
    assert json.loads(line)["request"] == reference


class Keeping(logging.Handler):
    """Keeps lines as the log would have them, made where they are logged."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
