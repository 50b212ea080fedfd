"""Every limit and time of this server that can be set, in one table: for the Limits page, the API, and the tests that
hold it against the settings and docs/operations.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from django.conf import settings

from telflo.ui.numbers import grouped, lasting

_BINARY: Final = (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024))


class Unit(StrEnum):
    """What a setting counts."""

    COUNT = "count"
    BYTES = "bytes"
    SECONDS = "seconds"
    PERCENT = "percent"
    A_SECOND = "count per second"
    BYTES_A_SECOND = "bytes per second"
    A_MINUTE = "count per minute"


@dataclass(frozen=True, slots=True)
class Value:
    """One setting of a limit.

    variable: of the environment · setting: its name in Django's settings, which hold it in `unit`, times as timedelta
    too · name: what it is of the limit, said behind the number, where there are several · zero: what 0 means, where
    that is no number.
    """

    variable: str
    setting: str
    unit: Unit = Unit.COUNT
    name: str = ""
    zero: str = ""

    @property
    def in_force(self) -> int:
        """The number in this process, in its unit."""
        found = getattr(settings, self.setting)
        return int(found.total_seconds() if isinstance(found, timedelta) else found)

    @property
    def words(self) -> str:
        """The same for people."""
        number = self.in_force
        return self.zero if self.zero and not number else _WORDS[self.unit](number)


@dataclass(frozen=True, slots=True)
class Limit:
    """What is limited, by which settings.

    over: what happens then · counters: who counts that, by `limit` of telflo_opamp_limits_hit.
    """

    what: str
    values: tuple[Value, ...] = ()
    over: str = ""
    counters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Limits of one kind."""

    title: str
    limits: tuple[Limit, ...]


def _bytes(number: int) -> str:
    for unit, size in _BINARY:
        if number >= size and number % size == 0:
            return f"{grouped(number // size)} {unit}"
    return f"{grouped(number)} bytes"


_WORDS: Final[Mapping[Unit, Callable[[int], str]]] = {
    Unit.COUNT: grouped,
    Unit.BYTES: _bytes,
    Unit.SECONDS: lasting,
    Unit.PERCENT: lambda number: f"{number} %",
    Unit.A_SECOND: lambda number: f"{grouped(number)} a second",
    Unit.BYTES_A_SECOND: lambda number: f"{_bytes(number)} a second",
    Unit.A_MINUTE: lambda number: f"{grouped(number)} a minute",
}


def _opamp(
    name: str, setting: str = "", unit: Unit = Unit.COUNT, of: str = "", **more: Any
) -> Value:
    return Value(f"TELFLO_OPAMP_{name}", f"OPAMP_{setting or name}", unit, of, **more)


_TREE: Final = _opamp("TREE_MIB", "TREE_BYTES", Unit.BYTES, "in size")
_DEPTH: Final = _opamp("DEPTH", of="deep")

_OF_A_MESSAGE: Final = Group(
    "One message of a collector",
    (
        Limit(
            "A message, after inflating",
            (_opamp("MESSAGE_MIB", "MESSAGE_BYTES", Unit.BYTES),),
            "closed with 1009, or 413",
            ("message_bytes",),
        ),
        Limit(
            "Its parts: fields of it and of all within it",
            (_opamp("PARTS"),),
            "BAD_REQUEST",
            ("parts",),
        ),
        Limit(
            "Attributes of a part",
            (
                _opamp("ATTRIBUTES", of="of them"),
                _opamp("ATTRIBUTE_KIB", "ATTRIBUTE_LENGTH", Unit.BYTES, "long"),
                _DEPTH,
            ),
            "BAD_REQUEST that names it",
            ("attributes",),
        ),
        Limit(
            "Health tree",
            (_opamp("HEALTH_COMPONENTS", of="components"), _DEPTH, _TREE),
            "BAD_REQUEST",
            ("health",),
        ),
        Limit(
            "Available components",
            (
                _opamp("COMPONENTS", of="entries"),
                _opamp("COMPONENT_DEPTH", of="deep"),
                _TREE,
            ),
            "BAD_REQUEST",
            ("components",),
        ),
        Limit(
            "Custom capabilities",
            (_opamp("CUSTOM_CAPABILITIES"),),
            "BAD_REQUEST",
            ("custom_capabilities",),
        ),
        Limit("Package statuses", (_opamp("PACKAGES"),), "BAD_REQUEST", ("packages",)),
        Limit(
            "An effective configuration",
            (
                _opamp("CONFIG_FILES", of="files"),
                _opamp("CONFIG_MIB", "CONFIG_BYTES", Unit.BYTES, "in all"),
            ),
            "BAD_REQUEST",
            ("effective_config",),
        ),
    ),
)

