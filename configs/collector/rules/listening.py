"""PURE. Addresses: who may reach the collector, and whether two parts want one port (rules S05, L07, L11, L14, L15)."""

import re
from collections.abc import Iterator
from typing import Final

from configs.collector.findings import Fix, Severity
from configs.collector.names import Kind
from configs.collector.rules.addresses import (
    LOCAL,
    WILDCARDS,
    Listener,
    endpoint_key,
    listeners,
    parted,
)
from configs.collector.rules.hit import Hit, place
from configs.collector.rules.rule import SECURITY, Rule, core, rule
from configs.collector.rules.subject import Subject
from configs.collector.values import entries_of

_DIAGNOSTICS: Final = frozenset(
    {"pprof", "zpages", "health_check", "healthcheckv2", "health_check_v2"}
)
_OTLP: Final = ("otlp", "otlphttp", "otlp_grpc", "otlp_http")
_HIGHEST: Final = 65_535
_UNCERTAIN: Final = re.compile(r"|(?:[^:]*|\[.*\]):(?:[A-Za-z][\w-]*|\+[0-9]*|-0*)?")


@rule("L14", Severity.ERROR, "Two on one port", core("receiver/otlpreceiver"))
def one_port(subject: Subject) -> Iterator[Hit]:
    """The second that starts finds it taken."""
    taken: dict[tuple[str, int], list[Listener]] = {}
    for one in listeners(subject):
        if not one.port or (one.component and not subject.is_used(one.component)):
            continue
        there = taken.setdefault((one.transport, one.port), [])
        other = next((other for other in there[:_MOST] if _meet(one.host, other.host)), None)
        if other is not None:
            is_certain = _same_host(one.host) == _same_host(other.host)
            message = (
                f"{_who(other)} listens on port {one.port} too. Give one of them another port."
            )
            yield Hit(message, one.path, severity=None if is_certain else Severity.WARNING)
        there.append(one)


@rule("S05", Severity.ERROR, "No port to listen on", core("config/confignet"))
def ports(subject: Subject) -> Iterator[Hit]:
    """host:port, from 0 to 65535."""
    for one in listeners(subject):
        if one.is_written and (one.port is None or one.port > _HIGHEST):
            is_used = one.component is None or subject.is_used(one.component)
            message = f"An address to listen on is host:port, with a port up to {_HIGHEST}."
            # Go takes any free port where none is written, reads a sign, and asks the host about a port's name.
            is_certain = is_used and not _UNCERTAIN.fullmatch(str(subject.at(*one.path)))
            yield Hit(message, one.path, severity=None if is_certain else Severity.WARNING)


@rule("L07", Severity.WARNING, "Open to the whole network", SECURITY)
def public(subject: Subject) -> Iterator[Hit]:
    """An address such as 0.0.0.0 listens on all interfaces."""
    for one in listeners(subject):
        component = one.component
        if (
            component is None
            or not one.is_public
            or not one.is_written
            or component.type in _DIAGNOSTICS
        ):
            continue
        settings = entries_of(subject.at(*one.path[:-1]))
        is_guarded = bool(settings.get("auth")) and bool(settings.get("tls"))
        deed = "read" if component.kind is Kind.EXPORTER else "send"
        reach = "who may is up to auth" if is_guarded else f"everybody in the network can {deed}"
        instead = "" if is_guarded else ", or turn on auth and tls"
        message = (
            f"This listens on all interfaces: {reach}. "
            f"Listen on localhost or ${{env:MY_POD_IP}}{instead}."
        )
        yield Hit(
            message,
            one.path,
            severity=Severity.INFO if is_guarded else None,
            fix=_local(subject, one),
        )


@rule("L11", Severity.WARNING, "Diagnostics open to the network", SECURITY)
def diagnostics(subject: Subject) -> Iterator[Hit]:
    """Profiles, traces and health of the collector are for its host."""
    for one in listeners(subject):
        if (
            one.component
            and one.component.type in _DIAGNOSTICS
            and one.is_public
            and one.is_written
        ):
            message = f"{one.component.type} is open to the whole network. Listen on localhost."
            yield Hit(message, one.path, fix=_local(subject, one))


@rule(
    "L15",
    Severity.WARNING,
    "An exporter that sends to its own collector",
    core("exporter/otlpexporter"),
)
def loops(subject: Subject) -> Iterator[Hit]:
    """What it sends comes in again, for ever."""
    own = {
        one.port: one
        for one in listeners(subject)
        if one.component and one.component.type == "otlp" and subject.is_used(one.component)
    }
    for component in subject.of_type(Kind.EXPORTER, *_OTLP):
        endpoint = component.settings.get(endpoint_key(component))
        if not isinstance(endpoint, str) or not subject.is_used(component):
            continue
        host, port = parted(endpoint.partition("://")[2].partition("/")[0] or endpoint) or (
            "",
            None,
        )
        if host in LOCAL and port in own:
            message = f"{_who(own[port])} of this collector listens there: data would come in again. Send elsewhere."
            yield Hit(message, (*component.path, "endpoint"))


RULES: Final[tuple[Rule, ...]] = (one_port, ports, public, diagnostics, loops)

_MOST: Final = 20
"""How many on one port are compared."""


def _who(one: Listener) -> str:
    return place(one.component.path) if one.component else "The collector's own telemetry"


def _same_host(host: str) -> str:
    return "localhost" if host in LOCAL else "" if host in WILDCARDS else host


def _meet(one: str, other: str) -> bool:
    """Whether two addresses take the same port of one interface."""
    return _same_host(one) == _same_host(other) or one in WILDCARDS or other in WILDCARDS


def _local(subject: Subject, one: Listener) -> Fix | None:
    endpoint = f"localhost:{one.port}"
    return subject.edits.replaced(f"Listen on {endpoint}", one.path, endpoint) if one.port else None
