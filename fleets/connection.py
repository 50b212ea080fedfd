"""What a fleet offers its collectors as connection settings. Access is checked by the caller; changes are logged."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction

from agents import notify
from agents.snapshot import UNSET, Unset
from fleets.addresses import http_address
from fleets.connection_offer import Destination, Signal
from fleets.credentials import offer_again
from fleets.models import ConnectionSettings, Fleet
from fleets.own_address import knows_own_address
from telflo.base import activity, clock
from telflo.base.activity import Actor
from telflo.base.errors import Conflict, DomainError
from telflo.base.hints import touch_on_commit
from telflo.base.ids import new_id

SHORTEST_HEARTBEAT_S: Final = 5
LONGEST_HEARTBEAT_S: Final = 3_600
MOST_HEADERS: Final = 20
_LONGEST_URL: Final = 1_000
_LONGEST_VALUE: Final = 4_096
_LONGEST_CA: Final = 64 * 1024
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#%&'*+.^_|~-]{1,100}\Z")
# Supervisors put endpoint and values into YAML as they are: nothing in them may end the text that they stand in.
_HEADER_VALUE: Final = re.compile(r'[^\x00-\x1f\x7f"\\]*\Z')
_ENDPOINT: Final = re.compile(r"https?://[A-Za-z0-9._~:/?&=%@,;+\[\]-]+\Z")


@dataclass(frozen=True, slots=True)
class NewDestination:
    """Where one kind of own telemetry shall go. headers and ca_pem None: keep those that are stored."""

    endpoint: str
    headers: Mapping[str, str] | None = None
    ca_pem: str | None = None

    def __repr__(self) -> str:
        """Without the headers: they hold secrets."""
        return f"NewDestination({self.endpoint})"


def connection_of(fleet: Fleet) -> ConnectionSettings:
    """The fleet's connection settings; where none are stored, a row with what holds then."""
    found = ConnectionSettings.objects.filter(fleet=fleet).first()
    return found or ConnectionSettings(fleet=fleet, updated_at=fleet.updated_at)


def destinations_of(wish: ConnectionSettings) -> dict[Signal, Destination]:
    """Its destinations with their secrets."""
    stored = json.loads(wish.destinations)
    return {Signal(name): Destination(**stored[name]) for name in Signal if name in stored}


def update_connection(
    *,
    fleet: Fleet,
    actor: Actor,
    heartbeat_s: int | None | Unset = UNSET,
    own_credentials: bool | Unset = UNSET,
    telemetry: Mapping[Signal, NewDestination | None] | None = None,
    reason: str = "",
) -> ConnectionSettings:
    """Change what is given; a destination None is removed. Connected collectors are offered it at once.

    Raises DomainError, whose field names the value at fault.
    """
    if fleet.archived_at is not None:
        raise Conflict(f"The fleet {fleet} is archived.", code="archived")
    with transaction.atomic():
        Fleet.objects.select_for_update(no_key=True).get(pk=fleet.pk)
        wish = connection_of(fleet)
        before, marks = _shown(wish), wish.marks
        if not isinstance(heartbeat_s, Unset):
            wish.heartbeat_s = _check_heartbeat(heartbeat_s)
        if not isinstance(own_credentials, Unset):
            wish.own_credentials = _check_own(own_credentials)
        _put_destinations(wish, telemetry or {})
        after = _shown(wish)
        if (after, wish.marks) == (before, marks):
            return wish
        wish.updated_at = clock.now()
        _save(wish, destinations=wish.marks != marks)
        activity.record(
            actor=actor,
            action="fleet.connection",
            obj=fleet,
            before=before,
            after=after,
            reason=reason,
        )
        _tell(fleet)
    return wish


def _save(wish: ConnectionSettings, *, destinations: bool) -> None:
    """Secrets are written when they change alone: rotate_encryption may be writing them anew."""
    changed = ["heartbeat_s", "own_credentials", "updated_at"]
    if destinations:
        changed += ["destinations", "marks"]
    row = ConnectionSettings.objects.filter(pk=wish.pk)
    if not row.update(**{name: getattr(wish, name) for name in changed}):
        wish.save(force_insert=True)


