"""How a gateway is set up: sizes, times and limits, each with its default (A5)."""

import random
from dataclasses import dataclass, field

from opamp.pace import EACH, Pace
from opamp.pending import BufferLimits
from opamp.protocol.limits import Limits


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Seconds end in _s, sizes are bytes.

    waiting: handshakes and new agents that may wait for the database before new ones are turned away with 503.
    waiting_messages, waiting_bytes: of one agent that is not admitted yet, and of all; what is more is answered with
    UNAVAILABLE. waiting_share: of waiting_bytes, what one token may fill (0 to 1).
    threads let agents in and look tokens up; request_threads answer requests over plain HTTP, in the order of polls.py;
    control_threads look for changes and claim offers.
    requests, requests_per_token: how many of these may be open.
    unfinished_bytes: of all messages that have begun to come, and of what was read and waits for its peer's pace; one
    of the token that holds most is cut for what is more.
    messages_per_s, message_burst: of one connection, and of one agent over plain HTTP; one that is faster is read
    later, or answered 429. pace_bytes: a larger message counts once for each so many bytes.
    token_bytes_per_s, token_burst_bytes: of all that comes by one token but for heartbeats; what is more is answered
    with UNAVAILABLE, or 429, before it is read.
    connections: sockets of this process, whatever they are for. handshakes: of those that have not sent a request yet;
    each has handshake_s for its request of at most header_bytes.
    ping_s: a peer that was not heard for so long is asked, and cut when it does not answer for as long again.
    first_message_s: how long a connection may be open without a message. message_s: how long one may take to arrive.
    verify_s: how long a handshake waits for the database before it is told to come back.
    late_s: what a replaced connection had sent before may still come. new_uids: how often a clone is told its new uid.
    retry_after_s: the least that Retry-After says. Go clients take it as the least they wait (A3).
    refusals_per_minute: so many refused attempts of one address are looked up; more are answered with 429.
    drain_slice connections are closed at a time when the server stops, with drain_pause_s between.
    """

    protocol: Limits = field(default_factory=Limits)
    buffer: BufferLimits = field(default_factory=BufferLimits)
    reconcile_s: float = 5.0
    send_timeout_s: float = 10.0
    threads: int = 3
    request_threads: int = 3
    control_threads: int = 2
    requests: int = 2_000
    requests_per_token: int = 500
    waiting: int = 10_000
    admit_rows: int = 500
    waiting_messages: int = 64
    waiting_bytes: int = 256 * 1024 * 1024
    waiting_share: float = 0.5
    unfinished_bytes: int = 256 * 1024 * 1024
    agents_per_connection: int = 1_000
    connections_per_token: int = 20_000
    messages_per_s: float = 100.0
    message_burst: float = 2_000.0
    pace_bytes: int = EACH
    token_bytes_per_s: float = 16 * 1024 * 1024
    token_burst_bytes: float = 1024 * 1024 * 1024
    connections: int = 25_000
    handshakes: int = 1_000
    handshake_s: float = 10.0
    header_bytes: int = 16 * 1024
    ping_s: float = 30.0
    first_message_s: float = 30.0
    message_s: float = 60.0
    verify_s: float = 10.0
    remember_tokens_s: float = 5.0
    retry_after_s: int = 30
    claim_rows: int = 500
    decline_s: float = 30.0
    refusals_s: float = 2.0
    late_s: float = 5.0
    new_uids: int = 3
    refusals_per_minute: int = 120
    drain_slice: int = 200
    drain_pause_s: float = 0.05
    drain_timeout_s: float = 10.0

    @property
    def all_threads(self) -> int:
        """How many threads of a gateway use the database; one of them writes reports."""
        return self.threads + self.request_threads + self.control_threads + 1

    def retry_after(self) -> int:
        """When one that is turned away now is to come back: retry_after_s, and up to half as long again, so that those
        who were turned away together do not come back together.
        """
        least_s = self.retry_after_s
        return random.randint(least_s, least_s + least_s // 2)  # noqa: S311

    def pace(self, now_s: float) -> Pace:
        """That of a peer that comes now."""
        return Pace(self.messages_per_s, self.message_burst, now_s, each=self.pace_bytes)
