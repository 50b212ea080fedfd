"""A backup of SQLite while the server writes."""

import sqlite3
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection

from telflo import cli
from telflo.backup import BackupFailed, back_up, source_of
from tests.factories import make_fleet


@pytest.mark.django_db(transaction=True)
def test_it_has_what_is_committed_and_nothing_else(tmp_path: Path) -> None:
    if connection.vendor != "sqlite":
        with pytest.raises(BackupFailed, match="use pg_dump"):
            source_of(settings.DATABASES["default"])
        return
    make_fleet(name="committed")
    source, file = source_of(connection.settings_dict), tmp_path / "copy"
    with sqlite3.connect(source) as writer:
        writer.execute("UPDATE fleets_fleet SET name = 'not yet'")  # an open transaction
        assert back_up(source, file) == (0, 0)
        writer.rollback()
    with sqlite3.connect(file) as copy:
        assert copy.execute("SELECT name FROM fleets_fleet").fetchall() == [("committed",)]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of the environment; it does not exist."""
    folder = tmp_path / "data"
    monkeypatch.setenv("TELFLO_DATA", str(folder))
    for name in ("DATABASE_URL", "DATABASE_URL_FILE"):
        monkeypatch.delenv(name, raising=False)
    return folder


def make_database(data: Path) -> Path:
    """As much of Telflo's database as a backup looks at: two people and three collectors."""
    data.mkdir()
    source = data / "telflo.sqlite3"
    with sqlite3.connect(source) as database:
        database.execute("PRAGMA journal_mode=WAL")
        for table in ("django_migrations", "base_user", "agents_agent"):
            database.execute(f"CREATE TABLE {table} (id)")
        database.executemany("INSERT INTO base_user VALUES (?)", [[1], [2]])
        database.executemany("INSERT INTO agents_agent VALUES (?)", [[uuid4().hex] for _ in "abc"])
    database.close()
    return source


def command(monkeypatch: pytest.MonkeyPatch, file: Path) -> Any:
    """The exit of `telflo backup FILE`: 0, or its line."""
    monkeypatch.setattr("sys.argv", ["telflo", "backup", str(file)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return caught.value.code


def test_it_says_where_from_and_what_the_copy_holds(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    source = make_database(data)
    assert command(monkeypatch, tmp_path / "copy") == 0
    out = capsys.readouterr().out
    assert f"From {source}: 2 people, 3 collectors." in out
    assert "Keep the keys apart" in out


def test_a_wrong_folder_is_refused_and_not_made(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = command(monkeypatch, tmp_path / "copy")
    assert str(data / "telflo.sqlite3") in line
    assert "Set TELFLO_DATA" in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_file_that_is_no_database_of_telflo_is_refused(
    content: bytes, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.mkdir()
    (data / "telflo.sqlite3").write_bytes(content)
    assert "is no database of Telflo" in command(monkeypatch, tmp_path / "copy")
    assert [file.name for file in data.iterdir()] == ["telflo.sqlite3"]
    assert not (tmp_path / "copy").exists()


def test_it_overwrites_nothing(tmp_path: Path) -> None:
    source, file = make_database(tmp_path / "data"), tmp_path / "copy"
    file.write_text("another backup")
    with pytest.raises(BackupFailed, match=r"File exists\. Name a new file"):
        back_up(source, file)
    assert file.read_text() == "another backup"
