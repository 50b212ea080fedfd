"""Who may read the database of SQLite."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from telflo.secrets_store import encryption_keys
from telflo.serve.private import make_database, of_database


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_data_folder_is_its_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TELFLO_ENCRYPTION_KEYS", "TELFLO_ENCRYPTION_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)
    encryption_keys(tmp_path / "data")
    assert mode(tmp_path / "data") == 0o700


def test_a_new_database_is_its_owners_alone_with_what_sqlite_puts_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "telflo.sqlite3"
    make_database(file)
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE one (id)")
        assert {path.name[14:]: mode(path) for path in tmp_path.iterdir()} == {
            "": 0o600,
            "-wal": 0o600,
            "-shm": 0o600,
        }
    database.close()


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "telflo.sqlite3"
    file.write_text("x")
    make_database(file)
    assert (file.read_text(), mode(file)) == ("x", 0o644)


def test_one_that_others_can_read_is_said_in_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    file = tmp_path / "telflo.sqlite3"
    assert not list(of_database(file)), "there is none yet"
    file.touch(0o600)
    assert not list(of_database(file))
    Path(f"{file}-wal").touch(0o644)
    (line,) = of_database(file)
    assert f"chmod 600 {file}*" in line
    tmp_path.chmod(0o700)
    assert not list(of_database(file)), "nobody else gets into the folder"
