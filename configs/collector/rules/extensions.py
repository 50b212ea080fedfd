"""PURE. Extensions that other parts need: defined, listed in the service, of the right kind (rules S01 to S03)."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from configs.collector.findings import Severity
from configs.collector.names import SIGNALS, Kind, trimmed, type_of
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import CONFIGURATION, Rule, core, rule
from configs.collector.rules.subject import Component, Pipeline, Setting, Subject
from configs.collector.values import Path, entries_of

_STORES: Final = frozenset({"file_storage", "db_storage", "redis_storage"})
_AUTHENTICATORS: Final = frozenset(
    {
        *(
            "basicauth",
            "bearertokenauth",
            "oauth2client",
            "oidc",
            "sigv4auth",
            "headers_setter",
            "asapclient",
        ),
        *(
            "azureauth",
            "googleclientauth",
            "basic_auth",
            "bearer_token_auth",
            "oauth2_client",
            "sigv4_auth",
        ),
        *("azure_auth", "google_client_auth", "asap_client", "sumologic", "solarwindsapmsettings"),
    }
)
_OTHERS: Final = frozenset(
    {
        *(
            "health_check",
            "healthcheckv2",
            "health_check_v2",
            "pprof",
            "zpages",
            "memory_limiter",
            "opamp",
        ),
        *(
            "host_observer",
            "docker_observer",
            "k8s_observer",
            "ecs_observer",
            "http_forwarder",
            "ack",
        ),
    }
)
_ENCODES: Final = "_encoding"
"""What the types of all extensions that encode end with, and no encoding that is built in."""
_WRONG: Final[Mapping[str, frozenset[str]]] = {
    "authenticates": _STORES | _OTHERS,
    "stores": _AUTHENTICATORS | _OTHERS,
    "encodes": _STORES | _AUTHENTICATORS | _OTHERS,
    "handles requests": _STORES | (_OTHERS - {"memory_limiter"}),
}
"""Types that certainly do not serve a purpose."""
_ENCODED: Final = ("file", "awss3")
"""Exporters whose encoding is an extension and nothing else."""
_LATER: Final[Mapping[tuple[Kind, str], str]] = {
    (Kind.EXPORTER, "loadbalancing"): "protocol",
    (Kind.EXPORTER, "load_balancing"): "protocol",
    (Kind.RECEIVER, "receiver_creator"): "receivers",
}
"""What is made while the collector runs already: a fault in it is logged."""


class Need(NamedTuple):
    """A setting that names an extension. purpose: what the extension does; a key of _WRONG."""

    id: str
    path: Path
    purpose: str


@rule("S01", Severity.ERROR, "An extension that is not defined", CONFIGURATION + "#extensions")
def undefined(subject: Subject) -> Iterator[Hit]:
    """The collector cannot start without it."""
    for need in needs(subject):
        if need.id not in subject.components[Kind.EXTENSION] and not subject.is_open("extensions"):
            message = f"There is no extension {shown(need.id)}. Define it, and list it in service::extensions."
            yield Hit(message, need.path, severity=_severity(subject, need))


@rule("S02", Severity.ERROR, "An extension that is not started", CONFIGURATION + "#extensions")
def not_started(subject: Subject) -> Iterator[Hit]:
    """It is defined, and the service does not list it."""
    listed = {member.id for member in subject.extensions}
    is_open = subject.is_open("service") or any(member.is_open for member in subject.extensions)
    for need in needs(subject):
        if need.id in subject.components[Kind.EXTENSION] and need.id not in listed and not is_open:
            message = (
                f"The extension {shown(need.id)} is not started. Add it to service::extensions."
            )
            yield Hit(message, need.path, severity=_severity(subject, need))


@rule("S03", Severity.ERROR, "An extension of another kind", core("config/configauth"))
def of_another_kind(subject: Subject) -> Iterator[Hit]:
    """What stores does not authenticate, and so on."""
    for need in needs(subject):
        kind = type_of(need.id)
        is_encoding = kind.endswith(_ENCODES) and need.purpose != "encodes"
        if kind in _WRONG[need.purpose] or is_encoding:
            message = f"{shown(need.id)} is no extension that {need.purpose}. Name another one."
            yield Hit(message, need.path, severity=_severity(subject, need))


RULES: Final[tuple[Rule, ...]] = (undefined, not_started, of_another_kind)


def needs(subject: Subject) -> Iterator[Need]:
    """The settings of components that name an extension."""
    for one in subject.named("authenticator"):
        if isinstance(one.value, str) and one.path[-2:-1] == ("auth",):
            yield Need(trimmed(one.value), one.path, "authenticates")
    for one in subject.named("storage"):
        is_storing = one.path[-2] == "sending_queue" or len(one.path) == 3
        if isinstance(one.value, str) and is_storing and one.value:
            yield Need(trimmed(one.value), one.path, "stores")
    for one in subject.named("encoding"):
        if isinstance(one.value, str) and _is_extension(subject, one):
            yield Need(trimmed(one.value), one.path, "encodes")
    for one in subject.named("middlewares"):
        for at, item in enumerate(one.value if isinstance(one.value, tuple) else ()):
            name = entries_of(item).get("id")
            if isinstance(name, str):
                yield Need(trimmed(name), (*one.path, at, "id"), "handles requests")


def _is_extension(subject: Subject, encoding: Setting) -> bool:
    """Whether an encoding is one that an extension makes. Many components have encodings of their own."""
    owner = subject.owner(encoding.path)
    is_sole = owner is not None and owner.kind is Kind.EXPORTER and owner.type in _ENCODED
    is_named = type_of(trimmed(str(encoding.value))).endswith(_ENCODES)
    return is_named or (is_sole and len(encoding.path) == 3 and bool(encoding.value))


def _severity(subject: Subject, need: Need) -> Severity | None:
    """A collector that does not look for it when it starts, starts without it."""
    owner = subject.owner(need.path)
    return None if owner is None or _is_looked_for(subject, owner, need) else Severity.WARNING


def _is_looked_for(subject: Subject, owner: Component, need: Need) -> bool:
    part = need.path[2]
    signals = {pipeline.signal for pipeline in subject.pipelines if _is_in(owner, pipeline)}
    is_of_other_signal = part in SIGNALS and part not in signals
    is_late = _LATER.get((owner.kind, owner.type)) == part
    return subject.is_used(owner) and not (is_of_other_signal or is_late or _is_off(subject, need))


def _is_in(owner: Component, pipeline: Pipeline) -> bool:
    return any(one.id == owner.id for members in pipeline.members.values() for one in members)


def _is_off(subject: Subject, need: Need) -> bool:
    """Whether something around it is not enabled, or only if a reference says so."""
    above = (entries_of(subject.at(*need.path[:end])) for end in range(2, len(need.path)))
    return any(settings.get("enabled") not in (None, True) for settings in above)
