"""DATABASE_URL."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from telflo.databases import database_from_url


@pytest.mark.parametrize("url", ["", "sqlite:////data/x.sqlite3", "postgres://u:p@db:5432/telflo"])
def test_no_connection_outlives_its_request(url: str) -> None:
    # Under ASGI nobody would ever use it again.
    assert database_from_url(url, data=Path("/data")).get("CONN_MAX_AGE", 0) == 0


def test_an_escaped_password_is_read_as_it_was() -> None:
    found = database_from_url("postgres://u:p%40ss@db/telflo?sslmode=require", data=Path())
    assert (found["PASSWORD"], found["OPTIONS"]) == ("p@ss", {"sslmode": "require"})


@pytest.mark.parametrize("url", ["mysql://u@db/x", "postgres://u@db:notaport/x"])
def test_what_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        database_from_url(url, data=Path())
