"""Hints for the gateways: look again at these agents, or close them. `telflo.base.hints` sends them."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final
from uuid import UUID

from telflo.base import hints

GATEWAYS: Final = "gateways"
"""The group that every gateway process joins."""
UIDS_PER_MESSAGE: Final = 5_000


def poke(uids: Iterable[UUID]) -> None:
    """Tell the gateways to look again at what these agents should have. `sent_at` is for measuring the way there."""
    for chunk in _chunks(uids):
        hints.send(GATEWAYS, {"type": "poke", "uids": chunk, "sent_at": time.time()})


def close_agents(uids: Iterable[UUID], reason: str) -> None:
    """Tell the gateways to close the connections of these agents, with a reason that the peer may read (S8)."""
    for chunk in _chunks(uids):
        hints.send(GATEWAYS, {"type": "close_agents", "uids": chunk, "reason": reason})


def close_tokens(token_ids: Iterable[UUID], reason: str) -> None:
    """Tell the gateways to close the connections that use these tokens, and to ask anew who holds them (S8)."""
    for chunk in _chunks(token_ids):
        hints.send(GATEWAYS, {"type": "close_tokens", "tokens": chunk, "reason": reason})


def _chunks(ids: Iterable[UUID]) -> Iterator[Sequence[str]]:
    rest = iter(sorted({one.hex for one in ids}))
    while chunk := list(islice(rest, UIDS_PER_MESSAGE)):
        yield chunk
