"""Traces of our own, off unless OpenTelemetry's standard variables ask for them (docs/operations.md).

Off, a span costs one comparison. Attributes are masked like log lines, and of an error only its kind is kept, since
texts of errors name hosts, users and sometimes more.
"""

import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from django.core.exceptions import ImproperlyConfigured

from telflo.base.redaction import redact_line

P = ParamSpec("P")
R = TypeVar("R")

ASKED_BY: Final = (
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
)
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_OFF: Final = nullcontext()

_tracer: Any = None


def span(name: str, **attributes: str | float | bool) -> AbstractContextManager[Any]:
    """A span around a block; nothing while tracing is off."""
    return _OFF if _tracer is None else _recording(name, attributes)


def traced(
    name: str,
) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
    """A coroutine function with a span around each call."""

    def decorate(work: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        @wraps(work)
        async def run(*args: P.args, **named: P.kwargs) -> R:
            with span(name):
                return await work(*args, **named)

        return run

    return decorate


def start(part: str, version: str) -> bool:
    """Turn tracing on where the environment asks for it; answers whether it does. One call a process, after forks.

    Raises ImproperlyConfigured for an exporter or protocol that is not built in.
    """
    check()
    if not is_asked_for():
        return False
    # Importing the SDK costs a tenth of a second that nobody else should pay.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    resource = Resource.create(
        {
            "service.name": os.environ.get("OTEL_SERVICE_NAME", "telflo"),
            "service.version": version,
            "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
            "telflo.process": part,
        }
    )
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    use(provider)
    return True


def use(provider: Any) -> None:
    """Record spans with this provider; None turns tracing off."""
    global _tracer  # noqa: PLW0603 - one a process, set once at its start
    _tracer = None if provider is None else provider.get_tracer("telflo")


def is_asked_for() -> bool:
    """Whether the environment wants traces."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return False
    return any(os.environ.get(name, "").strip() for name in ASKED_BY)


def check() -> None:
    """Look whether what the environment asks for can be had, before a server forks.

    Raises ImproperlyConfigured for an exporter or protocol that is not built in.
    """
    if not is_asked_for():
        return
    wanted = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    if wanted != "otlp":
        raise ImproperlyConfigured(
            f"OTEL_TRACES_EXPORTER={wanted!r} is not built in. Use otlp or none."
        )
    for name in _PROTOCOLS:
        protocol = os.environ.get(name, "").strip() or "http/protobuf"
        if protocol != "http/protobuf":
            raise ImproperlyConfigured(
                f"{name}={protocol!r} is not built in. Use http/protobuf (port 4318)."
            )


@contextmanager
def _recording(name: str, attributes: dict[str, Any]) -> Iterator[Any]:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

    with _tracer.start_as_current_span(
        name,
        attributes={key: masked(value) for key, value in attributes.items()},
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(Status(StatusCode.ERROR))
            raise


def masked(value: str | float | bool) -> str | int | float | bool:
    """An attribute's value without what looks like a credential."""
    return redact_line(value) if isinstance(value, str) else value
