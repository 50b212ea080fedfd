"""How a gateway is set up: sizes, times and limits, each with its default (A5)."""

from dataclasses import dataclass, field

from opamp.buffer import BufferLimits
from opamp.protocol.limits import Limits


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Seconds end in _s, sizes are bytes.

    waiting: handshakes and new agents that may wait for the database before new ones are turned away with 503.
    waiting_messages: of one agent that is not admitted yet.
    refusals_per_minute: so many refused attempts of one address are looked up; more are answered with 429.
    drain_slice connections are closed at a time when the server stops, with drain_pause_s between.
    """

    protocol: Limits = field(default_factory=Limits)
    buffer: BufferLimits = field(default_factory=BufferLimits)
    reconcile_s: float = 5.0
    send_timeout_s: float = 10.0
    threads: int = 4
    waiting: int = 512
    waiting_messages: int = 64
    agents_per_connection: int = 1_000
    connections_per_token: int = 20_000
    remember_tokens_s: float = 5.0
    retry_after_s: int = 30
    claim_rows: int = 500
    decline_s: float = 30.0
    refusals_s: float = 2.0
    refusals_per_minute: int = 120
    drain_slice: int = 200
    drain_pause_s: float = 0.05
    drain_timeout_s: float = 10.0
