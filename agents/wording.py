"""How pages and answers name what the protocol counts in bits, and say in words why a status is what it is. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agents.lastwords import QUOTED
from agents.snapshot import Capability

CAPABILITY_NAMES: Final[Mapping[Capability, str]] = {
    Capability.REPORTS_STATUS: "ReportsStatus",
    Capability.ACCEPTS_REMOTE_CONFIG: "AcceptsRemoteConfig",
    Capability.REPORTS_EFFECTIVE_CONFIG: "ReportsEffectiveConfig",
    Capability.ACCEPTS_PACKAGES: "AcceptsPackages",
    Capability.REPORTS_PACKAGE_STATUSES: "ReportsPackageStatuses",
    Capability.REPORTS_OWN_TRACES: "ReportsOwnTraces",
    Capability.REPORTS_OWN_METRICS: "ReportsOwnMetrics",
    Capability.REPORTS_OWN_LOGS: "ReportsOwnLogs",
    Capability.ACCEPTS_OPAMP_CONNECTION_SETTINGS: "AcceptsOpAMPConnectionSettings",
    Capability.ACCEPTS_OTHER_CONNECTION_SETTINGS: "AcceptsOtherConnectionSettings",
    Capability.ACCEPTS_RESTART_COMMAND: "AcceptsRestartCommand",
    Capability.REPORTS_HEALTH: "ReportsHealth",
    Capability.REPORTS_REMOTE_CONFIG: "ReportsRemoteConfig",
    Capability.REPORTS_HEARTBEAT: "ReportsHeartbeat",
    Capability.REPORTS_AVAILABLE_COMPONENTS: "ReportsAvailableComponents",
    Capability.REPORTS_CONNECTION_SETTINGS_STATUS: "ReportsConnectionSettingsStatus",
}
"""AgentCapabilities as the OpAMP specification writes them, in the order of their bits."""

REMOTE_CONFIG_STATUS: Final = {0: "UNSET", 1: "APPLIED", 2: "APPLYING", 3: "FAILED"}
"""RemoteConfigStatuses of the OpAMP proto without their prefix."""

TRANSPORTS: Final = {"ws": "WebSocket", "http": "plain HTTP"}
"""Transports as people call them."""


DISCONNECTS: Final = {
    "agent_disconnect": "its supervisor said goodbye",
    "Supervisor is shutdown": "its supervisor was shut down",
    "closed": "the connection was closed",
}
"""Why a connection ended, as stored and as people read it; other reasons are words already."""


def capability_names(bits: int) -> list[str]:
    """The announced capabilities by their names; bits that this server does not know are left out."""
    return [name for capability, name in CAPABILITY_NAMES.items() if bits & capability]


@dataclass(frozen=True, slots=True)
class Situation:
    """What a status sentence depends on. desired and applied: versions in words, "" when there is none · waits_for:
    those of its zone that hold it back, by name.
    """

    status: str
    config_status: str
    fleet: str = ""
    is_observed: bool = False
    accepts_config: bool = True
    desired: str = ""
    applied: str = ""
    transport: str = ""
    interval_s: int = 30
    waits_for: Sequence[str] = ()


def explain(now: Situation) -> str:
    """Why the collector has its status, in one or two sentences."""
    if now.status == "disconnected":
        return "It has no connection. It keeps running what it has. " + _config_words(now)
    if now.status == "stale":
        return "It was not heard for a long time and may be gone. " + _config_words(now)
    return _config_words(now)


def hint_for(error: str) -> str:
    """What to add to a failure in which the collector's own words are missing; empty when they are there.

    Supervisors that know collector_crash_log_snippet_kib quote the collector's log; older ones say that it ended.
    """
    if "exited unexpectedly" not in error or QUOTED in error:
        return ""
    return (
        "The supervisor cannot report why: it does not pass on what the collector wrote. On the host that"
        " stands in agent.log, in the supervisor's storage directory. Supervisor 0.158.0 reports it."
    )


RETRY_MANY: Final = (
    "Each is offered the version before it, and once that runs the one that failed again: two restarts. One that went"
    " back by itself needs one. The zone limit and the number in flight of their rollout hold."
)
"""What a retry of several collectors does."""
RETRIED: Final = "offered what failed once more"
"""What they are then."""


def retry_words(*, failed: str, via: str, is_connected: bool) -> str:
    """What a retry will do. failed, via: versions in words; via "": it went back by itself."""
    when = "" if is_connected else " It is not connected: this begins when it returns."
    if via:
        way = (
            f"{via} is offered first, and {failed} again once that runs: offered twice in a row, a version would seem"
            " to succeed without being tried. The collector restarts twice, about 3 s without data each."
        )
    else:
        way = f"{failed} is offered again at once. The collector restarts with it, about 3 s without data."
    return f"{way} If it fails once more, it waits for the next retry.{when}"


def _config_words(now: Situation) -> str:
    words = {
        "in_sync": f"It runs {now.desired} and said so itself.",
        "pending": _pending(now),
        "applying": f"{now.desired} was offered. Its answer is awaited.",
        "failed": f"It failed with {now.desired}, which is not offered to it again until a person retries.",
        "rolled_back": f"It failed with {now.desired} and runs {now.applied or 'its version before'} again."
        " The version is not offered to it again until a person retries.",
        "drifted": f"Its effective configuration differs from {now.desired}.",
        "unmanaged": _unmanaged(now),
    }
    return words.get(now.config_status, "")


def _pending(now: Situation) -> str:
    if now.status != now.config_status:
        return f"{now.desired} is offered when it returns."
    if now.waits_for:
        names = " and ".join(now.waits_for[:_MOST_NAMES])
        return (
            f"{now.desired} is offered once {names} of its zone {'is' if len(now.waits_for) == 1 else 'are'} well: it"
            " failed there. Mend or retry what is broken, or leave it out on the page of the rollout."
        )
    if now.transport == "http":
        return f"{now.desired} is offered at its next poll, which comes every {now.interval_s} s."
    return f"{now.desired} is chosen and not acknowledged yet."


_MOST_NAMES: Final = 3


def _unmanaged(now: Situation) -> str:
    if not now.fleet:
        return "It belongs to no fleet, so nothing is offered to it."
    if not now.accepts_config:
        return "It does not accept configuration: its supervisor runs with accepts_remote_config: false."
    if now.is_observed:
        return "It is only observed: nothing is offered to it."
    return f"{now.fleet} has no version, so nothing is offered to it."
