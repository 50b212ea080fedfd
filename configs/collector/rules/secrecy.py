"""PURE. Secrets in the text, and connections that others can read (rules L08, L09)."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from configs.collector.findings import Severity
from configs.collector.names import Kind, renamed
from configs.collector.rules.addresses import LOCAL, parted
from configs.collector.rules.hit import Hit, place
from configs.collector.rules.rule import SECURITY, Rule, rule
from configs.collector.rules.subject import Setting, Subject
from configs.collector.values import Expansion, Value, entries_of
from telflo.base.redaction import MASK, redact_line
from telflo.base.redaction.by_look import spans_by_look
from telflo.base.redaction.names import is_header_map, is_plain_inside, is_secret_name

_NO_NAME: Final = re.compile(r"\W+")
_ORDINARY: Final = re.compile(r"[\w.]{1,15}|[\w.-]{0,64}:\d{1,5}|(?:/[\w.*-]{1,15}){1,12}")
"""Words, addresses and paths as most values are: no credential looks like that."""
_OLD_TLS: Final = ("1.0", "1.1")
_PLAIN_WORDS: Final = frozenset({"", "true", "false", MASK, "[REDACTED]"})
_OWN_HEADER: Final = "x-"
"""How headers begin whose names say nothing. Many name a tenant, some a key: a long mixture is taken for one."""
_TENANTS: Final = frozenset({"x-scope-orgid", "x-tenant", "x-tenant-id"})
_MIXTURE: Final = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])\S{16,}")
_CERTIFICATES: Final = frozenset({"ca_pem", "cert_pem"})
"""Collectors hide them, and everybody who connects gets them."""
_WORDS: Final = frozenset({("load_balancing", "routing_key")})
"""Component and setting: another component's setting of this name is a secret."""
_PATTERN: Final = re.compile(r"\*+|[^\w]*(?:\[\^|\\[sSwWdD]|\.[*+]|\(\?).*")
"""What stands behind `password=` where a statement or an expression looks for passwords, or takes them out."""


@rule("L08", Severity.WARNING, "A connection that others can read", SECURITY)
def insecure(subject: Subject) -> Iterator[Hit]:
    """TLS that is off, does not look at certificates, or is old; http:// to another host."""
    for one in subject.named("insecure_skip_verify"):
        if one.value is True:
            fix = subject.edits.replaced("Check certificates", one.path, "false", raw=True)
            yield Hit(
                "Certificates are not checked: anybody can pose as the other side. Use ca_file.",
                one.path,
                fix=fix,
            )
    for one in subject.named("insecure", below=Kind.EXPORTER):
        if one.value is True and one.path[-2] == "tls" and _is_elsewhere(_endpoint(subject, one)):
            yield Hit("Data goes unencrypted to another host. Remove insecure: true.", one.path)
    for one in subject.named("min_version"):
        if one.value in _OLD_TLS:
            yield Hit("TLS before 1.2 can be broken. Write 1.2 or 1.3.", one.path)
    for one in subject.named("endpoint", below=Kind.EXPORTER):
        if (
            isinstance(one.value, str)
            and one.value.startswith("http://")
            and _is_elsewhere(one.value)
        ):
            yield Hit("Data goes unencrypted to another host. Use https://.", one.path)


@rule("L09", Severity.WARNING, "A secret in the text", SECURITY)
def plain_secrets(subject: Subject) -> Iterator[Hit]:
    """Whoever reads the configuration has it; a reference to the environment keeps it on the host."""
    by_look = _secret_by_look(subject)
    for one in subject.texts:
        if (
            isinstance(one.value, str)
            and one.value not in _PLAIN_WORDS
            and _is_secret(subject, one, by_look)
        ):
            name = _NO_NAME.sub("_", "_".join(map(str, one.path[1:]))).strip("_").upper()
            reference = f"${{env:{name}}}"
            fix = subject.edits.replaced(f"Write {reference}", one.path, reference)
            message = f"{place(one.path[1:])} is a secret in plain sight. Write {reference}, and set that on the host."
            yield Hit(message, one.path, fix=fix)


RULES: Final[tuple[Rule, ...]] = (insecure, plain_secrets)


def _secret_by_look(subject: Subject) -> frozenset[str]:
    """The texts that hold a credential by their form. All are looked at in one go, which is much faster."""
    distinct = {one.value: None for one in subject.texts if isinstance(one.value, str)}
    texts = [text for text in distinct if not _ORDINARY.fullmatch(text)] or [""]
    starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
    joined = "\n".join(texts)
    spans = spans_by_look(joined)
    near = {
        texts[min(bisect_right(starts, begin), len(texts)) - 1]
        for begin, end in spans
        if not _PATTERN.fullmatch(joined[begin:end])
    }
    return frozenset(text for text in near if redact_line(text) != text)


def _is_secret(subject: Subject, one: Setting, by_look: frozenset[str]) -> bool:
    """By the catalog, by its name, or by its look."""
    if len(one.path) < 3:
        return False
    header = _header(subject, one)
    if header is not None:
        return _is_secret_header(header, str(one.value))
    *_, below, key = ("", *(step for step in one.path if isinstance(step, str)))
    if key in _CERTIFICATES or _is_word(subject, one):
        return False
    if subject.catalog is not None and _is_catalogued(subject, one):
        return True
    is_item = isinstance(one.path[-1], int)
    is_named = not is_item and is_secret_name(key, below=below) and not is_plain_inside(key)
    return is_named or one.value in by_look


def _header(subject: Subject, one: Setting) -> str | None:
    """The name of the header whose value this is; None for what is none: `{name: value}`, or `[{name, value}]`."""
    *_, above, below, key = one.path
    if isinstance(below, str) and isinstance(key, str) and is_header_map(below):
        return key
    if key == "value" and isinstance(below, int) and is_header_map(str(above)):
        return str(subject.at(*one.path[:-1], "name"))
    return None


def _is_secret_header(name: str, value: str) -> bool:
    line = f"{name}: {value}"
    if is_secret_name(name) or redact_line(line) != line:
        return True
    is_own = name.lower().startswith(_OWN_HEADER) and name.lower() not in _TENANTS
    return is_own and bool(_MIXTURE.fullmatch(value))


def _is_word(subject: Subject, one: Setting) -> bool:
    owner = subject.owner(one.path)
    return owner is not None and (renamed(owner.kind, owner.type), one.path[-1]) in _WORDS


def _is_catalogued(subject: Subject, one: Setting) -> bool:
    owner = subject.owner(one.path)
    known = subject.known(owner) if owner else None
    field = known.config if known else None
    for step in one.path[2:]:
        if field is None:
            return False
        field = field.items if isinstance(step, int) else field.fields.get(step) or field.items
    return field is not None and field.is_secret


def _endpoint(subject: Subject, one: Setting) -> Value:
    """The address of what the TLS settings are for."""
    return entries_of(subject.at(*one.path[:-2])).get("endpoint")


def _is_elsewhere(endpoint: Value) -> bool:
    """Whether it is certainly another host."""
    if not isinstance(endpoint, str) or isinstance(endpoint, Expansion):
        return False
    address = endpoint.partition("://")[2] or endpoint
    host, _ = parted(address.partition("/")[0]) or (address.partition("/")[0], None)
    return bool(host) and host not in LOCAL and not endpoint.startswith("unix:")
