"""The form of a fleet's connection settings: secrets go in and never come out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms

from fleets.connection import (
    LONGEST_HEARTBEAT_S,
    SHORTEST_HEARTBEAT_S,
    NewDestination,
    destinations_of,
)
from fleets.connection_offer import DEFAULT_HEARTBEAT_S, Destination, Signal
from fleets.models import ConnectionSettings

_NAMES: Final = {
    Signal.METRICS: "Own metrics",
    Signal.TRACES: "Own traces",
    Signal.LOGS: "Own logs",
}
_AGAIN: Final = "Type the headers again: secrets are not sent back."


class SecretTextarea(forms.Textarea):
    """A text that goes in and never comes out, not even with an error elsewhere."""

    def format_value(self, value: Any) -> str:
        """Nothing."""
        return ""


@dataclass(frozen=True, slots=True)
class SignalFields:
    """The fields of one kind of own telemetry."""

    title: str
    path: str
    endpoint: Any
    headers: Any
    drop_headers: Any
    ca_pem: Any


class ConnectionForm(forms.Form):
    """What a fleet offers. Headers and certificates are kept when their fields are left empty."""

    heartbeat_s = forms.IntegerField(
        label="Heartbeat interval in seconds",
        required=False,
        min_value=SHORTEST_HEARTBEAT_S,
        max_value=LONGEST_HEARTBEAT_S,
        help_text=f"How often a collector says that it is there. Empty: {DEFAULT_HEARTBEAT_S}."
        " Three missed ones, and it counts as disconnected.",
    )
    own_credentials = forms.BooleanField(
        label="Give each collector a credential of its own",
        required=False,
        help_text="A collector that came by a shared enrolment token is moved to a credential that can"
        " be revoked alone. Supervisors forget it when they restart and come back by the token in"
        " their file, so do not revoke that token while they use it; they get a new credential then."
        " Each move makes the collector connect anew, and its health is unknown until it reports.",
    )

    def __init__(self, data: Any = None, *, known: ConnectionSettings) -> None:
        stored = destinations_of(known)
        initial: dict[str, Any] = {
            "heartbeat_s": known.heartbeat_s,
            "own_credentials": known.own_credentials,
        }
        for signal in Signal:
            if signal in stored:
                initial[f"{signal}_endpoint"] = stored[signal].endpoint
        super().__init__(data, initial=initial)
        for signal in Signal:
            self.fields.update(_fields(signal, stored.get(signal)))

    @property
    def signals(self) -> Iterator[SignalFields]:
        """The fields by signal, for the page."""
        for signal, title in _NAMES.items():
            drop = f"{signal}_drop_headers"
            yield SignalFields(
                title,
                signal.value,
                self[f"{signal}_endpoint"],
                self[f"{signal}_headers"],
                self[drop] if drop in self.fields else None,
                self[f"{signal}_ca_pem"],
            )

    def clean(self) -> dict[str, Any]:
        """Headers are read from their lines."""
        data = super().clean() or {}
        for signal in Signal:
            name = f"{signal}_headers"
            try:
                data[name] = _headers(data.get(name, ""))
            except ValueError as error:
                self.add_error(name, str(error))
        if self.errors:
            self.ask_again()
        return data

    def ask_again(self) -> None:
        """Nothing was saved, and the headers that were typed are gone: say so where they stood."""
        for signal in Signal:
            name = f"{signal}_headers"
            if self.data.get(name, "").strip() and name not in self.errors:
                self.add_error(name, _AGAIN)

    def telemetry(self) -> dict[Signal, NewDestination | None]:
        """What was typed, as the service takes it."""
        return {signal: self._destination(signal) for signal in Signal}

    def _destination(self, signal: Signal) -> NewDestination | None:
        data = self.cleaned_data
        endpoint = data[f"{signal}_endpoint"]
        if not endpoint:
            return None
        headers: Mapping[str, str] | None = data[f"{signal}_headers"] or None
        if data.get(f"{signal}_drop_headers") and headers is None:
            headers = {}
        return NewDestination(endpoint, headers, data[f"{signal}_ca_pem"] or None)


def _fields(signal: Signal, stored: Destination | None) -> dict[str, forms.Field]:
    kept = ", ".join(sorted(stored.headers)) if stored else ""
    fields: dict[str, forms.Field] = {
        f"{signal}_endpoint": forms.CharField(
            label="Address",
            required=False,
            help_text=f"OTLP over HTTP, with its path. Empty: no {signal}.",
        ),
        f"{signal}_headers": forms.CharField(
            label="Headers",
            required=False,
            widget=SecretTextarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
            help_text=f"Kept: {kept}. What you type replaces them all."
            if kept
            else "One a line, such as x-api-key: value. Stored encrypted, never shown again.",
        ),
        f"{signal}_ca_pem": forms.CharField(
            label="CA certificate",
            required=False,
            widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
            help_text="One is kept. What you type replaces it."
            if stored and stored.ca_pem
            else "PEM, only for a private CA. Supervisors up to 0.159 do not use it.",
        ),
    }
    if kept:
        fields[f"{signal}_drop_headers"] = forms.BooleanField(
            label="Remove the headers", required=False
        )
    return fields


def _headers(text: str) -> dict[str, str]:
    """`Name: value` lines. Raises ValueError, without the line: it may hold a secret."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not value.strip():
            raise ValueError(f"Line {number} is not of the form Name: value.")
        found[name.strip()] = value.strip()
    return found
