"""`telflo backup FILE`: a whole copy of the SQLite database while the server runs."""

import os
import sqlite3
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection


class Command(BaseCommand):
    """SQLite's own online backup: the server goes on writing meanwhile. Keys are not in it (docs/operations.md)."""

    help = "Copy the SQLite database into FILE while the server runs. For PostgreSQL use pg_dump."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add FILE."""
        parser.add_argument("file", type=Path, help="where the copy goes; it must not exist yet")

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        """Copy, check the copy, say how large it is. Raises CommandError; a copy that is no good is removed."""
        if connection.vendor != "sqlite":
            raise CommandError("This database is PostgreSQL: use pg_dump (docs/operations.md).")
        try:
            # Whoever may read the copy reads everything that the server knows.
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}. Name a new file.") from error
        try:
            _copy(str(connection.settings_dict["NAME"]), file)
        except sqlite3.Error as error:
            file.unlink()
            raise CommandError(f"The copy failed: {error}.") from error
        self.stdout.write(f"{file}: {file.stat().st_size:,} bytes. Keep the keys apart from it.")


def _copy(source: str, target: Path) -> None:
    with closing(sqlite3.connect(source)) as database, closing(sqlite3.connect(target)) as copy:
        database.backup(copy)
        [(verdict,)] = copy.execute("PRAGMA integrity_check(1)").fetchall()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)
