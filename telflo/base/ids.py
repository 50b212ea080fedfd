"""The only maker of ids: UUIDv7, so that keys sort by time and stay local in an index."""

import hashlib
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
    return _of(moment, (next(_serial) & 0xFFFF_FFFF) << 30 | secrets.randbits(30))


def id_of(moment: datetime, what: str, place: int) -> UUID:
    """The UUIDv7 of what happened at a moment, the same whenever it is asked for, so that it can be written again.

    place: counted among what is told together (up to LAST); of one moment those with a greater one are greater.
    """
    digest = hashlib.blake2b(what.encode(errors="surrogatepass"), digest_size=6).digest()
    return _of(moment, min(place, LAST) << 48 | int.from_bytes(digest))


def _of(moment: datetime, tail: int) -> UUID:
    micros = (moment - _EPOCH) // timedelta(microseconds=1)
    millis, rest = divmod(micros, 1_000)
    return UUID(int=millis << 80 | 0x7 << 76 | rest << 64 | 0b10 << 62 | tail)


LAST: Final = 0x3FFF


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_serial: Final = count()
