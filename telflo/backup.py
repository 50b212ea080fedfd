"""`telflo backup FILE`: a whole copy of the SQLite database while the server runs.

It needs no settings: these make a data folder and keys where there are none, and a mistyped folder would look like one.
"""

import os
import sqlite3
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from telflo import env
from telflo.databases import database_from_url


class BackupFailed(Exception):
    """There is no copy; the text says why in one line."""


class Copied(NamedTuple):
    """What a copy holds."""

    people: int
    collectors: int


def run(arguments: Sequence[str]) -> int:
    """Copy the database of this environment; the exit code. Raises ImproperlyConfigured for a wrong variable."""
    parser = ArgumentParser(
        prog="telflo backup",
        description="Copy the SQLite database into FILE while the server runs. For PostgreSQL use pg_dump.",
    )
    parser.add_argument("file", type=Path, help="where the copy goes; it must not exist yet")
    file: Path = parser.parse_args(arguments).file
    source = source_of(database_from_url(env.secret("DATABASE_URL"), data=env.data_folder()))
    copied = back_up(source, file)
    sys.stdout.write(
        f"From {source}: {copied.people:,} people, {copied.collectors:,} collectors.\n"
        f"{file}: {file.stat().st_size:,} bytes. Keep the keys apart from it.\n"
    )
    return 0


def source_of(database: dict[str, object]) -> Path:
    """The file of an entry of DATABASES. Raises BackupFailed for PostgreSQL."""
    if not str(database["ENGINE"]).endswith("sqlite3"):
        raise BackupFailed("This database is PostgreSQL: use pg_dump (docs/operations.md).")
    return Path(str(database["NAME"])).absolute()


def back_up(source: Path, file: Path) -> Copied:
    """SQLite's own online backup: the server goes on writing meanwhile. Keys are not in it (docs/operations.md).

    Raises BackupFailed; nothing is made of a database that is not Telflo's, and a copy that is no good is removed.
    """
    try:
        # Read-only: SQLite would make a database that is missing.
        with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as database:
            _look_at(database)
            return _copied(database, file)
    except sqlite3.Error as error:
        raise BackupFailed(
            f"{source} is no database of Telflo: {error}. Set TELFLO_DATA or DATABASE_URL as the server has them."
        ) from error


def _look_at(database: sqlite3.Connection) -> None:
    """Raises sqlite3.Error where Telflo's tables are missing."""
    database.execute("SELECT 1 FROM django_migrations LIMIT 1").fetchone()
    _held(database)


def _copied(database: sqlite3.Connection, file: Path) -> Copied:
    try:
        # Whoever may read the copy reads everything that the server knows.
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise BackupFailed(f"{file}: {error.strerror}. Name a new file.") from error
    try:
        with closing(sqlite3.connect(file)) as copy:
            database.backup(copy)
            [(verdict,)] = copy.execute("PRAGMA integrity_check(1)").fetchall()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
            return _held(copy)
    except sqlite3.Error as error:
        file.unlink()
        raise BackupFailed(f"The copy failed: {error}.") from error


def _held(database: sqlite3.Connection) -> Copied:
    return Copied(
        *(
            database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608 - no input
            for table in ("base_user", "agents_agent")
        )
    )
