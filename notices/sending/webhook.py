"""One POST to a receiver: to the very address that was checked, without redirects, bounded in time and size."""

import ssl
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from functools import lru_cache
from typing import Final

import httpcore

from notices.sending.answers import Answer
from notices.sending.bounded import BoundedBackend, Resolve, TooLate, resolve
from notices.targets import BadUrl, Network
from telflo.base.redaction import redact_line

MOST_READ: Final = 1_024
SHOWN: Final = 200
_LONGEST_WAIT_S: Final = 86_400


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Sequence[Network],
    ca_file: str,
    within_s: float,
    resolver: Resolve = resolve,
) -> Answer:
    """Send it once and answer how it went; raises nothing that a receiver or the network can cause."""
    backend = BoundedBackend(
        allowed, is_plain=url.startswith("http:"), within_s=within_s, resolver=resolver
    )
    try:
        with (
            httpcore.ConnectionPool(
                ssl_context=_trusting(ca_file), network_backend=backend, max_connections=1
            ) as pool,
            pool.stream("POST", url, headers=list(headers.items()), content=body) as response,
        ):
            return _answer(response)
    except BadUrl as refused:
        return Answer(f"Refused: {refused}")
    except TooLate:
        return Answer(f"It did not answer within {within_s:.0f} s.")
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason or "the handshake failed"
        return Answer(f"TLS: {why}.")
    except (OSError, httpcore.NetworkError) as error:
        return Answer(f"No connection: {_reason(error)}.")
    except (httpcore.ProtocolError, UnicodeError):
        return Answer("What it answered is not HTTP.")


def _answer(response: httpcore.Response) -> Answer:
    text = redact_line(_beginning(response).decode(errors="replace"))
    shown = " ".join(text.split())[:SHOWN]
    status = response.status
    error = ""
    if 300 <= status < 400:
        error = f"It answered {status}: redirects are not followed. Give the address it leads to."
    elif not 200 <= status < 300:
        error = f"It answered {status}."
    return Answer(error, status, shown, _retry_after(response))


def _beginning(response: httpcore.Response) -> bytes:
    found = b""
    with closing(iter(response.iter_stream())) as chunks:  # type: ignore[type-var]  # it is a generator
        for chunk in chunks:
            found += chunk
            if len(found) >= MOST_READ:
                break
    return found[:MOST_READ]


def _retry_after(response: httpcore.Response) -> timedelta | None:
    for name, value in response.headers:
        if name.lower() == b"retry-after" and value.isdigit():
            return timedelta(seconds=min(int(value[:9]), _LONGEST_WAIT_S))
    return None


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")


@lru_cache(maxsize=2)
def _trusting(ca_file: str) -> ssl.SSLContext:
    """The usual authorities, and the private one of the installation."""
    context = httpcore.default_ssl_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