_OF_A_CONNECTION: Final = Group(
    "One connection",
    (
        Limit(
            "Collectors on it",
            (_opamp("AGENTS_PER_CONNECTION"),),
            "BAD_REQUEST",
            ("agents_per_connection",),
        ),
        Limit(
            "Messages; over plain HTTP those of one collector",
            (
                _opamp("MESSAGE_BURST", of="at once"),
                _opamp("MESSAGES_PER_S", unit=Unit.A_SECOND, of="after that"),
                _opamp("PACE_KIB", "PACE_BYTES", Unit.BYTES, "of a large one count as one"),
            ),
            "read later, or 429; nothing is lost",
            ("messages_per_s",),
        ),
        Limit(
            "New uids that a copied machine is told",
            (_opamp("NEW_UIDS"),),
            "BAD_REQUEST that says what to do",
            ("new_uids",),
        ),
    ),
)

_OF_A_TOKEN: Final = Group(
    "One token, and one address",
    (
        Limit(
            "What comes by a token, but for heartbeats, in each process",
            (
                _opamp("TOKEN_BURST_MIB", "TOKEN_BURST_BYTES", Unit.BYTES, "at once"),
                _opamp("TOKEN_MIB_PER_S", "TOKEN_BYTES_PER_S", Unit.BYTES_A_SECOND, "after that"),
            ),
            "not read: UNAVAILABLE, or 429",
            ("token_bytes",),
        ),
        Limit(
            "Connections by a token, in each process",
            (_opamp("CONNECTIONS_PER_TOKEN"),),
            "429",
            ("connections_per_token",),
        ),
        Limit(
            "Open requests over plain HTTP by a token, in each process",
            (_opamp("REQUESTS_PER_TOKEN"),),
            "429",
            ("requests_per_token",),
        ),
        Limit(
            "Of what waits for the database, what a token may fill",
            (_opamp("WAITING_SHARE_PERCENT", unit=Unit.PERCENT),),
            "UNAVAILABLE, or 503, for that token alone",
            ("waiting_share",),
        ),
        Limit(
            "Of reports that wait to be written, what a token may fill",
            (_opamp("BUFFER_SHARE_PERCENT", unit=Unit.PERCENT),),
            "UNAVAILABLE, or 503, for that token alone",
            ("buffer_share",),
        ),
        Limit(
            "New collectors by a token, in all processes together",
            (Value("TELFLO_ENROLMENTS_PER_MINUTE", "ENROLMENTS_PER_MINUTE", Unit.A_MINUTE),),
            "UNAVAILABLE, or 503",
            ("newcomers",),
        ),
        Limit(
            "Refused attempts of an address, or of a collector, that are looked at",
            (Value("TELFLO_REFUSALS_PER_MINUTE", "REFUSALS_PER_MINUTE", Unit.A_MINUTE),),
            "429, or UNAVAILABLE",
            ("refusals_per_minute",),
        ),
    ),
)

_OF_A_PROCESS: Final = Group(
    "One process",
    (
        Limit("Sockets", (_opamp("CONNECTIONS"),), "closed at once", ("connections",)),
        Limit(
            "Sockets that have not sent a request",
            (_opamp("HANDSHAKES"),),
            "the oldest is closed",
            ("handshakes",),
        ),
        Limit("Open requests over plain HTTP", (_opamp("REQUESTS"),), "503", ("requests",)),
        Limit(
            "Handshakes and new collectors that wait for the database",
            (_opamp("WAITING"),),
            "503",
            ("waiting",),
        ),
        Limit(
            "What these said meanwhile",
            (
                _opamp("WAITING_MESSAGES", of="messages of each"),
                _opamp("WAITING_MIB", "WAITING_BYTES", Unit.BYTES, "of all"),
            ),
            "UNAVAILABLE, or 503",
            ("waiting_messages", "waiting_bytes"),
        ),
        Limit(
            "Messages that have begun to come",
            (_opamp("UNFINISHED_MIB", "UNFINISHED_BYTES", Unit.BYTES),),
            "the oldest of the token that holds most is cut",
            ("unfinished",),
        ),
        Limit(
            "Reports that wait to be written",
            (
                _opamp("BUFFER_ROWS", of="sessions"),
                _opamp("BUFFER_MIB", "BUFFER_BYTES", Unit.BYTES, "of memory"),
            ),
            "UNAVAILABLE, or 503",
            ("buffer",),
        ),
    ),
)

