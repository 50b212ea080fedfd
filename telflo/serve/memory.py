"""What a process with thousands of connections sets before it serves."""

import gc
import resource
import sys
from typing import Final

_THRESHOLDS: Final = (50_000, 50, 100)
"""The defaults look through 10,000 connections so often that they pause for half a second."""
_SWITCH_S: Final = 0.001
"""While a thread computes what is to be stored, an answer waits for the interpreter so long, often several times. The
default is five times this.
"""


def settle() -> None:
    """Everything has been imported: keep it out of the garbage collector's way, answer while something is computed, and
    take all the files that we may.
    """
    gc.set_threshold(*_THRESHOLDS)
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_SWITCH_S)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
