"""Each serving process sets its memory before it says that it serves (telflo/serve/memory.py)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
SERVES: Final = """
import gc
import os
import signal

import django

django.setup()

from telflo.serve.{module} import {run}
from telflo.serve.sockets import bind

assert gc.get_freeze_count() == 0

def announce():
    left = len(gc.get_objects())
    print("settled", gc.get_freeze_count() > left, gc.get_threshold()[0])
    os.kill(os.getpid(), signal.SIGTERM)

{run}(bind("127.0.0.1", 0), announce=announce)
"""


@pytest.mark.parametrize(
    ("module", "run"), [("run", "run_here"), ("opamp_port", "run_gateway")], ids=["web", "gateway"]
)
def test_what_is_imported_is_out_of_the_collectors_way_when_it_serves(
    tmp_path: Path, module: str, run: str
) -> None:
    environment = {**os.environ, "TELFLO_DATA": str(tmp_path)}
    environment["DJANGO_SETTINGS_MODULE"] = "telflo.settings"
    command = [sys.executable, "-c", SERVES.format(module=module, run=run)]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert "settled True 50000" in ended.stdout.splitlines(), ended.stderr
