"""Opening pages as somebody, and reading what they show."""

import re
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agents.models import Agent
from telflo.base.access import Role
from tests.factories import make_person


def signed_in(role: Role = Role.VIEWER) -> Client:
    client = Client()
    client.force_login(make_person(role=role))
    return client


def page(path: str = "/collectors/", *, role: Role = Role.VIEWER) -> str:
    response = signed_in(role).get(path)
    assert response.status_code == 200, response
    return response.content.decode()


def names(html: str) -> list[str]:
    """The collectors in the list, in order."""
    return re.findall(r'<a class="name [^>]*>([^<]*)</a>', html)


def shown(query: str) -> list[str]:
    return names(page(f"/collectors/?{query}"))


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def posted(path: str, role: Role = Role.OPERATOR, **data: Any) -> HttpResponse:
    return signed_in(role).post(path, data)  # type: ignore[return-value]  # the test client's subclass


def tabs(agent: Agent) -> list[str]:
    names = ("detail", "configuration", "timeline", "attempts", "components", "messages")
    return [reverse(f"agents:{name}", args=[agent.pk]) for name in names]
