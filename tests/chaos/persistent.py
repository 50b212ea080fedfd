"""The API while web processes and the database come and go: asked again until somebody has done it, once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

import httpx

from tests.e2e.harness.api import Api, make_client

_WITHIN_S: Final = 120.0
_PAUSE_S: Final = 0.2


class PersistentApi(Api):
    """Asks the web processes in turn. A write that is sent again is the same one: it has a key."""

    def __init__(self, base_urls: Sequence[str], token: str) -> None:
        super().__init__(base_urls[0], token)
        self._each = [self._client, *(make_client(url, token) for url in base_urls[1:])]
        self._turns = itertools.cycle(self._each)

    def close(self) -> None:
        """Let go of all connections."""
        for client in self._each:
            client.close()

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """POST until it is answered; answers the JSON.

        Raises AssertionError when that is a refusal, and that or httpx.TransportError when it takes too long.
        """
        return self._json(self._answer("POST", path, body))

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """PATCH likewise."""
        return self._json(self._answer("PATCH", path, body))

    def post_if_possible(self, path: str, body: Mapping[str, Any]) -> bool:
        """POST likewise; answers False when the state of things does not allow it (409)."""
        answer = self._answer("POST", path, body)
        if answer.status_code == httpx.codes.CONFLICT:
            return False
        self._json(answer)
        return True

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        headers = {"Idempotency-Key": str(uuid4())}
        deadline = time.monotonic() + _WITHIN_S
        while True:
            try:
                client = next(self._turns)
                answer = client.request(method, path, json=body or {}, headers=headers)
                if not answer.is_server_error or time.monotonic() > deadline:
                    return answer
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_PAUSE_S)
