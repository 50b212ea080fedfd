"""Bytes that are written often and read seldom: compressed, and opaque to the database."""

import zlib
from typing import Any, Final

from django.db import models

_FAST: Final = 1


class CompressedField(models.BinaryField[bytes | None, bytes | None]):
    """Bytes that are compressed in the database and as they were in Python."""

    def get_prep_value(self, value: Any) -> Any:
        """What is stored."""
        return None if value is None else zlib.compress(value, _FAST)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> bytes | None:
        """What was given to be stored."""
        return None if value is None else zlib.decompress(value)
