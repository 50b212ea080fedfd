"""Drafts: one text for each configuration, edited by many, overwritten by nobody unseen."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import connection

from configs.collector.errors import ParseError
from configs.drafts import (
    discard_draft,
    draft_of,
    put_draft,
    read_draft,
    restore_version,
    save_draft,
)
from configs.errors import Archived, DraftChanged, DraftGone, DraftThere, Unchanged
from configs.models import Configuration, ConfigVersion, Draft
from configs.services import archive_configuration
from telflo.base.access import Role
from telflo.base.activity import Actor
from telflo.base.errors import DomainError
from telflo.base.hints import RecordingPort
from telflo.base.models import Activity
from tests.factories import TESTER, make_configuration, make_draft, make_person, make_version

pytestmark = pytest.mark.django_db
SECRET = "hunter2hunter2"
TEXT = f"receivers:\n  otlp:\nexporters:\n  x: {{token: {SECRET}}}\n"


def person(name: str) -> Actor:
    return Actor.person(make_person(role=Role.EDITOR, username=name))


def put(configuration: Configuration, text: str, lock_version: int | None, **more: Any) -> Draft:
    actor = more.pop("actor", TESTER)
    return put_draft(
        configuration=configuration, yaml=text, lock_version=lock_version, actor=actor, **more
    )


def actions() -> list[str]:
    return list(Activity.objects.order_by("id").values_list("action", flat=True))


class TestTwoPeople:
    """Maria and Jonas edit the same draft."""

    def test_the_second_is_told_who_was_first_and_the_draft_stays_theirs(self) -> None:
        maria, jonas = person("maria"), person("jonas")
        draft = make_draft(yaml="a", actor=maria)
        seen = draft.lock_version
        put(draft.configuration, "b", seen, actor=maria)
        with pytest.raises(DraftChanged, match="maria changed the draft") as caught:
            put(draft.configuration, "c", seen, actor=jonas)
        assert (caught.value.draft.yaml, caught.value.draft.editor) == ("b", "maria")
        draft.refresh_from_db()
        assert (draft.yaml, draft.edited_by) == ("b", maria.user)

    def test_whoever_has_seen_the_change_may_write_over_it_and_that_is_logged(self) -> None:
        maria, jonas = person("maria"), person("jonas")
        draft = make_draft(yaml="a", actor=maria)
        put(draft.configuration, "c", draft.lock_version, actor=jonas, writes_over=True)
        entry = Activity.objects.get(action="draft.write_over")
        assert (entry.actor, (entry.before or {})["edited_by"]) == (jonas.user, "maria")

    def test_the_same_text_twice_is_no_conflict_and_no_change(self) -> None:
        draft = make_draft(yaml="a")
        again = put(draft.configuration, "a", None)
        assert again.lock_version == draft.lock_version

    def test_a_number_never_means_two_texts_though_drafts_come_and_go(self) -> None:
        draft = make_draft(yaml="a")
        configuration, seen = draft.configuration, draft.lock_version
        discard_draft(configuration=configuration, lock_version=seen, actor=TESTER)
        with pytest.raises(DraftGone):
            put(configuration, "b", seen)
        following = put(configuration, "c", None)
        assert following.lock_version > seen
        with pytest.raises(DraftChanged):
            put(configuration, "b", seen)


class TestText:
    def test_a_draft_begins_with_the_latest_version_and_its_collector_version(self) -> None:
        version = make_version()
        version.collector_version = "0.149.0"
        version.save()
        draft = put(version.configuration, "x", None)
        assert (draft.base, draft.collector_version) == (version, "0.149.0")
        assert put(version.configuration, "y", draft.lock_version).collector_version == "0.149.0"

    def test_any_text_is_kept_and_a_large_one_refused(self) -> None:
        draft = make_draft(yaml="receivers: [")
        assert draft.yaml == "receivers: ["
        with pytest.raises(ParseError, match="The most is"):
            put(draft.configuration, "x" * (2 * 1024 * 1024 + 1), draft.lock_version)
        with pytest.raises(DomainError, match="no collector version"):
            put(draft.configuration, "y", draft.lock_version, collector_version="latest")

    def test_it_is_encrypted_at_rest_and_not_in_the_log(self) -> None:
        draft = make_draft(yaml=TEXT)
        put(draft.configuration, TEXT + "#", draft.lock_version)
        with connection.cursor() as cursor:
            cursor.execute("SELECT yaml FROM configs_draft")
            assert SECRET.encode() not in bytes(cursor.fetchone()[0])
        assert SECRET not in str(list(Activity.objects.values()))

    def test_saving_by_itself_fills_no_log(self) -> None:
        draft = make_draft()
        for number in range(3):
            draft = put(draft.configuration, str(number), draft.lock_version)
        assert actions() == ["draft.begin"]

    def test_reading_what_another_wrote_is_logged(self) -> None:
        maria, jonas = person("maria"), person("jonas")
        draft = make_draft(yaml=TEXT, actor=maria)
        assert read_draft(draft=draft, actor=maria) == TEXT
        assert "draft.read_raw" not in actions()
        assert read_draft(draft=draft, actor=jonas) == TEXT
        assert Activity.objects.get(action="draft.read_raw").actor == jonas.user

    def test_an_archived_configuration_takes_none(self) -> None:
        draft = make_draft()
        archive_configuration(configuration=draft.configuration, actor=TESTER)
        for change in (
            lambda: put(draft.configuration, "x", draft.lock_version),
            lambda: save_draft(configuration=draft.configuration, actor=TESTER),
        ):
            with pytest.raises(Archived):
                change()


class TestEnds:
    def test_saved_as_a_version_it_is_gone(self) -> None:
        draft = make_draft(yaml=TEXT)
        version = save_draft(
            configuration=draft.configuration,
            lock_version=draft.lock_version,
            note="why",
            actor=TESTER,
        )
        assert (version.number, version.yaml, version.note) == (1, TEXT, "why")
        assert draft_of(draft.configuration) is None

    def test_what_is_no_configuration_stays_a_draft(self) -> None:
        draft = make_draft(yaml="receivers: [")
        with pytest.raises(ParseError):
            save_draft(configuration=draft.configuration, actor=TESTER)
        assert draft_of(draft.configuration) == draft
        assert not ConfigVersion.objects.exists()

    def test_the_latest_text_makes_no_version_and_the_draft_stays(self) -> None:
        version = make_version()
        make_draft(configuration=version.configuration, yaml=version.yaml)
        with pytest.raises(Unchanged):
            save_draft(configuration=version.configuration, actor=TESTER)
        assert draft_of(version.configuration) is not None

    def test_another_state_than_was_seen_is_neither_saved_nor_thrown_away(self) -> None:
        draft = make_draft(yaml=TEXT)
        put(draft.configuration, TEXT + "#", draft.lock_version)
        for end in (save_draft, discard_draft):
            with pytest.raises(DraftChanged):
                end(
                    configuration=draft.configuration,
                    lock_version=draft.lock_version,
                    actor=TESTER,
                )
        assert draft_of(draft.configuration) is not None

    def test_there_has_to_be_one(self) -> None:
        for end in (save_draft, discard_draft):
            with pytest.raises(DraftGone):
                end(configuration=make_configuration(), lock_version=1, actor=TESTER)

    def test_thrown_away_it_leaves_a_line_in_the_log(self) -> None:
        draft = make_draft(yaml=TEXT)
        discard_draft(
            configuration=draft.configuration,
            lock_version=draft.lock_version,
            reason="wrong way",
            actor=TESTER,
        )
        entry = Activity.objects.get(action="draft.discard")
        assert (entry.reason, (entry.before or {})["lines"]) == ("wrong way", 4)


class TestRestoring:
    def test_an_old_version_becomes_a_new_draft_and_reading_it_is_logged(self) -> None:
        old = make_version(yaml=TEXT)
        make_version(configuration=old.configuration)
        draft = restore_version(version=old, lock_version=None, actor=TESTER)
        assert (draft.yaml, draft.base) == (TEXT, old)
        assert actions() == ["version.read_raw", "draft.begin"]

    def test_a_draft_is_replaced_only_knowingly(self) -> None:
        version = make_version(yaml=TEXT)
        draft = make_draft(configuration=version.configuration, yaml="a")
        with pytest.raises(DraftThere):
            restore_version(version=version, lock_version=None, actor=TESTER)
        with pytest.raises(DraftChanged):
            restore_version(version=version, lock_version=draft.lock_version + 1, actor=TESTER)
        replaced = restore_version(version=version, lock_version=draft.lock_version, actor=TESTER)
        assert (replaced.yaml, replaced.lock_version) == (TEXT, draft.lock_version + 1)
        discard_draft(
            configuration=version.configuration,
            lock_version=replaced.lock_version,
            actor=TESTER,
        )
        with pytest.raises(DraftGone):
            restore_version(version=version, lock_version=9, actor=TESTER)


def test_open_pages_are_told(
    committed: Callable[[], AbstractContextManager[list[Any]]], hints: RecordingPort
) -> None:
    configuration = make_configuration()
    own = f"configuration:{configuration.pk}"

    def told(change: Callable[[], object]) -> set[str]:
        hints.sent.clear()
        with committed():
            change()
        return {topic for _, message in hints.sent for topic in message["topics"]}

    assert own in told(lambda: put(configuration, "a", None))
    assert told(lambda: put(configuration, "b", 1)) == {f"draft:{configuration.pk}"}
    ended = told(lambda: discard_draft(configuration=configuration, lock_version=2, actor=TESTER))
    assert {own, f"draft:{configuration.pk}"} <= ended
