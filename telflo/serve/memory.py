"""What a process with thousands of connections sets before it serves."""

import gc
import resource
from typing import Final

_THRESHOLDS: Final = (50_000, 50, 100)
"""The defaults look through 10,000 connections so often that they pause for half a second."""


def settle() -> None:
    """Everything has been imported: keep it out of the garbage collector's way, and take all the files that we may."""
    gc.set_threshold(*_THRESHOLDS)
    gc.collect()
    gc.freeze()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
