"""Every code of the activity log has words, and pages show them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from telflo.base.activity import record
from telflo.base.deeds import DEEDS, codes_said_with, deed_of
from tests.factories import TESTER, make_fleet, make_person, make_token

ROOT = Path(__file__).resolve().parents[2]


def _codes(call: ast.Call) -> Iterator[str]:
    """The codes that a call of `record` may write: its `action`, or both of a choice."""
    for keyword in call.keywords:
        if keyword.arg == "action":
            choice = keyword.value
            for value in (
                [choice.body, choice.orelse] if isinstance(choice, ast.IfExp) else [choice]
            ):
                assert isinstance(value, ast.Constant), f"line {call.lineno}: write the code out"
                yield str(value.value)


def _recorded() -> set[str]:
    found: set[str] = set()
    for app in ("telflo", "notices", "configs", "agents", "fleets", "opamp"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and "record" in _called(node):
                    found.update(_codes(node))
    return found


def _called(call: ast.Call) -> set[str]:
    """The last name of what is called, and of what a partial() will call."""
    called = [call.func, *call.args[:1]] if ast.unparse(call.func) == "partial" else [call.func]
    return {ast.unparse(one).split(".")[-1] for one in called}


def test_the_table_holds_exactly_the_codes_that_are_recorded() -> None:
    assert set(DEEDS) == _recorded()


def test_an_old_code_is_told_by_its_parts() -> None:
    assert deed_of("agent.blow_up").title == "Agent: blow up"


def test_people_find_what_they_read() -> None:
    assert codes_said_with("token rot") == ["token.rotate"]


@pytest.mark.django_db
def test_the_pages_show_words_with_the_code_as_a_title() -> None:
    client = Client()
    client.force_login(make_person())
    fleet = make_fleet(name="edge")
    record(actor=TESTER, action="token.rotate", obj=make_token(fleet=fleet).token)
    for path in ("/activity/?q=Token+rotated", "/fleets/edge/activity/"):
        html = client.get(path).content.decode()
        assert '<td class="wrapx" title="token.rotate">Token rotated<' in html
        assert "<code>token.rotate" not in html
    assert "Token issued" not in client.get("/activity/?q=Token+rotated").content.decode()
