"""PURE. Signatures of webhooks, as Standard Webhooks 1.0 describes them (standardwebhooks.com)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
"""Of secrets; behind it the key in base64."""


def secret_of(key: bytes) -> str:
    """A key as people and receivers see it."""
    return PREFIX + base64.b64encode(key).decode()


def headers_of(
    secrets: Iterable[str], message_id: str, now: datetime, body: bytes
) -> dict[str, str]:
    """Id, time and one signature for each secret: a receiver that knows any of them can check it."""
    timestamp = int(now.timestamp())
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
