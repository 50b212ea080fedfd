"""The only writer of AgentStatus (I6). Everything that reaches the hot row goes through these functions.

A few statements for any number of agents; the SQL that differs between databases stands in dialects/.
"""

from agents.store.commands import claim_commands, expire_commands
from agents.store.comparing import (
    DRIFT_ENDED,
    DRIFTED,
    Compared,
    Pair,
    effective_files,
    keep_verdicts,
    set_runs,
    to_compare,
    verdicts_on,
)
from agents.store.events import RESTARTING, RETRIED, NewEvent, add_events
from agents.store.intents import IntentChange, note_restarts, set_intent, set_intervals
from agents.store.loaded import StatusRow
from agents.store.patches import Overtaken, apply
from agents.store.pruning import (
    prune_commands,
    prune_components,
    prune_effective_configs,
    prune_events,
    prune_verdicts,
)
from agents.store.rows import (
    CALM_AFTER_RESTART,
    FENCED_EPOCH,
    hold,
    is_void,
    lock,
    lock_open_to_offers,
)
from agents.store.sessions import Arrival, open_sessions, register, sessions_of
from agents.store.sweeping import sweep

__all__ = [
    "CALM_AFTER_RESTART",
    "DRIFTED",
    "DRIFT_ENDED",
    "FENCED_EPOCH",
    "RESTARTING",
    "RETRIED",
    "Arrival",
    "Compared",
    "IntentChange",
    "NewEvent",
    "Overtaken",
    "Pair",
    "StatusRow",
    "add_events",
    "apply",
    "claim_commands",
    "effective_files",
    "expire_commands",
    "hold",
    "is_void",
    "keep_verdicts",
    "lock",
    "lock_open_to_offers",
    "note_restarts",
    "open_sessions",
    "prune_commands",
    "prune_components",
    "prune_effective_configs",
    "prune_events",
    "prune_verdicts",
    "register",
    "sessions_of",
    "set_intent",
    "set_intervals",
    "set_runs",
    "sweep",
    "to_compare",
    "verdicts_on",
]
