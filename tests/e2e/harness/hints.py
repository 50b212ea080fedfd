"""Hints that servers heard: a change that is told at once was told by one, and not found at the next look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.harness.waiting import Evidence, wait_until

BEFORE_THE_NEXT_LOOK: Final = timedelta(seconds=4)
"""The least time between two looks of a server at what everybody should have. By the server's own clock."""
_REPORTED_S: Final = 60
"""Processes tell every few seconds what they count; a busy machine takes longer."""


@contextmanager
def a_hint_is_heard(base_url: str, evidence: Evidence) -> Iterator[None]:
    """What the block does reaches a process that holds agents by a hint; its counter says so afterwards."""
    before = _heard(base_url)
    yield
    wait_until(
        lambda: _heard(base_url) > before,
        what="a hint is heard",
        within_s=_REPORTED_S,
        evidence=evidence,
    )


def _heard(base_url: str) -> float:
    """By all processes together."""
    text = httpx.get(f"{base_url}/metrics", timeout=20).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "telflo_opamp_poke_seconds_count"
    )
