"""The health trees that were kept as JSON become reports and JSON again, and nothing of them is lost."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from telflo.base.ids import new_id

BEFORE, AFTER = "0008_interval_since", "0010_fill_health_reports"
ILL = {
    "healthy": False,
    "status": "StatusRecoverableError",
    "last_error": "refused",
    "started_at": "2026-11-22T12:00:00.000120+00:00",
    "status_at": None,
    "attributes": {"tries": 3},
    "components": {},
}
TREE = {**ILL, "healthy": True, "status": "StatusOK", "components": {"pipeline:traces": ILL}}

pytestmark = pytest.mark.django_db(transaction=True)


def go_to(name: str) -> Any:
    """Migrate `agents` there; the status rows as they are there."""
    executor = MigrationExecutor(connection)
    executor.migrate([("agents", name)])
    return executor.loader.project_state([("agents", name)]).apps.get_model("agents", "AgentStatus")


@pytest.fixture
def before() -> Iterator[Any]:
    yield go_to(BEFORE)
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_trees_become_reports_and_trees_again(before: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module(f"agents.migrations.{AFTER}"), "BATCH", 2)
    trees = [TREE, ILL, None, TREE, ILL]
    uids = [make(before, tree) for tree in trees]
    rows = go_to(AFTER)
    assert [said(rows, uid) for uid in uids] == [
        *((True, "StatusOK"), (False, "StatusRecoverableError"), (None, "")),
        *((True, "StatusOK"), (False, "StatusRecoverableError")),
    ]
    back = go_to(BEFORE)
    assert [back.objects.get(pk=uid).health_tree for uid in uids] == trees


def make(rows: Any, tree: dict[str, Any] | None) -> Any:
    """An agent with this tree."""
    moment = timezone.now()
    agents = rows._meta.get_field("agent").remote_field.model.objects
    agent = agents.create(instance_uid=new_id(), display_name="x", first_seen_at=moment)
    return rows.objects.create(agent=agent, status_since=moment, health_tree=tree).pk


def said(rows: Any, uid: Any) -> tuple[bool | None, str]:
    """What the root of the kept tree says."""
    row = rows.objects.get(pk=uid)
    assert (row.health_report is None) == (row.reported_healthy is None)
    return row.reported_healthy, row.reported_status
