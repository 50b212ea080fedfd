"""Going through all collectors of a process without keeping the event loop from answering any of them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

Thing = TypeVar("Thing")

_AT_ONCE: Final = 250
"""About a quarter of a millisecond of work."""


async def some_at_a_time(things: Sequence[Thing], do: Callable[[Thing], object]) -> None:
    """Do something with each; after some of them everybody else has a turn."""
    for start in range(0, len(things), _AT_ONCE):
        for thing in things[start : start + _AT_ONCE]:
            do(thing)
        await asyncio.sleep(0)
