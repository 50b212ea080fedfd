"""PURE. Extensions that other parts need: defined, listed in the service, of the right kind (rules S01 to S03)."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from configs.collector.findings import Severity
from configs.collector.names import Kind, trimmed, type_of
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import CONFIGURATION, Rule, core, rule
from configs.collector.rules.subject import Subject
from configs.collector.values import Path

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


class Need(NamedTuple):
    """A setting that names an extension. purpose: authenticates, or stores."""

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
    """What stores does not authenticate, and the reverse."""
    wrong = {"authenticates": _STORES | _OTHERS, "stores": _AUTHENTICATORS | _OTHERS}
    for need in needs(subject):
        if type_of(need.id) in wrong[need.purpose]:
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


def _severity(subject: Subject, need: Need) -> Severity | None:
    """What no pipeline uses is not built, and does no harm."""
    owner = subject.owner(need.path)
    return None if owner is None or subject.is_used(owner) else Severity.WARNING
