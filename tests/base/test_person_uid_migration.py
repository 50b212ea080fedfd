"""People and the activity log get the public id, and lose it again, without losing anything else."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

BEFORE, AFTER = "0001_initial", "0004_person_uid_required"

pytestmark = pytest.mark.django_db(transaction=True)


def go_to(name: str) -> Any:
    """Migrate `base` there; the models as they are there."""
    executor = MigrationExecutor(connection)
    executor.migrate([("base", name)])
    return executor.loader.project_state([("base", name)]).apps


@pytest.fixture
def before() -> Iterator[Any]:
    yield go_to(BEFORE)
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_everybody_gets_a_uid_and_the_log_follows_there_and_back(
    before: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("telflo.base.migrations.0003_fill_person_uid"), "BATCH", 2)
    people = [before.get_model("base", "User").objects.create(username=f"p{n}") for n in range(5)]
    numbers = {person.username: str(person.pk) for person in people}
    log(before, "person", people[1].pk)
    log(before, "fleet", people[1].pk)

    after = go_to(AFTER)
    uids = dict(after.get_model("base", "User").objects.values_list("username", "uid"))
    assert len(set(uids.values()) - {None}) == len(people)
    assert logged(after) == {"person": str(uids["p1"]), "fleet": numbers["p1"]}

    assert logged(go_to(BEFORE)) == {"person": numbers["p1"], "fleet": numbers["p1"]}


def test_afterwards_nobody_is_without_one(before: Any) -> None:
    with pytest.raises(IntegrityError):
        go_to(AFTER).get_model("base", "User").objects.create(username="x", uid=None)


def log(apps: Any, kind: str, number: int) -> None:
    apps.get_model("base", "Activity").objects.create(
        at=timezone.now(), actor_kind="worker", actor_label="x", action=f"{kind}.x",
        object_type=kind, object_id=str(number), object_label="x",
    )  # fmt: skip


def logged(apps: Any) -> dict[str, str]:
    return dict(apps.get_model("base", "Activity").objects.values_list("object_type", "object_id"))
