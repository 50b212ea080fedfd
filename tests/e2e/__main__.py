"""``make e2e``: builds the real programs, then runs the end-to-end tests, each worker in a network of its own.

A collector's first run always opens port 8888, so two on one network disturb each other. Where the
system does not allow network namespaces there is a single worker, and nothing else may use that port.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.e2e import binaries, python_client

WORKERS: Final = 3
METRICS_PORT: Final = 8888

_HERE: Final = Path(__file__).parent
_ISOLATED: Final = _HERE / "isolated"


def main(arguments: list[str]) -> int:
    """Build, then test; answers the exit code."""
    code = binaries.main() or python_client.main()
    if code:
        return code
    if _may_isolate():
        return _test(*_workers(), *arguments)
    if _is_taken(METRICS_PORT):
        _say(
            f"port {METRICS_PORT} is in use, and no network namespace can be made: end what uses it"
        )
        return 1
    _say("no network namespaces here: the stories run one after another")
    return _test(*arguments)


def _test(*arguments: str) -> int:
    return int(pytest.main([str(_HERE), *arguments]))


def _workers() -> list[str]:
    """Pytest's arguments for several isolated workers."""
    # The workers' interpreter is named as a command line; execnet splits it as a shell does.
    worker = f"popen//python={shlex.join((str(_ISOLATED), sys.executable))}"
    # One test at a time to each: conftest has the longest at the front.
    return ["--dist", "load", "--maxschedchunk", "1", *(f"--tx={worker}" for _ in range(WORKERS))]


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _may_isolate() -> bool:
    probe = subprocess.run([_ISOLATED, "true"], capture_output=True, check=False)
    return probe.returncode == os.EX_OK


def _say(text: str) -> None:
    sys.stderr.write(f"e2e: {text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
