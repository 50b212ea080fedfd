"""What this process counts, in the Prometheus text format."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Counters:
    """Totals since the process started; only the event loop changes them."""

    messages: int = 0
    malformed_messages: int = 0
    refused_messages: int = 0
    http_requests: int = 0
    offers_sent: int = 0
    offers_not_sent: int = 0
    refused_connections: int = 0
    refused_agents: int = 0
    unavailable_answers: int = 0
    lost_sends: int = 0
    cut_connections: int = 0
    slowed_messages: int = 0
    refused_sockets: int = 0
    slow_sockets: int = 0


_HELP: Mapping[str, str] = {
    "messages": "Messages received over WebSocket.",
    "malformed_messages": "Messages that could not be read.",
    "refused_messages": "Messages that were over a limit.",
    "http_requests": "Messages received over plain HTTP.",
    "offers_sent": "Configurations offered.",
    "offers_not_sent": "Offers that were claimed and could not be sent.",
    "refused_connections": "Connections and requests refused for their token.",
    "refused_agents": "Agents that were not let in.",
    "unavailable_answers": "Answers that asked to come back later.",
    "lost_sends": "Messages that a peer did not take.",
    "cut_connections": "Connections that were ended for not speaking, not reading or not answering.",
    "slowed_messages": "Messages after which a peer that sends too fast was read later.",
    "refused_sockets": "Sockets that were closed at once because there were too many.",
    "slow_sockets": "Sockets that were closed because a request or a message took too long to arrive.",
}


def render(counters: Counters, gauges: Mapping[str, tuple[str, float]]) -> str:
    """Counters and gauges (name to help and value) as Prometheus text."""
    totals = (
        _lines(f"{entry.name}_total", "counter", _HELP[entry.name], getattr(counters, entry.name))
        for entry in fields(counters)
    )
    levels = (_lines(name, "gauge", text, value) for name, (text, value) in gauges.items())
    return "\n".join(line for lines in (*totals, *levels) for line in lines) + "\n"


def _lines(name: str, kind: str, text: str, value: float) -> Iterable[str]:
    full = f"telflo_opamp_{name}"
    return (f"# HELP {full} {text}", f"# TYPE {full} {kind}", f"{full} {value:g}")
