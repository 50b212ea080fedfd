"""Who runs what: fleets, the tokens that let collectors in, memberships, rollouts and what came of each offer."""

from fleets.models.connection import AgentConnection, ConnectionSettings
from fleets.models.fleet import ArrivalMode, Fleet, Membership, RenderedConfig
from fleets.models.rollout import (
    SHOWN_STAGE_STATES,
    Attempt,
    AttemptState,
    Quarantine,
    Rollout,
    RolloutState,
    Stage,
    StageState,
    Target,
    TargetState,
)
from fleets.models.token import (
    Deployment,
    Handover,
    Platform,
    RefusalReason,
    RefusedAttempt,
    Token,
    TokenKind,
)

__all__ = [
    "SHOWN_STAGE_STATES",
    "AgentConnection",
    "ArrivalMode",
    "Attempt",
    "AttemptState",
    "ConnectionSettings",
    "Deployment",
    "Fleet",
    "Handover",
    "Membership",
    "Platform",
    "Quarantine",
    "RefusalReason",
    "RefusedAttempt",
    "RenderedConfig",
    "Rollout",
    "RolloutState",
    "Stage",
    "StageState",
    "Target",
    "TargetState",
    "Token",
    "TokenKind",
]
