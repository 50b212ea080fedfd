"""Text at rest that may hold secrets: compressed, then encrypted with the first key; any key decrypts (decision 23)."""

import zlib
from functools import lru_cache
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.db import models

_FAST: Final = 1
"""Level 6 makes a configuration a tenth smaller and takes twice as long."""


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(plain: bytes) -> bytes:
    """The cipher text of `plain` under the first of TELFLO_ENCRYPTION_KEYS."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS)).encrypt(zlib.compress(plain, _FAST))


def decrypt(cipher: bytes) -> bytes:
    """The plain bytes. Raises ImproperlyConfigured when none of the keys fits."""
    try:
        return zlib.decompress(_cipher(tuple(settings.ENCRYPTION_KEYS)).decrypt(cipher))
    except InvalidToken as error:
        raise ImproperlyConfigured(
            "TELFLO_ENCRYPTION_KEYS: none of the keys decrypts what is stored. Add the key it was stored with."
        ) from error


def rotate(cipher: bytes) -> bytes:
    """The same plain bytes under the first key."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS)).rotate(cipher)


class EncryptedTextField(models.BinaryField[str, str]):
    """A text that is encrypted in the database and plain in Python. It cannot be searched or ordered by."""

    def get_prep_value(self, value: Any) -> Any:
        """The bytes to store."""
        return None if value is None else encrypt(str(value).encode())

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        """The plain text of what was stored."""
        return None if value is None else decrypt(bytes(value)).decode()

    def to_python(self, value: Any) -> Any:
        """Plain text stays as it is."""
        return value

    def value_to_string(self, obj: models.Model) -> str:
        """For dumps: the cipher text stays out, since a dump is plain."""
        return ""

    def _check_str_default_value(self) -> list[CheckMessage]:
        # BinaryField refuses text defaults; here the Python side is text.
        return []
