"""/configurations/ and /versions/."""

import pytest

from configs.models import ConfigVersion
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.api.caller import Caller, caller
from tests.factories import make_configuration, make_version

pytestmark = pytest.mark.django_db

TEXT = "receivers:\n  otlp:\nexporters:\n  otlp:\n    headers: {x-key: hunter2}\n"
PIPELINE = (
    "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {debug: }\n"
    "service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n"
)


def saved(call: Caller, text: str = TEXT, **more: str) -> dict[str, object]:
    configuration = make_configuration()
    answer = call("POST", f"configurations/{configuration.pk}/versions/", {"yaml": text, **more})
    assert answer.status == 201, answer.text
    body: dict[str, object] = answer.body
    return body


def test_a_configuration_is_made_changed_and_archived() -> None:
    call = caller(Role.EDITOR)
    made = call("POST", "configurations/", {"name": "edge", "description": "at the edge"}).body
    path = f"configurations/{made['id']}/"
    assert call("GET", path).body == made
    assert call("PATCH", path, {"name": "core"}).body["name"] == "core"
    archived = call("POST", f"{path}archive/", {"reason": "gone"}).body
    assert archived["archived_at"]
    assert call("GET", "configurations/").body["results"] == []
    assert len(call("GET", "configurations/?archived=true").body["results"]) == 1
    call("PATCH", path, {"name": "x"}).problem(409)
    assert Activity.objects.get(action="configuration.archive").reason == "gone"


def test_a_name_in_use_is_pointed_at() -> None:
    make_configuration(name="Edge")
    problem = caller()("POST", "configurations/", {"name": "edge"}).problem(422)
    assert problem["errors"][0]["pointer"] == "/name"


def test_a_version_is_saved_published_and_found_by_number() -> None:
    call = caller(Role.EDITOR)
    version = saved(call, PIPELINE, note="first", collector_version="0.158.0")
    assert (version["number"], version["state"], version["note"]) == (1, "unpublished", "first")
    anyway = {"accept_warnings": True}
    published = call("POST", f"versions/{version['id']}/publish/", anyway).body
    assert published["state"] == "published"
    call("POST", f"versions/{version['id']}/publish/", anyway).problem(409)
    configuration = published["configuration"]["id"]
    found = call("GET", f"configurations/{configuration}/versions/1/").body
    assert found["id"] == version["id"]
    listed = call("GET", f"configurations/{configuration}/versions/").body["results"]
    assert [row["number"] for row in listed] == [1]
    assert "yaml" not in listed[0]
    assert call("POST", f"versions/{version['id']}/archive/").body["state"] == "archived"


def test_text_that_cannot_be_parsed_is_422_with_its_place_and_nothing_is_saved() -> None:
    path = f"configurations/{make_configuration().pk}/versions/"
    problem = caller()("POST", path, {"yaml": "receivers:\n  a: b: c"}).problem(422)
    assert problem["errors"][0]["pointer"] == "/yaml"
    assert (problem["errors"][0]["line"], problem["errors"][0]["column"]) == (2, 7)
    assert not ConfigVersion.objects.exists()


def test_an_upload_of_20_mb_is_refused() -> None:
    path = f"configurations/{make_configuration().pk}/versions/"
    problem = caller()("POST", path, {"yaml": "a" * 20_000_000}).problem(422)
    assert "The most is 2,097,152" in problem["detail"]
    caller()("POST", path, {"yaml": "a" * 40_000_000}).problem(413)
    assert not ConfigVersion.objects.exists()


def test_text_is_redacted_and_the_raw_one_is_for_editors_and_logged() -> None:
    version = saved(caller(Role.EDITOR))
    path = f"versions/{version['id']}/"
    assert "hunter2" not in str(version)
    assert "hunter2" not in caller(Role.EDITOR)("GET", path).text
    caller(Role.OPERATOR)("GET", f"{path}?raw=1").problem(403)
    assert not Activity.objects.filter(action="version.read_raw").exists()
    raw = caller(Role.EDITOR)("GET", f"{path}?raw=1").body
    assert (raw["yaml"], raw["is_redacted"]) == (TEXT, False)
    assert Activity.objects.filter(action="version.read_raw").count() == 1


def test_a_diff_shows_that_a_secret_changed_and_not_what() -> None:
    before = make_version(yaml=TEXT)
    after = make_version(
        configuration=before.configuration, yaml=TEXT.replace("hunter2", "hunter3") + "service:\n"
    )
    call = caller(Role.VIEWER)
    diff = call("GET", f"versions/{after.pk}/diff/?against={before.pk}").body
    assert (diff["added"], diff["deleted"]) == (2, 1)
    assert "hunter" not in str(diff)
    assert "+service:" in diff["patch"]
    assert diff["before"]["number"] == 1
    call("GET", f"versions/{after.pk}/diff/?against=x").problem(400)
    call("GET", f"versions/{after.pk}/diff/").problem(400)


def test_what_is_not_there_is_404() -> None:
    call = caller()
    for path in ("configurations/x/", "versions/00000000-0000-0000-0000-000000000000/"):
        call("GET", path).problem(404)
    call("GET", f"configurations/{make_configuration().pk}/versions/9/").problem(404)
