"""Every list, overview and detail, page or API: the number of queries is fixed, however many rows there are."""

from typing import Final

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.pages import addresses
from benchmarks.seed import make_installation
from configs.views import component_use

pytestmark = pytest.mark.django_db

MOST: Final = 26
"""The overview asks most: eight panels, each with its own queries."""
STREAMED: Final = "collectors, csv"
"""Is read in blocks of 500: two queries a block."""


def queries_by_page(collectors: int) -> dict[str, int]:
    """The queries of each page of an installation that is gone afterwards, and of which a process has kept nothing."""
    component_use.versions, component_use.sets = component_use.Kept(), component_use.Kept()
    with transaction.atomic():
        made = make_installation(collectors)
        client = Client(SERVER_NAME="localhost")
        client.force_login(made.admin)
        counts = {name: _count(client, path) for name, path in addresses(client, made).items()}
        transaction.set_rollback(True)
    return counts


def _count(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path)
        assert response.status_code == 200, path
        if response.streaming:
            list(response.streaming_content)  # type: ignore[attr-defined]  # streams have it
        return len(queries)


def test_no_page_asks_more_when_there_is_more_to_show() -> None:
    few, many = queries_by_page(120), queries_by_page(520)
    # One block more.
    assert many.pop(STREAMED) - few.pop(STREAMED) == 2
    grown = {page: (few[page], n) for page, n in many.items() if n != few[page]}
    assert not grown
    over = {page: n for page, n in many.items() if n > MOST}
    assert not over
