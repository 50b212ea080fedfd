"""SQLite's files, for the server's own user alone: they hold everything that it knows but the keys."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE
from typing import Final

_OTHERS: Final = 0o077
"""What the group and everybody may do."""


def make_database(file: Path) -> None:
    """An empty file with mode 0600 where there is none: SQLite opens files with the umask's, `-wal` and `-shm` like it.

    A folder that cannot be used is left to the database, which says so.
    """
    with suppress(OSError):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def of_database(file: Path) -> Iterator[str]:
    """A line for the terminal where other users of this machine can reach the file, or what lies beside it."""
    with suppress(OSError):
        folder = _mode(file.parent)
        names = [one for end in ("", "-wal", "-shm") if (one := Path(f"{file}{end}")).exists()]
        modes = [_mode(one) for one in names]
        if folder & _OTHERS and any(mode & _OTHERS for mode in modes):
            yield (
                f"Other users of this machine can read the database {file} (mode {modes[0]:04o}, its folder"
                f" {folder:04o}). Run `chmod 700 {file.parent}; chmod 600 {file}*`."
            )


def _mode(path: Path) -> int:
    return S_IMODE(path.stat().st_mode)
