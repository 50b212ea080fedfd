"""Configurations and versions change through services: atomic, logged, versions immutable."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from configs.collector.errors import ParseError
from configs.errors import Archived, NameTaken, Unchanged, WrongState
from configs.models import Configuration, ConfigVersion
from configs.services import (
    archive_configuration,
    archive_version,
    create_configuration,
    diff_versions,
    publish_version,
    read_raw_text,
    save_version,
    update_configuration,
)
from telflo.base.errors import DomainError
from telflo.base.hints import RecordingPort
from telflo.base.models import Activity
from tests.factories import TESTER, make_configuration

pytestmark = pytest.mark.django_db
TEXT = "receivers:\n  otlp:\n"


def save(configuration: Configuration, text: str | bytes = TEXT, **more: str) -> ConfigVersion:
    return save_version(configuration=configuration, yaml=text, actor=TESTER, **more)


class TestConfigurations:
    def test_a_name_is_tidied_and_used_once(self) -> None:
        assert create_configuration(name="  edge   gateway ", actor=TESTER).name == "edge gateway"
        with pytest.raises(NameTaken):
            create_configuration(name="Edge Gateway", actor=TESTER)
        assert Activity.objects.count() == 1

    @pytest.mark.parametrize("name", ["", "  ", "x" * 101])
    def test_a_name_that_is_none_is_refused(self, name: str) -> None:
        with pytest.raises(DomainError) as caught:
            create_configuration(name=name, actor=TESTER)
        assert caught.value.field == "name"

    def test_an_archived_one_frees_its_name_and_takes_nothing_new(self) -> None:
        old = make_configuration(name="edge")
        version = save(old)
        archive_configuration(configuration=old, actor=TESTER)
        create_configuration(name="edge", actor=TESTER)
        with pytest.raises(Archived):
            save(old, "service:\n")
        with pytest.raises(Archived):
            publish_version(version=version, actor=TESTER)
        with pytest.raises(Archived):
            archive_configuration(configuration=old, actor=TESTER)

    def test_a_change_says_before_and_after_and_none_is_no_change(self) -> None:
        configuration = make_configuration(name="a")
        update_configuration(configuration=configuration, description="new", actor=TESTER)
        update_configuration(configuration=configuration, description="new", actor=TESTER)
        activity = Activity.objects.get()
        assert (activity.before, activity.after) == (
            {"name": "a", "description": ""},
            {"name": "a", "description": "new"},
        )

    def test_a_rename_to_a_name_in_use_is_refused(self) -> None:
        make_configuration(name="a")
        with pytest.raises(NameTaken):
            update_configuration(configuration=make_configuration(), name="A", actor=TESTER)


class TestSaving:
    def test_versions_count_up_per_configuration(self) -> None:
        first, second = make_configuration(), make_configuration()
        assert [save(first).number, save(first, "service:\n").number, save(second).number] == [
            1,
            2,
            1,
        ]

    def test_hash_and_size_are_those_of_the_text(self) -> None:
        version = save(make_configuration(), "\ufeffservice: # ä\n".encode(), note=" why ")
        version.refresh_from_db()
        stored = "service: # ä\n"
        assert (version.yaml, version.note, version.state) == (stored, "why", "unpublished")
        assert version.sha256 == hashlib.sha256(stored.encode()).hexdigest()
        assert version.size == len(stored.encode())

    def test_text_that_cannot_be_parsed_saves_nothing(self) -> None:
        with pytest.raises(ParseError):
            save(make_configuration(), "a: b: c")
        assert not ConfigVersion.objects.exists()
        assert not Activity.objects.exists()

    def test_the_latest_text_is_not_saved_again(self) -> None:
        configuration = make_configuration()
        save(configuration)
        with pytest.raises(Unchanged, match="v1"):
            save(configuration, note="another note")
        assert save(configuration, collector_version="v0.158.0").number == 2
        assert save(configuration, "service:\n").number == 3
        assert save(configuration).number == 4

    @pytest.mark.parametrize("version", ["latest", "0.158", "0.158.0-rc1"])
    def test_a_collector_version_is_a_version(self, version: str) -> None:
        with pytest.raises(DomainError):
            save(make_configuration(), collector_version=version)

    def test_the_log_does_not_hold_the_text(self) -> None:
        save(make_configuration(), "exporters:\n  x: {token: hunter2}\n")
        assert "hunter2" not in str(list(Activity.objects.values()))


class TestStates:
    def test_a_version_is_published_once_and_archived_once(self) -> None:
        version = save(make_configuration())
        assert publish_version(version=version, actor=TESTER).state == "published"
        with pytest.raises(WrongState):
            publish_version(version=version, actor=TESTER)
        assert archive_version(version=version, reason="bad", actor=TESTER).state == "archived"
        with pytest.raises(WrongState):
            archive_version(version=version, actor=TESTER)
        with pytest.raises(WrongState):
            publish_version(version=version, actor=TESTER)
        actions = list(Activity.objects.order_by("id").values_list("action", flat=True))
        assert actions == ["version.save", "version.publish", "version.archive"]

    def test_reading_the_raw_text_is_logged(self) -> None:
        version = save(make_configuration())
        assert read_raw_text(version=version, actor=TESTER) == TEXT
        assert Activity.objects.filter(action="version.read_raw", object_id=version.pk).exists()


def test_every_change_is_told_to_open_pages(
    committed: Callable[[], AbstractContextManager[list[Any]]], hints: RecordingPort
) -> None:
    configuration = make_configuration()
    version = save(configuration)
    changes: list[Callable[[], object]] = [
        lambda: update_configuration(configuration=configuration, name="b", actor=TESTER),
        lambda: save(configuration, "exporters:\n  otlp:\n"),
        lambda: publish_version(version=version, actor=TESTER),
        lambda: archive_version(version=version, actor=TESTER),
        lambda: archive_configuration(configuration=configuration, actor=TESTER),
    ]
    for change in changes:
        hints.sent.clear()
        with committed():
            change()
        told = {topic for _, message in hints.sent for topic in message["topics"]}
        assert told == {"configurations", f"configuration:{configuration.pk}", "activity"}


def test_a_diff_masks_secrets_and_shows_that_one_changed() -> None:
    configuration = make_configuration()
    before = save(configuration, "exporters:\n  x: {token: hunter2}\n")
    after = save(configuration, "exporters:\n  x: {token: hunter3}\n")
    patch = diff_versions(before, after).as_patch()
    assert "hunter" not in patch
    assert patch.count("<redacted>") == 2