_OF_TIME: Final = Group(
    "How long a peer is waited for",
    (
        Limit(
            "A request's headers",
            (
                _opamp("HEADER_KIB", "HEADER_BYTES", Unit.BYTES, "in size"),
                _opamp("HANDSHAKE_S", unit=Unit.SECONDS, of="to arrive"),
            ),
            "431, or 408",
            ("header_bytes", "handshake_s"),
        ),
        Limit(
            "The first message of a connection",
            (_opamp("FIRST_MESSAGE_S", unit=Unit.SECONDS),),
            "closed with 1008",
            ("first_message_s",),
        ),
        Limit(
            "A body, or a message in parts",
            (_opamp("MESSAGE_S", unit=Unit.SECONDS),),
            "408, or cut",
            ("message_s",),
        ),
        Limit(
            "A peer that takes nothing; a second more for each 64 KiB",
            (_opamp("SEND_TIMEOUT_S", unit=Unit.SECONDS),),
            "cut",
            ("send_timeout_s",),
        ),
        Limit(
            "A silent peer, until it is asked, and for its answer",
            (_opamp("PING_S", unit=Unit.SECONDS),),
            "cut",
            ("ping_s",),
        ),
        Limit(
            "Who is turned away comes back after, at least",
            (_opamp("RETRY_AFTER_S", unit=Unit.SECONDS),),
        ),
    ),
)

_OF_COLLECTORS: Final = Group(
    "What counts, and what is kept",
    (
        Limit(
            "An offer without an answer has failed after",
            (Value("TELFLO_APPLY_TIMEOUT_S", "APPLY_TIMEOUT", Unit.SECONDS),),
        ),
        Limit(
            "A collector that is not seen is stale after",
            (Value("TELFLO_STALE_AFTER_HOURS", "STALE_AFTER", Unit.SECONDS),),
        ),
        Limit(
            "One that is not heard is forgotten after",
            (Value("TELFLO_FORGET_AFTER_DAYS", "FORGET_AFTER", Unit.SECONDS, zero="never"),),
        ),
        Limit(
            "Timelines are kept for",
            (Value("TELFLO_KEEP_EVENTS_DAYS", "KEEP_AGENT_EVENTS", Unit.SECONDS),),
        ),
        Limit(
            "The activity log is kept for",
            (Value("TELFLO_KEEP_ACTIVITY_DAYS", "KEEP_ACTIVITY", Unit.SECONDS),),
        ),
        Limit(
            "A statement that PostgreSQL does not answer is given up after",
            (Value("TELFLO_DATABASE_ANSWER_S", "DATABASE_ANSWER_S", Unit.SECONDS),),
        ),
    ),
)

_OTHERS: Final = Group(
    "Other reasons to turn somebody away",
    (
        Limit("The database or Redis does not answer", (), "UNAVAILABLE, or 503", ("away",)),
        Limit("The process stops", (), "503", ("stopping",)),
        Limit(
            "A newer request of the same collector was let in meanwhile",
            (),
            "asked to send it again",
            ("overtaken",),
        ),
        Limit("An answer is larger than a message may be", (), "not sent", ("send_bytes",)),
        Limit("A hash has more than 64 bytes", (), "BAD_REQUEST", ("hash",)),
        Limit(
            "Refused attempts of more than 1,000 kinds within 2 s",
            (),
            "not written down",
            ("refusal_log",),
        ),
    ),
)

GROUPS: Final = (
    _OF_A_MESSAGE,
    _OF_A_CONNECTION,
    _OF_A_TOKEN,
    _OF_A_PROCESS,
    _OF_TIME,
    _OF_COLLECTORS,
    _OTHERS,
)
