"""What the first page of a process costs those who are connected to it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SERVES: Final = """
import socket
import sys

from telflo.serve import run

def serve(self, sockets):
    before = set(sys.modules)
    from django.urls import resolve
    resolve("/accounts/login/")
    print("imported", len(set(sys.modules) - before))

run.TelfloServer.run = serve
run.run_here(socket.socket())
"""


def test_all_that_pages_need_is_imported_before_anybody_connects(tmp_path: Path) -> None:
    environment = {**os.environ, "TELFLO_DATA": str(tmp_path)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "-c", SERVES]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.stdout.splitlines()[-1:] == ["imported 0"], ended.stderr
