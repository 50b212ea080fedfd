"""Making and hashing the secrets of all tokens and links: shown once, kept as a hash only."""

import hashlib
import secrets
from typing import NamedTuple


class NewSecret(NamedTuple):
    """A fresh secret, what people may see of it, and what is stored."""

    secret: str
    prefix: str
    secret_hash: str


def new_secret(kind: str) -> NewSecret:
    """A secret of 256 random bits such as `tlf_u_…` for the kind "tlf_u_"; its prefix shows 4 characters of it."""
    secret = kind + secrets.token_urlsafe(32)
    return NewSecret(secret, secret[: len(kind) + 4], hash_secret(secret))


def hash_secret(secret: str) -> str:
    """SHA-256 in hex. A fast hash suffices: the secrets are random, so there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()
