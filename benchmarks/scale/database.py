"""The database of a server under load: made from a template, and looked into from outside."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.scale.processes import Processes, with_children

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Template:
    """An installation to copy. url: its database; "" for SQLite in the folder. known: what prepare.py printed."""

    folder: Path
    url: str
    known: Mapping[str, Any]

    def copy(self, to: Path, name: str) -> "Installation":
        """One of its own, with the keys of the template."""
        shutil.copytree(self.folder, to)
        if not self.url:
            return Installation(to, "", self.known)
        with psycopg.connect(_named(self.url, "postgres"), autocommit=True) as connection:
            original = urlsplit(self.url).path[1:]
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"'.encode())
        return Installation(to, _named(self.url, name), self.known)


@dataclass(frozen=True, slots=True)
class Installation:
    """A data folder and a database, and what a load has to know of it."""

    folder: Path
    url: str
    known: Mapping[str, Any]

    def look(self) -> "Eye":
        """A connection of one's own."""
        if self.url:
            return psycopg.connect(self.url, autocommit=True)
        file = f"file:{self.folder}/telflo.sqlite3?mode=ro"
        return sqlite3.connect(file, uri=True, check_same_thread=False)


Eye = psycopg.Connection[Any] | sqlite3.Connection


def number(eye: Eye, statement: str) -> int:
    """The one number that a SELECT answers; 0 for none."""
    row = eye.execute(statement).fetchone()
    return int(row[0]) if row else 0


def environment(installation: Installation, *, redis: str, **more: str) -> dict[str, str]:
    """What a server is started with: limits out of the way of a load, and nothing of ours."""
    chosen = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(installation.folder),
        "DJANGO_SETTINGS_MODULE": "benchmarks.scale.settings",
        "TELFLO_DATA": str(installation.folder),
        "TELFLO_ENROLMENTS_PER_MINUTE": "10000000",
        "TELFLO_OPAMP_MESSAGES_PER_S": "1000000",
        "TELFLO_OPAMP_MESSAGE_BURST": "1000000",
        "TELFLO_LOG_LEVEL": "WARNING",
        "DATABASE_URL": installation.url,
        "REDIS_URL": redis,
        **more,
    }
    return {name: value for name, value in chosen.items() if value}


def make_template(folder: Path, *, url: str, redis: str) -> Template:
    """Fill an empty database."""
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.scale.prepare"]
    wanted = environment(Installation(folder, url, {}), redis=redis)
    done = subprocess.run(
        command, cwd=ROOT, env=wanted, stdout=subprocess.PIPE, text=True, check=True
    )
    return Template(folder, url, json.loads(done.stdout))


def postgres_processes() -> Processes:
    """PostgreSQL's, as tests/with-services started it."""
    file = Path(os.environ["SERVICES_DIR"]) / "pg" / "postmaster.pid"
    return with_children(int(file.read_text().split()[0]))


def _named(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
