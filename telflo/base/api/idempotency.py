"""Idempotency-Key: a write that is sent again is done once, and answered as the first time, without its secrets."""

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from telflo.base.clock import now
from telflo.base.errors import DomainError
from telflo.base.models import IdempotencyRecord, User

_LONGEST_KEY = 255


def once(
    request: Request, handler: Callable[[], Response], *, key: str, secret_fields: Iterable[str]
) -> Response:
    """Run `handler` unless this person's `key` was answered before; then answer that again.

    Key, change and answer are stored in one transaction: after a crash either all of it happened or nothing. A
    handler that raises leaves no key behind. Raises DomainError (422) for a key that came with another request.
    """
    if not key.isprintable() or len(key) > _LONGEST_KEY:
        raise ValidationError({"Idempotency-Key": f"At most {_LONGEST_KEY} printable characters."})
    user, digest = request.user, _digest(request)
    assert isinstance(user, User), "access is checked before"
    with transaction.atomic():
        try:
            with transaction.atomic():
                # A second request with the key waits here until the first is through.
                kept = IdempotencyRecord.objects.create(
                    user=user, key=key, request_sha256=digest, created_at=now()
                )
        except IntegrityError:
            return _replay(IdempotencyRecord.objects.get(user=user, key=key), digest)
        response = handler()
        kept.status = response.status_code
        kept.body = _without(response.data, frozenset(secret_fields))
        kept.save(update_fields=["status", "body"])
    return response


def _replay(kept: IdempotencyRecord, digest: str) -> Response:
    if kept.request_sha256 != digest:
        raise DomainError(
            "This Idempotency-Key was used for another request. Use a new key for each write.",
            code="idempotency-key-reused",
        )
    return Response(kept.body, status=kept.status, headers={"Idempotent-Replayed": "true"})


def _digest(request: Request) -> str:
    http = request._request  # noqa: SLF001 - the body as it was sent, not as it was parsed
    head = f"{http.method} {http.get_full_path()}\n".encode()
    return hashlib.sha256(head + http.body).hexdigest()


def _without(data: Any, secret_fields: frozenset[str]) -> Any:
    """JSON values of the answer, less the fields that hold secrets, at any depth."""
    plain = json.loads(json.dumps(data, cls=JSONEncoder))
    return _pruned(plain, secret_fields)


def _pruned(value: Any, secret_fields: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {
            name: _pruned(part, secret_fields)
            for name, part in value.items()
            if name not in secret_fields
        }
    return [_pruned(part, secret_fields) for part in value] if isinstance(value, list) else value
