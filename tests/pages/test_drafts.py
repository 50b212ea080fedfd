"""The page of a draft: editing, two people, and what stands around it."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from configs.drafts import draft_of, put_draft
from configs.models import Configuration, ConfigVersion, Draft, VersionState
from configs.services import archive_configuration
from telflo.base.access import Role
from telflo.base.activity import Actor
from telflo.base.models import Activity
from tests.factories import make_configuration, make_draft, make_person, make_version
from tests.pages.drafts import ONE, OTHER, SECRET, TEXT, editor, form_of, path_of
from tests.pages.reading import signed_in

pytestmark = pytest.mark.django_db


class TestEditing:
    def test_it_begins_with_the_latest_text_and_reading_that_is_logged(self) -> None:
        version = make_version(yaml=TEXT)
        client, _ = editor("maria")
        page = client.get(path_of(version.configuration))
        assert SECRET in page.content.decode()
        assert "no-store" in page["Cache-Control"]
        assert Activity.objects.filter(action="version.read_raw").count() == 1
        assert not Draft.objects.exists(), "looking changes nothing"

    def test_what_is_typed_is_kept_and_what_is_wrong_with_it_stands_beside_it(self) -> None:
        configuration = make_configuration()
        client, _ = editor("maria")
        broken = TEXT.replace("[otlp_grpc]", "[gone]")
        form = {**form_of(client.get(path_of(configuration)).content.decode()), "do": "save"}
        sent = {**form, "yaml": broken.replace("\n", "\r\n")}
        answer = client.post(path_of(configuration), sent, follow=True)
        html = answer.content.decode()
        assert Draft.objects.get().yaml == broken
        assert '<a class="a num" href="#id_yaml" data-line="9"' in html
        assert "1 error" in html
        assert form_of(html)["yaml"] == broken
        assert not Activity.objects.filter(action="draft.read_raw").exists(), "it is one's own"

    def test_it_is_saved_as_a_version_and_the_draft_is_gone(self) -> None:
        version = make_version(yaml=TEXT)
        client, _ = editor("maria")
        path = path_of(version.configuration)
        form = form_of(client.get(path).content.decode())
        answer = client.post(path, {**form, "yaml": ONE, "note": "One", "do": "version"})
        assert answer["Location"].endswith("/versions/2/")
        saved = ConfigVersion.objects.get(number=2)
        assert (saved.yaml, saved.note) == (ONE, "One")
        assert not Draft.objects.exists()

    @pytest.mark.parametrize(
        ("exporter", "words"),
        [
            ("otlp_grpc", "v1 is saved. Publish it to give it to fleets"),
            ("gone", "v1 is saved. It has errors"),
        ],
    )
    def test_a_version_that_cannot_be_published_is_said_to_be_one(
        self, exporter: str, words: str
    ) -> None:
        client, _ = editor("maria")
        path = path_of(make_configuration())
        form = {**form_of(client.get(path).content.decode()), "do": "version"}
        text = TEXT.replace("[otlp_grpc]", f"[{exporter}]")
        assert words in client.post(path, {**form, "yaml": text}, follow=True).content.decode()

    def test_to_publish_it_asks_what_publishing_asks(self) -> None:
        client, _ = editor("maria")
        path = path_of(make_configuration())
        answer = client.post(path, {"yaml": TEXT, "do": "publish"})
        assert answer["Location"].endswith("/versions/1/publish/")
        broken = client.post(path, {"yaml": "receivers:\n", "do": "publish"})
        assert broken.status_code == 422
        assert (
            "Not published: mend the errors first. The draft is saved." in broken.content.decode()
        )
        assert Draft.objects.get().yaml == "receivers:\n"
        assert ConfigVersion.objects.count() == 1

    def test_what_is_no_configuration_makes_no_version_and_stays_a_draft(self) -> None:
        client, _ = editor("maria")
        configuration = make_configuration()
        answer = client.post(path_of(configuration), {"yaml": "receivers: [", "do": "version"})
        html = answer.content.decode()
        assert answer.status_code == 422
        assert "Line 1, column" in html
        assert Draft.objects.get().yaml == "receivers: ["
        following = client.post(
            path_of(configuration), {**form_of(html), "yaml": TEXT, "do": "version"}
        )
        assert following.status_code == 302, "the page knows that the draft is saved"

    def test_a_file_takes_the_place_of_the_text(self) -> None:
        client, _ = editor("maria")
        upload = SimpleUploadedFile("edge.yaml", TEXT.encode())
        client.post(path_of(make_configuration()), {"yaml": "x", "file": upload, "do": "save"})
        assert Draft.objects.get().yaml == TEXT
        for body, words in ((b"\xff\xfea", "UTF-16"), (b"a: \xe4", "is not UTF-8")):
            upload = SimpleUploadedFile("edge.yaml", body)
            sent: dict[str, Any] = {"yaml": "x", "file": upload, "lock_version": 1}
            answer = client.post(path_of(Configuration.objects.get()), sent)
            assert answer.status_code == 422
            assert words in answer.content.decode()

    def test_a_text_of_20_mb_is_refused_and_not_sent_back(self) -> None:
        client, _ = editor("maria")
        answer = client.post(path_of(make_configuration()), {"yaml": "a" * 20_000_000})
        assert answer.status_code == 422
        assert "The text is not shown again because it is too large." in answer.content.decode()
        assert len(answer.content) < 100_000
        assert not Draft.objects.exists()

    def test_findings_are_a_part_of_their_own(self) -> None:
        draft = make_draft(yaml=TEXT.replace("[otlp]", "[gone]"))
        path = f"{path_of(draft.configuration)}findings/"
        html = signed_in(Role.EDITOR).get(path).content.decode()
        assert html.count('id="findings"') == 1
        assert "<main" not in html
        assert SECRET not in html

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
    def test_it_is_for_editors_alone(self, role: Role) -> None:
        path = path_of(make_draft(yaml=TEXT).configuration)
        assert signed_in(role).get(path).status_code == 403


class TestTwoPeople:
    """Maria and Jonas opened the same draft; Jonas saved first."""

    @pytest.fixture
    def world(self) -> tuple[Client, str, Draft]:
        """Maria's browser with her page, and the draft as Jonas left it."""
        maria, _ = editor("maria")
        _, jonas = editor("jonas")
        draft = make_draft(yaml=TEXT, actor=jonas)
        page = maria.get(path_of(draft.configuration)).content.decode()
        changed = put_draft(
            configuration=draft.configuration,
            yaml=OTHER,
            lock_version=draft.lock_version,
            actor=jonas,
        )
        return maria, page, changed

    def clash(self, world: tuple[Client, str, Draft], text: str = ONE) -> str:
        maria, page, draft = world
        answer = maria.post(
            path_of(draft.configuration), {**form_of(page), "yaml": text, "do": "save"}
        )
        assert answer.status_code == 409
        return answer.content.decode()

    def test_the_second_sees_who_and_what_and_keeps_their_text(
        self, world: tuple[Client, str, Draft]
    ) -> None:
        html = self.clash(world)
        assert "jonas changed this draft while you did" in html
        theirs, mine = html.split("What you changed", 1)
        assert "+ # by another" in theirs
        assert "+     endpoint: one:4317" in mine.split("<textarea", 1)[0]
        assert "the changes fit together" in html
        assert form_of(html)["yaml"] == ONE
        assert Draft.objects.get().yaml == OTHER
        shown = html.split('id="clash"', 1)[1].split("</section>", 1)[0]
        assert SECRET not in shown

    def test_both_are_put_together(self, world: tuple[Client, str, Draft]) -> None:
        maria, _, draft = world
        answer = maria.post(
            path_of(draft.configuration), {**form_of(self.clash(world)), "do": "merge"}, follow=True
        )
        assert Draft.objects.get().yaml == ONE + "# by another\n"
        assert "Merged with what jonas changed" in answer.content.decode()
        assert Activity.objects.filter(action="draft.read_raw").count() == 2

    def test_what_both_changed_is_marked_and_not_saved_before_a_person_looked(
        self, world: tuple[Client, str, Draft]
    ) -> None:
        maria, _, draft = world
        html = self.clash(world, TEXT + "# by me\n")
        assert "1 place was changed by both" in html
        answer = maria.post(path_of(draft.configuration), {**form_of(html), "do": "merge"})
        page = answer.content.decode()
        marked = form_of(page)
        assert "<<<<<<< yours\n# by me\n=======\n# by another\n>>>>>>> jonas" in marked["yaml"]
        assert Draft.objects.get().yaml == OTHER
        settled = {**marked, "yaml": TEXT + "# by both\n", "do": "save"}
        assert maria.post(path_of(draft.configuration), settled).status_code == 302
        assert Draft.objects.get().yaml == TEXT + "# by both\n"

    def test_one_may_write_over_the_other_knowingly(self, world: tuple[Client, str, Draft]) -> None:
        maria, _, draft = world
        form = {**form_of(self.clash(world)), "do": "mine"}
        assert maria.post(path_of(draft.configuration), form).status_code == 302
        assert Draft.objects.get().yaml == ONE
        told = Activity.objects.get(action="draft.write_over").before or {}
        assert told["edited_by"] == "jonas"

    def test_a_decision_holds_for_what_was_seen_alone(
        self, world: tuple[Client, str, Draft]
    ) -> None:
        maria, _, draft = world
        form = form_of(self.clash(world))
        put_draft(
            configuration=draft.configuration,
            yaml=OTHER + "# more\n",
            lock_version=draft.lock_version,
            actor=Actor.person(make_person(username="third", role=Role.EDITOR)),
        )
        for what in ("mine", "merge"):
            answer = maria.post(path_of(draft.configuration), {**form, "do": what})
            assert answer.status_code == 409
            assert "third changed this draft" in answer.content.decode()
        assert Draft.objects.get().yaml == OTHER + "# more\n"

    def test_a_draft_that_was_saved_meanwhile_is_shown_as_the_version_it_became(
        self, world: tuple[Client, str, Draft]
    ) -> None:
        maria, page, draft = world
        other, _ = editor("fourth")
        other.post(
            path_of(draft.configuration),
            {**form_of(other.get(path_of(draft.configuration)).content.decode()), "do": "version"},
        )
        answer = maria.post(
            path_of(draft.configuration), {**form_of(page), "yaml": ONE, "do": "save"}
        )
        html = answer.content.decode()
        assert answer.status_code == 409
        assert "The newest text is v1, by fourth" in html
        maria.post(path_of(draft.configuration), {**form_of(html), "do": "merge"})
        assert Draft.objects.get().yaml == ONE + "# by another\n"

    def test_who_else_edits_is_told_on_the_page(self, world: tuple[Client, str, Draft]) -> None:
        maria, _, draft = world
        path = f"{path_of(draft.configuration)}state/"
        html = maria.get(path).content.decode()
        assert "<b>jonas</b> saved this draft" in html
        assert 'id="draft-state"' in html
        put_draft(
            configuration=draft.configuration,
            yaml="x",
            lock_version=draft.lock_version,
            actor=Actor.person(make_person(username="maria2", role=Role.EDITOR)),
        )
        assert "maria2" in maria.get(path).content.decode()
        draft.delete()
        assert 'id="draft-state"' in maria.get(path).content.decode()

    @pytest.mark.parametrize("do", ["save", "version", "publish", "mine", "merge"])
    def test_what_was_typed_stays_when_the_configuration_was_archived_meanwhile(
        self, do: str, world: tuple[Client, str, Draft]
    ) -> None:
        client, _, draft = world
        path = path_of(draft.configuration)
        form = form_of(client.get(path).content.decode())
        archive_configuration(configuration=draft.configuration, actor=editor("aiko")[1])
        sent = {**form, "yaml": ONE, "seen": form["lock_version"], "do": do}
        answer = client.post(path, sent)
        assert answer.status_code == 422
        html = answer.content.decode()
        assert "is archived. Nothing new can be saved in it." in html
        assert form_of(html)["yaml"] == ONE
        kept = draft_of(draft.configuration)
        assert kept
        assert kept.yaml == OTHER


