"""What becomes of a text that is put into a draft."""

import pytest

from configs.drafting import Buffer, Fate, fate_of

THERE = Buffer("a", "0.158.0", 4)


def wanted(text: str = "b", lock_version: int | None = 4, version: str = "0.158.0") -> Buffer:
    return Buffer(text, version, lock_version)


@pytest.mark.parametrize(
    ("put", "there", "fate"),
    [
        (wanted(lock_version=None), None, Fate.BEGUN),
        (wanted(), None, Fate.GONE),
        (wanted(), THERE, Fate.WRITTEN),
        (wanted(version=""), THERE, Fate.WRITTEN),
        (wanted(lock_version=3), THERE, Fate.CHANGED),
        (wanted(lock_version=5), THERE, Fate.CHANGED),
        (wanted(lock_version=None), THERE, Fate.CHANGED),
        # Sent twice, since the first answer was lost: or the same idea of two people.
        (wanted("a", lock_version=3), THERE, Fate.KEPT),
        (wanted("a", lock_version=None), THERE, Fate.KEPT),
    ],
)
def test_nobody_overwrites_what_they_have_not_seen(
    put: Buffer, there: Buffer | None, fate: Fate
) -> None:
    assert fate_of(put, there) is fate
