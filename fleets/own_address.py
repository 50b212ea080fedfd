"""Where collectors reach this server, as offers tell it: the address, and the private CA that vouches for it."""

import hashlib
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from fleets.quickdeploy.plan import opamp_endpoint


def knows_own_address() -> bool:
    """Whether agents can be told where to connect."""
    return bool(settings.OPAMP_URL or settings.BASE_URL)


def own_endpoint(transport: str) -> str:
    """Where agents connect, for the transport that they use: the scheme chooses it."""
    return opamp_endpoint(_url(), transport)


def offered_endpoint() -> str:
    """The address in offers to agents on WebSockets, "" while it is not known."""
    return own_endpoint("ws") if knows_own_address() else ""


def own_ca_pem() -> str:
    """The private CA, "" for the system's. Raises OSError when the file cannot be read."""
    # Certificates are ASCII; comments between them may be anything.
    return Path(settings.CA_FILE).read_text("utf-8", "replace") if settings.CA_FILE else ""


def own_place() -> str:
    """What tells address and CA together from others, lower-case hex; "" while either is not to be had."""
    if not knows_own_address():
        return ""
    try:
        version = Path(settings.CA_FILE).stat().st_mtime_ns if settings.CA_FILE else 0
        return _digest(_url(), str(settings.CA_FILE), version)
    except OSError:
        return ""


def _url() -> str:
    return settings.OPAMP_URL or f"{str(settings.BASE_URL).rstrip('/')}/v1/opamp"


@lru_cache(maxsize=4)
def _digest(url: str, ca_file: str, version: int) -> str:
    """Read anew when the file is of another time."""
    return hashlib.sha256(f"{url}\n{own_ca_pem()}".encode()).hexdigest()
