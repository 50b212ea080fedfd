"""The trees that are known become reports. The old column stays, empty, for servers that still run the release before."""

from datetime import datetime

from django.db import migrations, transaction

from agents.health import health_to_json
from agents.snapshot import ComponentHealth
from opamp.protocol.health import read_tree, write_tree

BATCH = 200
"""Rows per transaction: locks are short, and what was done stays when it is interrupted."""


def fill(apps, editor):
    """Move each tree into its report. Can be run again."""
    _move(apps, editor, "health_tree", _as_report)


def empty(apps, editor):
    """Move each report back into its tree."""
    _move(apps, editor, "health_report", _as_tree)


def _move(apps, editor, column, values):
    alias = editor.connection.alias
    rows = apps.get_model("agents", "AgentStatus").objects.using(alias)
    full = rows.filter(**{f"{column}__isnull": False}).order_by("pk").select_for_update(no_key=True)
    moved = True
    while moved:
        with transaction.atomic(alias):
            moved = list(full.values_list("pk", column)[:BATCH])
            for pk, value in moved:
                rows.filter(pk=pk).update(**{column: None}, **values(value))


def _as_report(tree):
    root = _read(tree)
    return {
        "health_report": write_tree(root),
        "reported_healthy": root.healthy,
        "reported_status": root.status,
    }


def _as_tree(report):
    return {
        "health_tree": health_to_json(read_tree(report)),
        "reported_healthy": None,
        "reported_status": "",
    }


def _read(tree):
    return ComponentHealth(
        healthy=tree["healthy"],
        status=tree["status"],
        last_error=tree["last_error"],
        started_at=_time(tree["started_at"]),
        status_at=_time(tree["status_at"]),
        attributes=tree["attributes"],
        components={name: _read(child) for name, child in tree["components"].items()},
    )


def _time(text):
    return datetime.fromisoformat(text) if text else None


class RemoveFromState(migrations.RemoveField):
    """The column stays where a server of the release before may still run; SQLite's tables are made anew later anyway."""

    def database_forwards(self, app_label, editor, from_state, to_state):
        if editor.connection.vendor == "sqlite":
            super().database_forwards(app_label, editor, from_state, to_state)

    def database_backwards(self, app_label, editor, from_state, to_state):
        if editor.connection.vendor == "sqlite":
            super().database_backwards(app_label, editor, from_state, to_state)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("agents", "0009_health_reports")]

    operations = [
        migrations.RunPython(fill, empty),
        RemoveFromState("agentstatus", "health_tree"),
    ]
