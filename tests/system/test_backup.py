"""A backup of SQLite while the server writes."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.factories import make_fleet

pytestmark = pytest.mark.django_db(transaction=True)


def backup(file: Path) -> None:
    call_command("backup", str(file))


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def test_it_has_what_is_committed_and_nothing_else(tmp_path: Path, capsys: Any) -> None:
    if not is_sqlite():
        with pytest.raises(CommandError, match="use pg_dump"):
            backup(tmp_path / "copy")
        return
    make_fleet(name="committed")
    file = tmp_path / "copy"
    with sqlite3.connect(connection.settings_dict["NAME"]) as writer:
        writer.execute("UPDATE fleets_fleet SET name = 'not yet'")  # an open transaction
        backup(file)
        writer.rollback()
    with sqlite3.connect(file) as copy:
        assert copy.execute("SELECT name FROM fleets_fleet").fetchall() == [("committed",)]
    assert file.stat().st_mode & 0o777 == 0o600
    assert "Keep the keys apart" in capsys.readouterr().out


def test_it_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "copy"
    file.write_text("another backup")
    with pytest.raises(CommandError, match=r"File exists\. Name a new file|use pg_dump"):
        backup(file)
    assert file.read_text() == "another backup"
