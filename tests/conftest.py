"""What all tests share."""

from collections.abc import Iterator

import pytest
from channels.layers import channel_layers
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _fresh_channel_layer() -> Iterator[None]:
    """A layer belongs to the event loop that used it first; each test has a loop of its own."""
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Rate limits and other cached counts start at zero."""
    cache.clear()
    yield
    cache.clear()
