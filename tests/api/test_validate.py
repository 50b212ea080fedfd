"""POST /validate/."""

import pytest

from telflo.base.access import Role
from telflo.base.models import TokenScope
from tests.api.caller import Caller, caller

pytestmark = pytest.mark.django_db

GOOD = """\
receivers: {otlp: {protocols: {grpc: {endpoint: "localhost:4317"}}}}
processors: {memory_limiter: {check_interval: 1s, limit_mib: 400}}
exporters: {otlp_grpc: {endpoint: "gateway:4317"}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: [otlp_grpc]}
"""


@pytest.fixture
def call() -> Caller:
    """A program of a Viewer that may only read."""
    return caller(Role.VIEWER, TokenScope.READ)


def test_what_is_right_is_valid(call: Caller) -> None:
    body = call("POST", "validate/", {"yaml": GOOD, "collector_version": "0.158.0"}).body
    assert body["valid"] is True
    assert {one["severity"] for one in body["findings"]} <= {"info"}


def test_a_finding_says_rule_place_and_how_to_mend_it(call: Caller) -> None:
    text = GOOD.replace("[memory_limiter], exporters", "[memory_limter], exporters")
    body = call("POST", "validate/", {"yaml": text}).body
    assert body["valid"] is False
    found = next(one for one in body["findings"] if one["rule"] == "G07")
    assert found["severity"] == "error"
    assert found["path"] == ["service", "pipelines", "traces", "processors", 0]
    assert (found["line"], found["column"]) == (6, 46)
    assert found["end_column"] == 46 + len("memory_limter")
    assert found["doc_url"].startswith("https://")
    (edit,) = found["fixes"][0]["edits"]
    assert set(edit) == {"start", "end", "text"}
    mended = text[: edit["start"]] + edit["text"] + text[edit["end"] :]
    assert call("POST", "validate/", {"yaml": mended}).body["valid"] is True


@pytest.mark.parametrize("start", ["", "\ufeff", "# ä 🙂\r\n"])
def test_offsets_count_characters_of_the_text_as_it_was_sent(call: Caller, start: str) -> None:
    text = start + GOOD.replace("traces:", "trace:")
    found = call("POST", "validate/", {"yaml": text}).body["findings"]
    fix = next(one for one in found if one["rule"] == "P07")["fixes"][0]
    mended = text
    for edit in sorted(fix["edits"], key=lambda one: -one["start"]):
        mended = mended[: edit["start"]] + edit["text"] + mended[edit["end"] :]
    assert mended == start + GOOD


def test_a_mark_at_the_start_moves_the_first_line_alone(call: Caller) -> None:
    for text, column in (("recievers: {}\n", 1), ("\ufeffrecievers: {}\n", 2)):
        found = call("POST", "validate/", {"yaml": text}).body["findings"]
        assert found[0]["column"] == column


def test_what_cannot_be_read_is_a_finding_too(call: Caller) -> None:
    for text, rule in (("receivers: [", "P01"), ("", "G01"), ("a" * 3_000_000, "P01")):
        body = call("POST", "validate/", {"yaml": text}).body
        assert (body["valid"], body["findings"][0]["rule"]) == (False, rule)
    assert "The most is 2,097,152" in body["findings"][0]["message"]


def test_what_is_sent_wrongly_is_refused(call: Caller) -> None:
    call("POST", "validate/", {"yaml": "a" * 40_000_000}).problem(413)
    call("POST", "validate/", {}).problem(400)
    call("POST", "validate/", {"yaml": "", "version": "1"}).problem(400)
    problem = call("POST", "validate/", {"yaml": "", "collector_version": "new"}).problem(422)
    assert problem["errors"][0]["pointer"] == "/collector_version"


def test_no_finding_says_a_secret(call: Caller) -> None:
    text = "exporters:\n  otlp_http: {compression: hunter2hunter2, headers: {api-key: hunter2hunter2}}\n"
    answer = call("POST", "validate/", {"yaml": text})
    assert answer.body["findings"]
    assert "hunter2" not in answer.text
