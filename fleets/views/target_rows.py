"""The targets of a rollout as rows of a table: where each stands, why, and what runs on it instead of what failed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from agents.lastwords import gist_of
from agents.models import Status
from agents.views.versions import AgentVersions, Pointers, acknowledged, versions_by
from fleets.models import Attempt, Rollout, RolloutState, Target, TargetState
from fleets.rollouts.placing import HAD_IT, NOT_REACHED
from telflo.base.redaction import redact_text

_FAILED: Final = (TargetState.FAILED, TargetState.REVERT_FAILED)
_NOT_TAKEN: Final = (TargetState.WAITING, TargetState.PENDING_OFFLINE, TargetState.FAILED)
_COLUMNS: Final = (
    "pk",
    "agent_id",
    "agent__display_name",
    "agent_label",
    "state",
    "state_since",
    "reason",
    "failure",
    "zone",
    "stage__name",
    "rollout__version_id",
    "rollout__state",
    "rollout__zone_limit",
    "previous_id",
    "previous__version__number",
    "previous__version__configuration__name",
    "agent__status__connected",
    "agent__status__config_status",
    "agent__status__remote_config_status",
    "agent__status__remote_config_hash",
    "agent__membership__desired_id",
)


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One collector in the rollout, with why it stands where it does.

    error, reason: redacted; of a log that is quoted they have what says why alone ·
    instead: what runs on it, in words, where the version failed · can_leave_out: while the rollout is under way, or
    it waits in one that succeeded, or others for it · word: in place of the state's, where that says too little.
    """

    name: str
    uid: str
    stage: str
    state: str
    since: datetime
    reason: str
    error: str
    before: str
    instead: str
    can_retry: bool
    can_leave_out: bool
    word: str = ""

    @property
    def why(self) -> str:
        """Why it stands where it does, "" where there is nothing to say."""
        return self.error or self.reason


def target_rows(
    rollout: Rollout, keys: Sequence[UUID], held: Collection[UUID] = ()
) -> list[TargetRow]:
    """The rows of these targets in this order, in three queries. held: agents that wait for another of their zone."""
    found = Target.objects.filter(pk__in=keys).values(
        *_COLUMNS, is_wanted=Q(agent__membership__desired__version=rollout.version_id)
    )
    targets: dict[UUID, Any] = {target["pk"]: target for target in found}
    failed = [target for target in targets.values() if target["state"] in _FAILED]
    uids = [target["agent_id"] for target in failed]
    attempts = Attempt.objects.filter(rollout=rollout, agent__in=uids).order_by("id")
    errors = dict(attempts.values_list("agent_id", "error"))
    versions = versions_by({target["pk"]: _pointers(target) for target in failed})
    redact = cache(_redacted_gist)  # many fail for the same reason
    return [
        _row(
            targets[key],
            errors,
            versions.get(key),
            redact,
            is_held=targets[key]["agent_id"] in held,
        )
        for key in keys
        if key in targets
    ]


def unreached(rollout: Rollout) -> int:
    """How many waited when it ended, so that it did not reach them."""
    if rollout.state not in _ENDED_BEFORE:
        return 0
    return rollout.targets.filter(state=TargetState.EXCLUDED, reason__in=NOT_REACHED).count()


_ENDED_BEFORE: Final = (
    RolloutState.CANCELLED,
    RolloutState.ROLLING_BACK,
    RolloutState.ROLLED_BACK,
)


def _redacted_gist(words: str) -> str:
    return redact_text(gist_of(words))


def _row(
    target: Any,
    errors: Mapping[UUID, str],
    versions: AgentVersions | None,
    redact: Callable[[str], str],
    *,
    is_held: bool,
) -> TargetRow:
    """One target (its columns). errors: of the last attempts; where there is one, the reason would repeat it."""
    number = target["previous__version__number"]
    before = f"{target['previous__version__configuration__name']} v{number}" if number else ""
    told = "" if target["state"] == TargetState.REVERT_FAILED else errors.get(target["agent_id"])
    word = _SAID_ONCE.get((target["state"], target["reason"]), "")
    why = told or _reason(target) or "It gave no reason."
    return TargetRow(
        name=target["agent__display_name"] or target["agent_label"] or "forgotten",
        uid=str(target["agent_id"] or ""),
        stage=target["stage__name"],
        state=target["state"],
        since=target["state_since"],
        reason="" if word else redact(_reason(target)),
        error=redact(why) if versions else "",
        before=before,
        instead=_instead(target, versions, before) if versions else "",
        can_retry=bool(target["is_wanted"])
        and target["agent__status__config_status"] in (Status.FAILED, Status.ROLLED_BACK),
        can_leave_out=bool(target["agent_id"]) and _may_be_left_out(target),
        word=word or ("Held" if is_held else ""),
    )


_SAID_ONCE: Final = {
    **{(TargetState.EXCLUDED.value, reason): "Not reached" for reason in NOT_REACHED},
    (TargetState.SUCCEEDED.value, HAD_IT): "Had it",
}
"""Reasons that many have, by what their rows say instead."""


def _may_be_left_out(target: Any) -> bool:
    if target["rollout__state"] != RolloutState.SUCCEEDED:
        return target["state"] in _NOT_TAKEN
    may_hold = target["rollout__zone_limit"] and target["zone"]
    return target["state"] == TargetState.PENDING_OFFLINE or bool(
        may_hold and target["state"] == TargetState.FAILED
    )


def _reason(target: Any) -> str:
    """Why it stands where it does; of one that went back, or was to, also why."""
    is_told = target["failure"] in ("", target["reason"])
    failure = "" if is_told else f"The version failed there: {target['failure']}"
    return " ".join(filter(None, (target["reason"], failure)))


def _pointers(target: Any) -> Pointers:
    return Pointers(
        target["agent__membership__desired_id"], target["previous_id"], _applied_hash(target)
    )


def _applied_hash(target: Any) -> str:
    status = target["agent__status__remote_config_status"]
    return acknowledged(status, target["agent__status__remote_config_hash"]) if status else ""


def _instead(target: Any, versions: AgentVersions, before: str) -> str:
    """What it said itself that it runs; where it did not, what it was to run before."""
    if not target["agent_id"]:
        return ""
    digest = _applied_hash(target)
    # Who repeats an offer that failed may say APPLIED to it: that proves nothing (fleets/rollouts/engine/answers.py).
    if digest and not (versions.applied and versions.applied.id == target["rollout__version_id"]):
        known = versions.applied or f"a configuration that is not from here, {digest[:8]}"
        return f"Runs {known}." if target["agent__status__connected"] else f"Ran {known} last."
    if before:
        return f"Was to run {before} before, and has not said what it runs."
    return "Had no version from here before."
