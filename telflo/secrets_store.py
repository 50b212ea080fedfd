"""Keys that a first start makes and keeps in the data folder, readable by their owner alone."""

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from telflo import env

_LEAST_LENGTH: Final = 32
_LEAST_DIFFERENT: Final = 5


def secret_key(data: Path) -> str:
    """TELFLO_SECRET_KEY, else the key kept in the data folder, made at the first start.

    Raises ImproperlyConfigured for one that could be guessed: who has it can sign in as anybody.
    """
    given = env.secret("TELFLO_SECRET_KEY")
    if not given:
        return _kept(data / "secret.key", secrets.token_urlsafe(50))
    if len(given) < _LEAST_LENGTH or len(set(given)) < _LEAST_DIFFERENT:
        raise ImproperlyConfigured(
            f"TELFLO_SECRET_KEY: give {_LEAST_LENGTH} random characters or more, as from `openssl rand -base64 48`."
        )
    return given


def encryption_keys(data: Path) -> list[str]:
    """TELFLO_ENCRYPTION_KEYS (comma-separated Fernet keys: the first encrypts, all decrypt), else one kept key."""
    given = env.secret("TELFLO_ENCRYPTION_KEYS")
    if given:
        return [_checked_key(key.strip()) for key in given.split(",") if key.strip()]
    return [_kept(data / "encryption.key", Fernet.generate_key().decode())]


def _checked_key(key: str) -> str:
    try:
        Fernet(key)
    except ValueError:
        raise ImproperlyConfigured(
            "TELFLO_ENCRYPTION_KEYS: each key is 32 bytes in URL-safe base64 (44 characters)."
        ) from None
    return key


def _kept(path: Path, fresh: str) -> str:
    """The file's text; when there is none, `fresh` is written there first (mode 0600, never overwritten).

    Raises ImproperlyConfigured for a folder that cannot be used.
    """
    try:
        return _read_or_made(path, fresh)
    except OSError as error:
        raise ImproperlyConfigured(
            f"TELFLO_DATA: {path} cannot be made or read: {error.strerror}. Name a folder of this user's."
        ) from error


def _read_or_made(path: Path, fresh: str) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(fresh)
    return fresh
