"""The status vocabulary: complete, drawable, and loud about what it does not know."""

import pytest

from telflo.ui.nav import ITEMS
from telflo.ui.templatetags.ui import icon, lamp
from telflo.ui.vocabulary import COLLECTOR, VOCABULARY, lamp_for

DECIDED = {
    *("in_sync", "pending", "applying", "failed", "rolled_back", "drifted"),
    *("unmanaged", "stale", "disconnected"),
}


def test_every_collector_status_has_a_lamp() -> None:
    assert set(COLLECTOR) == DECIDED


def test_every_icon_of_the_vocabulary_and_the_navigation_exists() -> None:
    names = {lamp.icon for words in VOCABULARY.values() for lamp in words.values() if lamp.icon}
    for name in names | {item.icon for item in ITEMS}:
        assert icon(name).startswith("<svg")


def test_an_icon_carries_no_inline_style() -> None:
    drawn = icon("rocket", "i i-s")
    assert "style=" not in drawn
    assert 'class="i i-s"' in drawn
    assert 'aria-hidden="true"' in drawn


def test_a_lamp_is_colour_shape_and_word() -> None:
    drawn = lamp("status", "failed")
    assert 'class="lamp is-fail lit"' in drawn
    assert "<svg" in drawn
    assert drawn.endswith("Failed</span>")


def test_a_lamp_with_a_number_keeps_its_look() -> None:
    drawn = lamp("health", "unhealthy", word="Unhealthy: 1 component", big=True)
    assert 'class="lamp is-fail lit big"' in drawn
    assert "Unhealthy: 1 component" in drawn


def test_a_word_from_outside_is_escaped() -> None:
    assert "<b>" not in lamp("health", "healthy", word="<b>")


@pytest.mark.parametrize(("kind", "state"), [("status", "asleep"), ("mood", "failed")])
def test_an_unknown_state_names_the_known_ones(kind: str, state: str) -> None:
    with pytest.raises(KeyError, match="there is"):
        lamp_for(kind, state)
