"""PURE. How a simulated agent behaves: as a supervisor does, and in which way it misbehaves."""

from dataclasses import dataclass
from enum import StrEnum

from opamp.simulator import shapes


class Quirk(StrEnum):
    """One way of not behaving as a supervisor does. The value is the name of the command's option."""

    NONE = ""
    SKIP = "skip-numbers"
    """Leaves out every fifth sequence number."""
    REPEAT = "repeat-messages"
    """Sends each message twice."""
    GARBAGE = "garbage"
    """Its heartbeats are random bytes."""
    WANDER = "change-uid"
    """Takes a new uid at every third heartbeat."""
    CLONE = "clone"
    """Has the uid of the clone before it: two of them share one."""
    DEAF = "never-read"
    """Talks and never reads an answer."""
    FLOOD = "flood"
    """Sends heartbeats without a pause."""
    HALF_OPEN = "half-open"
    """Says hello, then nothing ever again, and does not answer pings."""
    SILENT = "say-nothing"
    """Opens a TCP connection and says nothing."""
    TRICKLE = "byte-a-minute"
    """Sends its upgrade request one byte at a time."""

    @property
    def needs_no_agent(self) -> bool:
        """True when it never gets as far as an OpAMP message."""
        return self in {Quirk.SILENT, Quirk.TRICKLE}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What an agent does. Times are seconds.

    apply_delay_s: from APPLYING to APPLIED; 0: all messages of an apply at once.
    fails: refuses every configuration that is offered, or only those with `fail_marker` in their text.
    fail_error: what its collector says then; "" for the words about an exporter that it does not know.
    local_config: what runs before a configuration is offered, and is merged below it.
    local_override: what a file of the host puts over every configuration, as somebody did there by hand.
    ailment: an error of its exporters, for a collector that runs and is unhealthy.
    whole_first_report: its first message has everything in it, instead of the few steps of a real start.
    """

    heartbeat_s: float = 30.0
    apply_delay_s: float = 5.0
    fails: bool = False
    fail_marker: str = ""
    fail_error: str = ""
    local_config: str = shapes.LOCAL_CONFIG
    local_override: str = ""
    ailment: str = ""
    whole_first_report: bool = False
    capabilities: int = shapes.ALL_CAPABILITIES
    quirk: Quirk = Quirk.NONE

    def refuses(self, text: str) -> bool:
        """Whether its collector cannot run this text."""
        return self.fails and self.fail_marker in text
