"""A receiver, and the setting that allows its address."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from tests.notices.receiver import Receiver, receiving


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A real HTTP server on loopback that webhooks may go to."""
    settings.WEBHOOK_ALLOW = [ip_network("127.0.0.1/32")]
    with receiving() as one:
        yield one
