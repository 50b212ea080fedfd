"""Numbers as people read them."""


def grouped(value: int) -> str:
    """Write an integer with thousands apart: 1284 -> `1,284`."""
    return f"{value:,}"


def counted(value: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: `1 collector`, `1,284 collectors`."""
    return f"{grouped(value)} {noun if value == 1 else plural or noun + 's'}"


def percent(part: float, whole: float) -> str:
    """Write a share: `93.5 %`; of nothing it is `0 %`."""
    if not whole:
        return "0 %"
    share = 100 * part / whole
    if 0 < share < 0.1:
        return "< 0.1 %"
    return f"{share:.1f}".removesuffix(".0") + " %"


def shortened(value: str, head: int = 8, tail: int = 6) -> str:
    """Cut the middle out of an id or hash: `019a4c1e…28815b`."""
    return value if len(value) <= head + tail + 1 else f"{value[:head]}…{value[-tail:]}"


def lasting(seconds: int) -> str:
    """Write how long something takes, in the largest unit that is exact: `90 s`, `5 min`, `2 h`, `3 d`."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
