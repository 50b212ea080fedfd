"""The filter bar above a list, as values: templates/cotton/filter.html draws it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a filter. count: how many rows it leaves, None where that is not counted."""

    value: str
    label: str
    on: bool
    count: int | None = None
