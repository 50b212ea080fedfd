"""Each limit that operations.md lists can be set by the variable that it names, and the gateway goes by it (A5)."""

import re
from pathlib import Path

import pytest
from django.conf import settings as known
from pytest_django.fixtures import Settings

from telflo.serve.gateway import gateway_options

pytestmark = pytest.mark.rule("A5")

ROOT = Path(__file__).parents[2]


def test_each_variable_of_the_table_is_read() -> None:
    table = (ROOT / "docs" / "operations.md").read_text().partition("| what | limit |")[2]
    rows = table.partition("\n\n")[0]
    named = {f"TELFLO_{name}" for name in re.findall(r"`TELFLO_([A-Z_]+)`", rows)}
    named |= {f"TELFLO_OPAMP{name}" for name in re.findall(r"`…(_[A-Z_]+)`", rows)}
    source = (ROOT / "telflo" / "opamp_settings.py").read_text()
    assert named - set(re.findall(r'"(TELFLO_[A-Z_]+)"', source)) == set()


def test_each_is_what_the_gateway_goes_by(settings: Settings) -> None:
    before, without = gateway_options(), []
    for name in filter(_is_number, dir(known)):
        value = getattr(known, name)
        setattr(settings, name, value + 1)
        if gateway_options() == before:
            without.append(name)
        setattr(settings, name, value)
    assert without == ["OPAMP_PORT"]


def _is_number(name: str) -> bool:
    return name.startswith("OPAMP_") and isinstance(getattr(known, name), int | float)