def _put_destinations(
    wish: ConnectionSettings, changes: Mapping[Signal, NewDestination | None]
) -> None:
    """A destination that differs gets a new mark, so that collectors are offered it."""
    known = destinations_of(wish)
    marks = dict(wish.marks)
    for signal, change in changes.items():
        made = None if change is None else _destination(signal, change, known.get(signal))
        if made == known.get(signal):
            continue
        if made is None:
            known.pop(signal, None)
            marks.pop(signal, None)
        else:
            known[signal] = made
            marks[signal] = new_id().hex
    wish.marks = marks
    wish.destinations = json.dumps(
        {
            signal.value: {
                "endpoint": one.endpoint,
                "headers": dict(one.headers),
                "ca_pem": one.ca_pem,
            }
            for signal, one in known.items()
        }
    )


def _destination(signal: Signal, change: NewDestination, known: Destination | None) -> Destination:
    endpoint = change.endpoint.strip()
    _check_endpoint(signal, endpoint)
    headers = known.headers if known else {}
    if change.headers is not None:
        headers = _check_headers(signal, change.headers)
    elif known and headers and _origin(known.endpoint) != _origin(endpoint):
        # Else whoever may change the address could read the secrets there.
        raise DomainError(
            "The headers were given for another address. Type them again.",
            field=f"{signal}_headers",
        )
    ca_pem = known.ca_pem if known else ""
    if change.ca_pem is not None:
        ca_pem = _check_ca(signal, change.ca_pem)
    return Destination(endpoint, headers, ca_pem)


def _check_heartbeat(heartbeat_s: int | None) -> int | None:
    if heartbeat_s is not None and not SHORTEST_HEARTBEAT_S <= heartbeat_s <= LONGEST_HEARTBEAT_S:
        raise DomainError(
            f"A heartbeat interval is {SHORTEST_HEARTBEAT_S} to {LONGEST_HEARTBEAT_S} seconds.",
            field="heartbeat_s",
        )
    return heartbeat_s


def _check_own(own_credentials: bool) -> bool:
    if own_credentials and not knows_own_address():
        raise DomainError(
            "Collectors have to be told where to connect, and this server does not know its address."
            " Set TELFLO_BASE_URL or TELFLO_OPAMP_URL.",
            field="own_credentials",
        )
    return own_credentials


def _check_endpoint(signal: Signal, endpoint: str) -> None:
    parts = http_address(endpoint)
    if len(endpoint) > _LONGEST_URL or not _ENDPOINT.match(endpoint) or parts is None:
        raise DomainError(
            "Give the whole address, such as https://otlp.example.com/v1/metrics.",
            field=f"{signal}_endpoint",
        )
    if "@" in parts.netloc:
        raise DomainError(
            "The address holds a user or a password. Put them into a header.",
            field=f"{signal}_endpoint",
        )


def _check_headers(signal: Signal, headers: Mapping[str, str]) -> dict[str, str]:
    field = f"{signal}_headers"
    if len(headers) > MOST_HEADERS:
        raise DomainError(f"At most {MOST_HEADERS} headers are taken.", field=field)
    for name, value in headers.items():
        if not _HEADER_NAME.match(name):
            raise DomainError("A header's name has letters, digits and dashes only.", field=field)
        if len(value) > _LONGEST_VALUE or not _HEADER_VALUE.match(value):
            raise DomainError(
                f"The value of {name} holds a quote, a backslash or a line break, or is too long.",
                field=field,
            )
    return dict(headers)


def _check_ca(signal: Signal, ca_pem: str) -> str:
    ca_pem = ca_pem.strip()
    if ca_pem and not ca_pem.startswith("-----BEGIN CERTIFICATE-----"):
        raise DomainError("That is no certificate in PEM form.", field=f"{signal}_ca_pem")
    if len(ca_pem) > _LONGEST_CA or "PRIVATE KEY" in ca_pem:
        raise DomainError("Give the CA's certificates and nothing else.", field=f"{signal}_ca_pem")
    return ca_pem


def _origin(url: str) -> tuple[str, str]:
    """Of a URL that _check_endpoint let pass."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _shown(wish: ConnectionSettings) -> dict[str, Any]:
    """For the activity log: names of headers, never their values."""
    return {
        "heartbeat_s": wish.heartbeat_s,
        "own_credentials": wish.own_credentials,
        "own_telemetry": {
            signal.value: {
                "endpoint": one.endpoint,
                "header_names": sorted(one.headers),
                "has_ca": bool(one.ca_pem),
            }
            for signal, one in destinations_of(wish).items()
        },
    }


def _tell(fleet: Fleet) -> None:
    uids: list[UUID] = list(fleet.memberships.values_list("agent_id", flat=True))
    offer_again(uids)
    transaction.on_commit(partial(notify.poke, uids), robust=True)
    touch_on_commit(["fleets", f"fleet:{fleet.pk}"])
