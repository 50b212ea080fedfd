"""The only writer of rollouts, stages, targets, attempts, quarantine and of what members should run (I6).

Level-triggered: stored state and deadlines decide, so killing any process at any moment loses nothing and offers
nothing twice. Every function is one transaction; it locks fleets, then rollouts, then the agents' status rows
(locks.py, agents.store.lock), then the rest, and hints at gateways and pages once it holds.
"""

from fleets.rollouts.engine.answers import give_back, record_reports
from fleets.rollouts.engine.claims import claim
from fleets.rollouts.engine.deadlines import expire
from fleets.rollouts.engine.desires import hand_down
from fleets.rollouts.engine.lifecycle import act, advance, to_look_at
from fleets.rollouts.engine.locks import hold, hold_fleets
from fleets.rollouts.engine.membership import exclude, join, keep_names, stable_configs
from fleets.rollouts.engine.releasing import leave_out
from fleets.rollouts.engine.retries import RetryWay, retry, retry_many, way_of_retry
from fleets.rollouts.engine.reverting import settle_reverting
from fleets.rollouts.engine.soaks import judge_soaks
from fleets.rollouts.engine.starting import start
from fleets.rollouts.engine.states import IN_FLIGHT
from fleets.rollouts.engine.zones import ZoneHold, holders_of, zone_holds

__all__ = [
    "IN_FLIGHT",
    "RetryWay",
    "ZoneHold",
    "act",
    "advance",
    "claim",
    "exclude",
    "expire",
    "give_back",
    "hand_down",
    "hold",
    "hold_fleets",
    "holders_of",
    "join",
    "judge_soaks",
    "keep_names",
    "leave_out",
    "record_reports",
    "retry",
    "retry_many",
    "settle_reverting",
    "stable_configs",
    "start",
    "to_look_at",
    "way_of_retry",
    "zone_holds",
]
