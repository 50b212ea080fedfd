"""The pages of configurations and versions."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.snapshot import ConfigStatus
from configs.models import Configuration, ConfigVersion, VersionState
from configs.services import create_configuration, save_version
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.factories import (
    TESTER,
    make_collector,
    make_configuration,
    make_fleet,
    make_rendered,
    make_version,
)
from tests.pages.reading import signed_in

pytestmark = pytest.mark.django_db

GOOD = "receivers:\n  otlp:\nexporters:\n  otlp:\n    headers:\n      authorization: Bearer hunter2hunter2\nservice:\n"
WARNED = (
    "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {debug: }\n"
    "service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n"
)
BAD = "receivers:\n  otlp:\n   - a: [1,\n  x: }\nservice:\n"


def saved(text: str = GOOD, name: str = "edge") -> ConfigVersion:
    configuration = create_configuration(name=name, actor=TESTER)
    return save_version(configuration=configuration, yaml=text, actor=TESTER)


def address(version: ConfigVersion, rest: str = "") -> str:
    return f"/configurations/{version.configuration_id}/versions/{version.number}/{rest}"


def test_a_pasted_text_becomes_version_1() -> None:
    answer = signed_in(Role.EDITOR).post(
        "/configurations/new/",
        {"name": "edge", "yaml": GOOD.replace("\n", "\r\n"), "note": "first"},
    )
    version = ConfigVersion.objects.get()
    assert answer["Location"] == address(version)
    assert version.yaml == GOOD, "a browser's line breaks are not the text's"
    assert (version.note, version.state) == ("first", VersionState.UNPUBLISHED)


def test_a_fault_is_shown_with_line_and_column_and_nothing_is_saved() -> None:
    answer = signed_in(Role.EDITOR).post("/configurations/new/", {"name": "edge", "yaml": BAD})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Line 4, column" in html
    assert '<tr class="hot is-fail"><td class="g">4</td>' in html
    assert "  x: }" in html, "what was typed is kept"
    assert not Configuration.objects.exists()


def test_pages_are_live_and_never_read_the_raw_text_again_by_themselves() -> None:
    version = saved()
    topic = f"configuration:{version.configuration_id}"
    client = signed_in(Role.EDITOR)
    assert f'data-live="{topic} fleets"' in client.get(address(version)).content.decode()
    listed = client.get(f"/configurations/{version.configuration_id}/").content.decode()
    assert f'data-live="{topic} fleets"' in listed
    raw = client.get(address(version, "raw/")).content.decode()
    assert raw.count("data-live=") == raw.count(f'data-live-url="{address(version)}"') > 0
    # Its one live part is fetched from an address of its own.
    path = f"/configurations/{version.configuration_id}/draft/"
    for page in (client.get(path), client.post(path, {"yaml": BAD, "do": "version"})):
        html = page.content.decode()
        assert html.count("data-live=") == html.count(f'data-live-url="{path}state/"') == 1


def test_a_name_in_use_is_said_at_the_name_and_the_text_is_kept() -> None:
    saved()
    answer = signed_in(Role.EDITOR).post("/configurations/new/", {"name": "EDGE", "yaml": GOOD})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "exists. Choose another name." in html
    assert "hunter2hunter2" in html
    assert Configuration.objects.count() == 1


def test_an_upload_is_taken_instead_of_the_text() -> None:
    upload = SimpleUploadedFile("edge.yaml", GOOD.encode())
    signed_in(Role.EDITOR).post(
        "/configurations/new/", {"name": "edge", "yaml": "", "file": upload}
    )
    assert ConfigVersion.objects.get().yaml == GOOD


def test_the_fault_of_an_upload_is_shown_in_its_text() -> None:
    upload = SimpleUploadedFile("edge.yaml", BAD.encode())
    answer = signed_in(Role.EDITOR).post("/configurations/new/", {"name": "edge", "file": upload})
    assert answer.status_code == 422
    assert "  x: }" in answer.content.decode()


def test_an_upload_of_20_mb_is_refused_clearly() -> None:
    upload = SimpleUploadedFile("edge.yaml", b"# filler\n" * (20 * 1024 * 1024 // 9))
    answer = signed_in(Role.EDITOR).post("/configurations/new/", {"name": "edge", "file": upload})
    assert answer.status_code == 422
    assert "This file has 20.0 MiB. A configuration has at most 2 MiB" in answer.content.decode()
    assert not Configuration.objects.exists()


@pytest.mark.parametrize("name", ["edge", ""])
def test_a_pasted_text_of_20_mb_is_refused_clearly_and_not_sent_back(name: str) -> None:
    answer = signed_in(Role.EDITOR).post(
        "/configurations/new/", {"name": name, "yaml": "a" * 20_000_000}
    )
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "The configuration has 20,000,000 bytes. The most is" in html
    assert "The text is not shown again because it is too large." in html
    assert len(html) < 100_000
    assert not Configuration.objects.exists()


def test_secrets_are_masked_unless_the_raw_text_is_asked_for() -> None:
    version = saved()
    client = signed_in(Role.EDITOR)
    assert "hunter2hunter2" not in client.get(address(version)).content.decode()
    raw = client.get(address(version, "raw/"))
    assert "hunter2hunter2" in raw.content.decode()
    assert "no-store" in raw["Cache-Control"]
    assert Activity.objects.get(action="version.read_raw").object_id == str(version.pk)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
@pytest.mark.parametrize("rest", ["raw/", "publish/", "archive/"])
def test_only_editors_read_raw_text_and_change_versions(role: Role, rest: str) -> None:
    version = saved()
    assert signed_in(role).get(address(version, rest)).status_code == 403


def test_publishing_asks_first_and_then_makes_it_assignable() -> None:
    version = saved(WARNED)
    client = signed_in(Role.EDITOR)
    question = client.get(address(version, "publish/")).content.decode()
    assert "No collector changes before someone assigns it" in question
    rules = re.findall(r'name="accept" value="(\w+)"', question)
    assert "L04" in rules
    refused = client.post(address(version, "publish/"), {"reason": "ready"}, follow=True)
    assert f"Accept what {version} is warned of first" in refused.content.decode()
    client.post(address(version, "publish/"), {"reason": "ready", "accept": rules})
    version.refresh_from_db()
    assert version.state == VersionState.PUBLISHED
    assert Activity.objects.get(action="version.publish").reason == "ready"


def test_a_version_with_errors_is_not_published_and_says_what_they_are() -> None:
    version = saved(WARNED.replace("[debug]", "[gone]"))
    client = signed_in(Role.EDITOR)
    page = client.get(address(version)).content.decode()
    assert 'data-confirm="#publish"' not in page
    question = client.get(address(version, "publish/")).content.decode()
    assert f"{version} has errors" in question
    assert "Undefined member of a pipeline" in question
    mend = address(version, "restore/")
    assert f'formaction="{mend}">Mend in the editor</button>' in question
    assert client.post(mend).headers["Location"].endswith("/draft/")
    client.post(address(version, "publish/"), {"accept": ["L04"]})
    version.refresh_from_db()
    assert version.state == VersionState.UNPUBLISHED


def test_any_two_versions_are_compared_and_a_changed_secret_shows_as_a_masked_line() -> None:
    version = saved()
    changed = GOOD.replace("hunter2hunter2", "hunter3hunter3")
    save_version(configuration=version.configuration, yaml=changed, actor=TESTER)
    html = signed_in(Role.VIEWER).get(
        f"/configurations/{version.configuration_id}/compare/?from=1&to=2"
    )
    text = html.content.decode()
    assert '<tr class="del">' in text
    assert '<tr class="add">' in text
    assert "hunter" not in text


def side(version: ConfigVersion, role: Role = Role.EDITOR) -> str:
    """What the page of a version says beside its text."""
    html = signed_in(role).get(address(version)).content.decode()
    return html.partition('id="version-side"')[2].partition("<dialog")[0]


def test_the_page_of_a_published_version_that_no_fleet_has_says_what_to_do() -> None:
    version = make_version(configuration=make_configuration(name="edge"))
    words = side(version)
    assert "No fleet has v1." in words
    assert "Publish" not in words
    assert f'href="/fleets/new/?version={version.pk}">Create a fleet with it</a>' in words
    other = make_fleet(name="west", version=make_version())
    give = f'href="/fleets/{other.slug}/assign/?version={version.pk}"'
    assert give in side(version)
    assert give in side(version, Role.OPERATOR)
    assert "Create a fleet" not in side(version, Role.OPERATOR)
    assert "An Operator can assign it to one." in side(version, Role.VIEWER)
    assert give not in side(version, Role.VIEWER)
    chosen = signed_in(Role.EDITOR).get(f"/fleets/new/?version={version.pk}").content.decode()
    assert f'<option value="{version.pk}" selected>' in chosen


def test_a_version_that_collectors_still_run_says_so_though_no_fleet_has_it() -> None:
    old, new = (make_version(configuration=c) for c in [make_configuration(name="edge")] * 2)
    fleet = make_fleet(name="edge", version=new)
    row: dict[str, Any] = {
        "remote_config_status": ConfigStatus.APPLIED,
        "remote_config_hash": "old",
    }
    make_collector(fleet=fleet, desired=make_rendered(version=old, digest="old"), **row)
    assert "No fleet has v1. 1 collector still runs it." in side(old)
    assert "v1 on 1" in side(old)
    assert "No fleet" not in side(new)


def test_the_page_of_a_configuration_that_no_fleet_has_names_what_can_be_given() -> None:
    version = make_version(state=VersionState.UNPUBLISHED)
    client, path = signed_in(Role.EDITOR), f"/configurations/{version.configuration_id}/"
    assert "Publish a version first" in client.get(path).content.decode()
    published = make_version(configuration=version.configuration)
    html = client.get(path).content.decode()
    assert "Publish a version first" not in html
    assert f'href="/fleets/new/?version={published.pk}">Create a fleet with v2</a>' in html


def test_the_list_costs_the_same_number_of_queries_however_long() -> None:
    client = signed_in(Role.VIEWER)
    counts = []
    for number in (1, 6):
        for _ in range(number):
            make_fleet(version=make_version())
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/configurations/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


def test_an_archived_configuration_leaves_the_list_and_takes_no_version() -> None:
    version = saved()
    client = signed_in(Role.EDITOR)
    client.post(f"/configurations/{version.configuration_id}/archive/", {"reason": "old"})
    assert "edge</a>" not in client.get("/configurations/").content.decode()
    assert "edge</a>" in client.get("/configurations/?archived=1").content.decode()
    path = f"/configurations/{version.configuration_id}/draft/"
    answer = client.post(path, {"yaml": "receivers:\n"}, follow=True)
    assert "is archived. Nothing new can be saved in it." in answer.content.decode()
    assert ConfigVersion.objects.count() == 1
