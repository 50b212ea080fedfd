"""PURE. What two texts mean differently, as far as both can be read."""

from dataclasses import dataclass

from configs.collector.difference import Catalogs, Change, Impact, difference, impact_of
from configs.collector.errors import ParseError
from configs.collector.model import model_of
from configs.collector.parse import parse
from configs.collector.written import as_written


@dataclass(frozen=True, slots=True)
class Meaning:
    """changes: with the names that the texts use; None when one of them cannot be read, and `fault` says why."""

    changes: tuple[Change, ...] | None
    impact: Impact = Impact.NOTHING
    fault: str = ""


def meaning_of(before: str, after: str, *, catalogs: Catalogs | None = None) -> Meaning:
    """The differences of two texts in meaning; catalogs: as for `difference`."""
    try:
        one, other = model_of(parse(before)), model_of(parse(after))
    except ParseError as error:
        return Meaning(None, fault=error.message)
    found = difference(one, other, catalogs=catalogs)
    return Meaning(tuple(as_written(change, one, other) for change in found), impact_of(found))
