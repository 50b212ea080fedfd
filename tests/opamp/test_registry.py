"""What a process remembers of all its agents is bounded."""

import pytest

from opamp.registry import KnownTrees


@pytest.mark.rule("C4", "A5")
def test_only_so_many_component_hashes_are_remembered() -> None:
    """Each agent may name a new one in each message; a forgotten one is asked for once more."""
    known = KnownTrees(most=100)
    for number in range(1_000):
        known.add(f"{number:x}")
        assert f"{number:x}" in known
        assert len(known) <= 100
    known.add("a")
    known.add("a")
    assert "0" not in known
