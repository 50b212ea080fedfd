"""PURE. Settings that many components share: TLS, gRPC, retries, queues (rules C01 to C05)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from configs.collector.equality import nanoseconds
from configs.collector.findings import Severity
from configs.collector.names import Kind
from configs.collector.rules.hit import Hit, place, shown
from configs.collector.rules.rule import Rule, core, rule
from configs.collector.rules.subject import Setting, Subject
from configs.collector.values import Expansion, Path, Value, entries_of

TLS_VERSIONS: Final = ("1.0", "1.1", "1.2", "1.3")
_EITHER: Final = (("ca_file", "ca_pem"), ("cert_file", "cert_pem"), ("key_file", "key_pem"))
_COMPRESSIONS: Final = frozenset(
    {"gzip", "zlib", "deflate", "snappy", "x-snappy-framed", "zstd", "lz4", "none", ""}
)
_OTLP: Final = ("otlp", "otlphttp", "otlp_grpc", "otlp_http")
_OVER_HTTP: Final = frozenset({"otlphttp", "otlp_http"})
_TLS_DOCS: Final = core("config/configtls")
_HELPER_DOCS: Final = core("exporter/exporterhelper")
_RETRY_DEFAULTS: Final[Mapping[str, Value]] = {
    "initial_interval": "5s",
    "max_interval": "30s",
    "max_elapsed_time": "300s",
}
_MIN_SIZE: Final = 8192
"""Of a batch, where nothing is said."""
_LARGEST_MESSAGE: Final = (2**63 - 1) // 2**20
_TRANSPORTS: Final = frozenset(
    {
        *("tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "ip", "ip4", "ip6"),
        *("unix", "unixgram", "unixpacket", "npipe", ""),
    }
)
_LOWEST_TLS: Final = "1.2"
"""Where nothing is said."""
_LEVELS: Final = frozenset({-2, *range(-1, 10)})
_LEVELLED: Final = frozenset({"gzip", "zlib", "deflate"})
_BALANCERS: Final = ("round_robin", "pick_first")
_SIZERS: Final = ("bytes", "items", "requests")


@rule("C01", Severity.ERROR, "TLS settings", _TLS_DOCS)
def tls(subject: Subject) -> Iterator[Hit]:
    """Certificates come from a file or from the text, with their key; versions are known and in order."""
    for one in subject.named("tls"):
        settings = entries_of(one.value)
        for file, pem in _EITHER:
            if settings.get(file) and settings.get(pem):
                yield Hit(f"{file} and {pem} exclude each other. Keep one.", (*one.path, pem), True)
        yield from _half_a_pair(one.path, settings)
        yield from _tls_versions(subject, one.path, settings)


@rule("C02", Severity.ERROR, "gRPC settings", core("config/configgrpc"))
def grpc(subject: Subject) -> Iterator[Hit]:
    """Balancers that are known, sizes that are none below 0."""
    for one in subject.named("balancer_name"):
        if isinstance(one.value, str) and one.value and one.value not in _BALANCERS:
            yield Hit(f"balancer_name is one of {', '.join(_BALANCERS)}.", one.path)
    yield from _server_numbers(subject)
    for one in subject.named("transport", below=Kind.RECEIVER):
        if one.path[-2] == "grpc" and isinstance(one.value, str) and one.value not in _TRANSPORTS:
            yield Hit(f"There is no transport {shown(one.value)}. Use tcp or unix.", one.path)


@rule("C03", Severity.ERROR, "Retry settings", core("config/configretry"))
def retries(subject: Subject) -> Iterator[Hit]:
    """Intervals are not negative and grow; newer collectors look even where retries are off."""
    for one in _of_exporters(subject, "retry_on_failure"):
        settings = {**_RETRY_DEFAULTS, **entries_of(one.value)}
        is_certain = settings.get("enabled") is not False or subject.since(0, 158)
        for hit in _retry(one.path, settings):
            yield hit if is_certain else replace(hit, severity=Severity.WARNING)


@rule("C04", Severity.ERROR, "Compression", core("config/configcompression"))
def compressions(subject: Subject) -> Iterator[Hit]:
    """Of the exporters for OTLP."""
    for component in subject.of_type(Kind.EXPORTER, *_OTLP):
        value = component.settings.get("compression")
        if isinstance(value, str) and value not in _COMPRESSIONS:
            known = ", ".join(sorted(_COMPRESSIONS - {""}))
            yield Hit(
                f"There is no compression {shown(value)}. Known are {known}.",
                (*component.path, "compression"),
            )
        elif isinstance(value, str) and component.type in _OVER_HTTP:
            yield from _level(component.path, value, component.settings)


@rule("C05", Severity.ERROR, "Sending queue", _HELPER_DOCS)
def queues(subject: Subject) -> Iterator[Hit]:
    """Sizes are more than nothing, batches fit."""
    for one in _of_exporters(subject, "sending_queue"):
        settings = entries_of(one.value)
        if settings.get("enabled") is False:
            continue
        for key in ("queue_size", "num_consumers"):
            if below(settings.get(key), 1):
                yield Hit(f"{key} is at least 1.", (*one.path, key))
        if settings.get("wait_for_result") is True and settings.get("storage"):
            yield Hit(
                "wait_for_result and storage exclude each other. Remove one.",
                (*one.path, "wait_for_result"),
            )
        sizer = settings.get("sizer")
        if isinstance(sizer, str) and sizer not in _SIZERS:
            yield Hit(f"sizer is one of {', '.join(_SIZERS)}.", (*one.path, "sizer"))
        yield from _batch((*one.path, "batch"), settings)


RULES: Final[tuple[Rule, ...]] = (tls, grpc, retries, compressions, queues)


def doubled(names: Value) -> str | None:
    """The first name that is in a list twice, whatever its case; None when there is none."""
    seen: set[str] = set()
    for name in names if isinstance(names, tuple) else ():
        low = str(name).lower()
        if low in seen:
            return str(name)
        seen.add(low)
    return None


def _server_numbers(subject: Subject) -> Iterator[Hit]:
    for one in subject.named("max_recv_msg_size_mib", "max_concurrent_streams"):
        if below(one.value, 0):
            yield Hit(f"{one.key} must not be negative.", one.path)
    for one in subject.named("read_buffer_size", "write_buffer_size", below=Kind.RECEIVER):
        if below(one.value, 0):
            yield Hit(f"{one.key} must not be negative.", one.path)
    for one in subject.named("max_recv_msg_size_mib"):
        if (number(one.value) or 0) > _LARGEST_MESSAGE:
            yield Hit(f"{one.key} is at most {_LARGEST_MESSAGE}.", one.path)


def _of_exporters(subject: Subject, key: str) -> Iterator[Setting]:
    """The setting of exporters that is theirs, not one deeper inside."""
    yield from (one for one in subject.named(key, below=Kind.EXPORTER) if len(one.path) == 3)


def _level(path: Path, compression: str, settings: Mapping[str, Value]) -> Iterator[Hit]:
    """How hard it tries: some take a level, and some have none."""
    level = entries_of(settings.get("compression_params")).get("level")
    wrong = level not in _LEVELS if compression in _LEVELLED else level != 0
    if isinstance(level, int) and wrong and compression not in {"zstd", "none", ""}:
        words = "is -1 to 9" if compression in _LEVELLED else "is not for " + compression
        yield Hit(f"The level {words}.", (*path, "compression_params", "level"))


def _half_a_pair(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    has_cert = bool(settings.get("cert_file") or settings.get("cert_pem"))
    has_key = bool(settings.get("key_file") or settings.get("key_pem"))
    if has_cert != has_key:
        there, missing = ("certificate", "key_file") if has_cert else ("key", "cert_file")
        yield Hit(f"{place(path[2:])} has a {there} alone. Add {missing}.", path, True)


def _tls_versions(subject: Subject, path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    for key in ("min_version", "max_version"):
        value = settings.get(key)
        if isinstance(value, float):
            fix = subject.edits.quoted("Put it in quotes", (*path, key))
            yield Hit(f'{key} is a text: write "{value}".', (*path, key), fix=fix)
        elif isinstance(value, str) and value and value not in TLS_VERSIONS:
            yield Hit(f"{key} is one of {', '.join(TLS_VERSIONS)}.", (*path, key))
    low, high = settings.get("min_version"), settings.get("max_version")
    if isinstance(low, str) and isinstance(high, str) and TLS_VERSIONS[0] <= high < low:
        yield Hit("min_version is above max_version. Swap them.", (*path, "min_version"))
    elif not low and isinstance(high, str) and TLS_VERSIONS[0] <= high < _LOWEST_TLS:
        message = f"Without min_version none below {_LOWEST_TLS} is taken. Raise this, or say a min_version."
        yield Hit(message, (*path, "max_version"))


def _retry(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    for key in (*_RETRY_DEFAULTS, "multiplier"):
        if below(settings.get(key), 0):
            yield Hit(f"{key} must not be negative.", (*path, key))
    factor = number(settings.get("randomization_factor"))
    if factor is not None and not 0 <= factor <= 1:
        yield Hit("randomization_factor is between 0 and 1.", (*path, "randomization_factor"))
    yield from _elapsed(path, settings)


def _elapsed(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    """Where the whole time is limited, it is at least as long as each pause."""
    whole = time(settings["max_elapsed_time"])
    if not whole or whole < 0:
        return
    for key in ("initial_interval", "max_interval"):
        pause = time(settings[key])
        if pause is not None and pause > whole:
            message = f"max_elapsed_time is shorter than {key} ({settings[key]}). Make it longer, or 0 for no end."
            yield Hit(message, (*path, "max_elapsed_time"))


def _batch(path: Path, queue: Mapping[str, Value]) -> Iterator[Hit]:
    if "batch" not in queue or isinstance(queue["batch"], Expansion):
        return
    inherited = queue.get("sizer") if queue.get("sizer") in _SIZERS[:2] else "items"
    settings = {"min_size": _MIN_SIZE, "sizer": inherited, **entries_of(queue["batch"])}
    sizer = settings.get("sizer")
    if isinstance(sizer, str) and sizer not in _SIZERS[:2]:
        yield Hit("The sizer of a batch is items or bytes.", (*path, "sizer"))
    flush = settings.get("flush_timeout")
    if flush is not None and below(flush, 1):
        yield Hit("flush_timeout is more than 0.", (*path, "flush_timeout"))
    least, most = number(settings.get("min_size")) or 0, number(settings.get("max_size")) or 0
    for key in ("min_size", "max_size"):
        if below(settings.get(key), 0):
            yield Hit(f"{key} must not be negative.", (*path, key))
    if 0 < most < least:
        yield Hit("max_size is below min_size. Raise it.", (*path, "max_size"))
    if sizer == queue.get("sizer") and least > (number(queue.get("queue_size")) or least):
        yield Hit(
            "min_size is above the queue_size, so no batch is ever full. Lower it.",
            (*path, "min_size"),
        )


def time(value: Value) -> float | None:
    """A duration in nanoseconds; None for what is none."""
    found = None if isinstance(value, Mapping | tuple | Expansion) else nanoseconds(value)
    return None if found is None else float(found)


def below(value: Value, least: int) -> bool:
    """Whether a number, or a duration in nanoseconds, is below; what is neither is not."""
    found = time(value)
    return found is not None and found < least


def number(value: Value) -> float | None:
    """A number; None for all else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]  # is_number says so
