"""Bars: widths that add up, rare states that stay visible, and words for who cannot see them."""

from telflo.ui.bars import Segment, describe, lay_out, ledger_cells, segments_of
from telflo.ui.templatetags.ui import bar, bar_key

COUNTS = {"in_sync": 1200, "failed": 5, "drifted": 9, "stale": 8, "disconnected": 23}


def test_a_bar_fills_its_thousand_units() -> None:
    rects = lay_out(segments_of("status", COUNTS))
    assert rects[0].x == 0
    assert abs(rects[-1].x + rects[-1].width - 1000) < 0.5


def test_a_rare_state_is_at_least_six_units_wide() -> None:
    rects = lay_out([Segment("fine", 100_000, "ok"), Segment("failed", 1, "fail")])
    assert rects[1].width == 6


def test_neighbours_are_three_units_apart() -> None:
    first, second = lay_out([Segment("a", 1, "ok"), Segment("b", 1, "fail")])
    assert round(second.x - first.x - first.width, 1) == 3


def test_nothing_counted_draws_nothing() -> None:
    assert lay_out([Segment("a", 0, "ok")]) == []
    assert describe([Segment("a", 0, "ok")]) == "none"


def test_states_of_one_tone_share_a_segment() -> None:
    merged = {s.tone: (s.label, s.count) for s in segments_of("status", COUNTS)}
    assert merged["warn"] == ("Drifted or stale", 17)
    assert merged["idle"] == ("Disconnected", 23)


def test_a_bar_says_its_numbers() -> None:
    drawn = bar(segments_of("status", COUNTS), "l")
    assert 'aria-label="1,200 in sync, 5 failed, 17 drifted or stale, 23 disconnected"' in drawn
    assert "style=" not in drawn


def test_a_key_links_where_there_is_an_address_and_escapes_words() -> None:
    drawn = bar_key([Segment("<v41>", 24, "a1", "/collectors/?version=1"), Segment("v40", 3, "a2")])
    assert '<a href="/collectors/?version=1">' in drawn
    assert "&lt;v41&gt;" in drawn
    assert "<span>" in drawn


def test_the_ledger_has_nine_cells_that_lead_to_their_rows() -> None:
    cells = ledger_cells(COUNTS, url="/collectors/", details={"failed": "+4 in 9 min"})
    assert len(cells) == 9
    failed = next(cell for cell in cells if cell.lamp.word == "Failed")
    assert (failed.url, failed.detail, failed.urgent) == (
        "/collectors/?status=failed",
        "+4 in 9 min",
        True,
    )
    assert not next(cell for cell in cells if cell.lamp.word == "Pending").urgent
