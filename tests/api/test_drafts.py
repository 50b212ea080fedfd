"""/configurations/{id}/draft/, and what else versions are made of."""

import pytest

from configs.models import Configuration, ConfigVersion, Draft, VersionState
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.api.caller import caller
from tests.factories import make_configuration, make_draft, make_version

pytestmark = pytest.mark.django_db

SECRET = "hunter2hunter2"
TEXT = f"receivers:\n  otlp:\nexporters:\n  x: {{token: {SECRET}}}\n"


def path_of(configuration: Configuration, rest: str = "") -> str:
    return f"configurations/{configuration.pk}/draft/{rest}"


def test_a_draft_is_begun_changed_and_saved_as_a_version() -> None:
    call, path = caller(Role.EDITOR), path_of(make_configuration())
    call("GET", path).problem(404)
    begun = call("PUT", path, {"yaml": TEXT, "lock_version": None}).body
    assert (begun["lock_version"], begun["base"]) == (1, None)
    assert "yaml" not in begun
    changed = call("PUT", path, {"yaml": TEXT + "#\n", "lock_version": 1}).body
    assert changed["lock_version"] == 2
    version = call("POST", f"{path}save/", {"note": "why", "lock_version": 2})
    assert (version.status, version.body["number"], version.body["note"]) == (201, 1, "why")
    call("GET", path).problem(404)


def test_a_change_of_another_is_409_with_who_and_what() -> None:
    draft = make_draft(yaml=TEXT)
    path = path_of(draft.configuration)
    first, second = caller(Role.EDITOR), caller(Role.EDITOR)
    first("PUT", path, {"yaml": TEXT + "# one\n", "lock_version": 1})
    problem = second("PUT", path, {"yaml": TEXT + "# two\n", "lock_version": 1}).problem(409)
    assert problem["type"].endswith("draft-changed")
    assert problem["draft"]["lock_version"] == 2
    assert problem["draft"]["editor"] in problem["detail"]
    assert "-# two\n+# one" in problem["patch"]
    assert SECRET not in str(problem)
    assert Draft.objects.get().yaml == TEXT + "# one\n"
    again = {"yaml": TEXT + "# two\n", "lock_version": problem["draft"]["lock_version"]}
    assert second("PUT", path, again).body["lock_version"] == 3


def test_a_draft_that_is_gone_is_409_too() -> None:
    draft = make_draft(yaml=TEXT)
    call, path = caller(Role.EDITOR), path_of(draft.configuration)
    call("POST", f"{path}save/", {})
    problem = call("PUT", path, {"yaml": "x", "lock_version": 1}).problem(409)
    assert problem["type"].endswith("draft-gone")
    call("POST", f"{path}save/", {}).problem(409)


def test_text_is_redacted_and_the_raw_one_is_for_editors_and_logged() -> None:
    path = path_of(make_draft(yaml=TEXT).configuration)
    assert SECRET not in caller(Role.VIEWER)("GET", path).text
    caller(Role.OPERATOR)("GET", f"{path}?raw=1").problem(403)
    assert not Activity.objects.filter(action="draft.read_raw").exists()
    raw = caller(Role.EDITOR)("GET", f"{path}?raw=1").body
    assert (raw["yaml"], raw["is_redacted"]) == (TEXT, False)
    assert Activity.objects.filter(action="draft.read_raw").count() == 1


def test_if_match_is_heeded() -> None:
    path = path_of(make_draft(yaml=TEXT).configuration)
    call = caller(Role.EDITOR)
    etag = call("GET", path).headers["ETag"]
    changed = call("PUT", path, {"yaml": "a", "lock_version": 1}, If_Match=etag)
    assert changed.status == 200
    call("PUT", path, {"yaml": "b", "lock_version": 2}, If_Match=etag).problem(412)
    answer = call("PUT", path, {"yaml": "b", "lock_version": 2}, If_Match=changed.headers["ETag"])
    assert answer.status == 200


