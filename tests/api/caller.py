"""A program that calls the REST API with a token."""

import json
from typing import Any

from django.test import Client

from telflo.base.access import Role
from telflo.base.models import TokenScope, User
from tests.factories import make_api_token, make_person


class Caller:
    """Calls /api/v1/ as JSON and answers status, headers and body."""

    def __init__(self, secret: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> "Answer":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.generic(
            method,
            f"/api/v1/{path}",
            data="" if body is None else json.dumps(body),
            content_type="application/json",
            headers={**self.headers, **named},
        )
        return Answer(response.status_code, dict(response.headers), response.content)


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.status = status
        self.headers = headers
        self.text = content.decode()

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    def problem(self, status: int) -> Any:
        """The body of a problem answer of this status."""
        assert self.status == status, self.text
        assert self.headers["Content-Type"] == "application/problem+json"
        assert self.body["status"] == status
        assert self.body["type"].startswith("urn:telflo:problem:")
        assert self.body["title"]
        return self.body


def caller(
    role: Role = Role.ADMIN, scope: TokenScope = TokenScope.WRITE, user: User | None = None
) -> Caller:
    """A caller with a token of a person of this role."""
    user = user or make_person(role=role)
    return Caller(make_api_token(user=user, scope=scope).secret)
