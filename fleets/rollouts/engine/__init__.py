"""The only writer of rollouts, stages, targets, attempts, quarantine and of what members should run (I6).

Level-triggered: stored state and deadlines decide, so killing any process at any moment loses nothing and offers
nothing twice. Every function is one transaction, takes the agents' status rows first (agents.store.lock), and hints
at gateways and pages once it holds.
"""

from fleets.rollouts.engine.answers import give_back, record_reports
from fleets.rollouts.engine.claims import IN_FLIGHT, claim
from fleets.rollouts.engine.deadlines import expire
from fleets.rollouts.engine.desires import hand_down
from fleets.rollouts.engine.lifecycle import advance, start
from fleets.rollouts.engine.membership import exclude, join
from fleets.rollouts.engine.retries import retry

__all__ = [
    "IN_FLIGHT",
    "advance",
    "claim",
    "exclude",
    "expire",
    "give_back",
    "hand_down",
    "join",
    "record_reports",
    "retry",
    "start",
]