def test_throwing_away_names_what_is_thrown_away() -> None:
    path = path_of(make_draft().configuration)
    call = caller(Role.EDITOR)
    call("DELETE", path).problem(400)
    call("DELETE", f"{path}?lock_version=7").problem(409)
    assert call("DELETE", f"{path}?lock_version=1").status == 204
    assert not Draft.objects.exists()


def test_an_unreadable_text_stays_a_draft() -> None:
    path = path_of(make_draft(yaml="receivers: [").configuration)
    problem = caller(Role.EDITOR)("POST", f"{path}save/", {}).problem(422)
    assert problem["errors"][0]["line"] == 1
    assert Draft.objects.exists()


def test_a_version_tells_its_findings_and_no_secret() -> None:
    version = make_version(yaml=TEXT.replace("token", "compression: [], token"))
    body = caller(Role.VIEWER)("GET", f"versions/{version.pk}/").body
    assert {"G02", "G04"} & {one["rule"] for one in body["findings"]} or body["findings"]
    assert all(one["fixes"] == [] for one in body["findings"])
    assert SECRET not in str(body)


PIPELINE = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {debug: }\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n"


def unpublished(text: str) -> ConfigVersion:
    return make_version(yaml=text, state=VersionState.UNPUBLISHED)


def test_errors_block_publishing_whatever_is_accepted() -> None:
    version = unpublished(PIPELINE.replace("[debug]", "[gone]"))
    path = f"versions/{version.pk}/publish/"
    problem = caller(Role.EDITOR)("POST", path, {"accept_warnings": True}).problem(409)
    assert problem["type"].endswith("version-errors")
    found = next(one for one in problem["errors"] if one["code"] == "G07")
    assert found["line"] == 3
    version.refresh_from_db()
    assert version.state == VersionState.UNPUBLISHED


def test_warnings_are_accepted_by_rule_or_all_at_once() -> None:
    call = caller(Role.EDITOR)
    version = unpublished(PIPELINE)
    path = f"versions/{version.pk}/publish/"
    problem = call("POST", path, {"reason": "x"}).problem(409)
    assert problem["type"].endswith("version-warnings")
    rules = {one["code"] for one in problem["errors"]}
    assert "L04" in rules
    assert call("POST", path, {"accept": sorted(rules)}).body["state"] == "published"
    other = unpublished(PIPELINE)
    assert call("POST", f"versions/{other.pk}/publish/", {"accept_warnings": True}).status == 200


def test_a_version_is_copied_into_a_new_configuration() -> None:
    version = make_version(yaml=TEXT)
    copy = caller(Role.EDITOR)("POST", f"versions/{version.pk}/copy/", {"name": "second"}).body
    made = ConfigVersion.objects.get(pk=copy["id"])
    assert (made.yaml, made.number, made.configuration.name) == (TEXT, 1, "second")
    assert str(version) in made.note
    problem = caller(Role.EDITOR)("POST", f"versions/{version.pk}/copy/", {"name": "second"})
    assert problem.problem(422)["errors"][0]["pointer"] == "/name"


def test_a_version_is_restored_as_a_draft() -> None:
    version = make_version(yaml=TEXT)
    call, path = caller(Role.EDITOR), f"versions/{version.pk}/restore/"
    assert call("POST", path).body["base"] == 1
    call("POST", path).problem(409)
    assert call("POST", path, {"lock_version": 1}).body["lock_version"] == 2


def test_a_difference_is_told_in_meaning_too() -> None:
    before = make_version(yaml=PIPELINE)
    after = make_version(
        configuration=before.configuration,
        yaml=PIPELINE.replace("{debug: }", "{debug: {verbosity: detailed}}") + "# said\n",
    )
    call = caller(Role.VIEWER)
    (change,) = call("GET", f"versions/{after.pk}/diff/?against={before.pk}").body["changes"]
    assert (change["path"], change["deed"]) == ("exporters::debug::verbosity", "added")
    broken = make_version(configuration=before.configuration, yaml="receivers: [")
    body = call("GET", f"versions/{broken.pk}/diff/?against={before.pk}").body
    assert body["changes"] is None