class TestAround:
    def test_a_draft_is_named_on_the_page_of_its_configuration(self) -> None:
        _, maria = editor("maria")
        draft = make_draft(configuration=make_version().configuration, actor=maria)
        html = signed_in().get(f"/configurations/{draft.configuration_id}/").content.decode()
        assert "by maria" in html
        assert 'begun with <span class="ver">v1</span>' in html
        assert "draft/discard/" not in html, "a Viewer cannot"

    def test_throwing_it_away_asks_first_and_for_what_was_seen(self) -> None:
        draft = make_draft()
        client = signed_in(Role.EDITOR)
        path = f"{path_of(draft.configuration)}discard/"
        asked = client.get(path, follow=True)
        assert asked.redirect_chain[-1][0].endswith(f"?lock_version={draft.lock_version}")
        assert "Its text is gone then" in asked.content.decode()
        stale = client.post(f"{path}?lock_version=9", follow=True)
        assert "changed the draft" in stale.content.decode()
        assert Draft.objects.exists()
        client.post(f"{path}?lock_version={draft.lock_version}", {"reason": "wrong way"})
        assert not Draft.objects.exists()
        assert client.get(path, follow=True).redirect_chain

    def test_an_old_version_is_restored_at_once_unless_there_is_a_draft(self) -> None:
        version = make_version(yaml=TEXT)
        make_version(configuration=version.configuration)
        client = signed_in(Role.EDITOR)
        path = f"/configurations/{version.configuration_id}/versions/1/restore/"
        assert client.post(path)["Location"] == path_of(version.configuration)
        assert Draft.objects.get().yaml == TEXT
        asked = client.post(path, follow=True)
        assert "is thrown away" in asked.content.decode()
        address = asked.redirect_chain[-1][0]
        assert client.post(address)["Location"] == path_of(version.configuration)
        draft = draft_of(version.configuration)
        assert draft is not None
        assert draft.lock_version == 2

    def test_a_version_is_copied(self) -> None:
        version = make_version(yaml=TEXT, configuration=make_configuration(name="edge"))
        client = signed_in(Role.EDITOR)
        path = f"/configurations/{version.configuration_id}/versions/1/copy/"
        assert 'value="Copy of edge"' in client.get(path).content.decode()
        taken = client.post(path, {"name": "edge"})
        assert taken.status_code == 422
        assert "exists. Choose another name." in taken.content.decode()
        client.post(path, {"name": "core"})
        copy = ConfigVersion.objects.get(configuration__name="core")
        assert (copy.yaml, copy.state) == (TEXT, VersionState.UNPUBLISHED)

    @pytest.mark.parametrize("place", ["draft/", "compare/?to=draft", ""])
    def test_pages_cost_the_same_number_of_queries_however_many_versions(self, place: str) -> None:
        configuration = make_configuration()
        client = signed_in(Role.EDITOR)
        counts = []
        for number in (2, 6):
            for _ in range(number):
                make_version(configuration=configuration)
            Draft.objects.all().delete()
            make_draft(configuration=configuration)
            with CaptureQueriesContext(connection) as queries:
                path = f"/configurations/{configuration.pk}/{place}"
                assert client.get(path).status_code == 200
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 18
