"""The only writer of AgentStatus (I6). Everything that reaches the hot row goes through these functions.

A few statements for any number of agents; the SQL that differs between databases stands in dialects/.
"""

from agents.store.events import NewEvent, add_events
from agents.store.intents import IntentChange, set_intent, set_intervals
from agents.store.patches import apply
from agents.store.pruning import prune_effective_configs, prune_events
from agents.store.rows import lock
from agents.store.sessions import FENCED_EPOCH, open_session, register
from agents.store.sweeping import sweep

__all__ = [
    "FENCED_EPOCH",
    "IntentChange",
    "NewEvent",
    "add_events",
    "apply",
    "lock",
    "open_session",
    "prune_effective_configs",
    "prune_events",
    "register",
    "set_intent",
    "set_intervals",
    "sweep",
]
