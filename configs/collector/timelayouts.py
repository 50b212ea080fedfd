"""PURE. How times are written: layouts as log operators take them (contrib's internal/coreinternal/timeutils)."""

import re
from typing import Final

_DIRECTIVE: Final = re.compile("%.")
_KNOWN: Final = frozenset("YymoqbhBdegaAHlIpPMSLfsZzwijkDxFTXrRnt%c")
"""What may stand behind a %. Some mean something else than in C: %s are nanoseconds, %L milliseconds, %w an offset."""
_DIGIT: Final = re.compile("[0-9]")
_FRACTION: Final = re.compile("[^.,](%[Lfs])")
_NINES: Final = re.compile("[^.,9]9+")


def strptime_fault(layout: str) -> str:
    """What is wrong with a layout of directives, as a part of a sentence; "" for nothing."""
    if _DIGIT.search(layout):
        return "there are digits in it, write directives such as %Y in their place"
    fraction = _FRACTION.search(layout)
    if fraction:
        return f"{fraction[1]} has to stand behind a full stop or a comma"
    unknown = next((one for one in _DIRECTIVE.findall(layout) if one[1] not in _KNOWN), "")
    return f"there is no {unknown}" if unknown else ""


def gotime_fault(layout: str) -> str:
    """What is wrong with a layout in the words of Go's reference time, as a part of a sentence; "" for nothing."""
    return "the 9s have to stand behind a full stop or a comma" if _NINES.search(layout) else ""
