"""Our verdicts on configurations against those of real collectors (docs/validation.md, "Against real collectors")."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.verdicts.comparing import WANTED, Outcome, compared
from tests.e2e.verdicts.corpus import VERSIONS, cases_for

DOCUMENT: Final = Path(__file__).parents[3] / "docs" / "validation.md"
ENOUGH: Final = 400
_ROW: Final = re.compile(r"^\| `(.+?)` \|", re.MULTILINE)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_collector_and_we_say_the_same(version: str) -> None:
    cases = cases_for(version, all_of_them=False)
    assert len(cases) > ENOUGH
    found = compared(version, cases)
    assert not found.of(Outcome.FALSE_ALARM), found.told()
    assert found.share >= WANTED, found.told()
    listed = set(_ROW.findall(DOCUMENT.read_text()))
    assert {row.case.name for row in found.missed_beyond_settings} <= listed, found.told()
