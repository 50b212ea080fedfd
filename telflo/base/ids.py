"""The only maker of ids: UUIDv7, so that keys sort by time and stay local in an index."""

import secrets
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new UUIDv7 (RFC 9562)."""
    return uuid7()


def id_at(moment: datetime) -> UUID:
    """A new UUIDv7 of a moment, for what is written later than it happened; of one moment later ones are greater."""
    micros = (moment - _EPOCH) // timedelta(microseconds=1)
    millis, rest = divmod(micros, 1_000)
    tail = (next(_serial) & 0xFFFF_FFFF) << 30 | secrets.randbits(30)
    return UUID(int=millis << 80 | 0x7 << 76 | rest << 64 | 0b10 << 62 | tail)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_serial: Final = count()
