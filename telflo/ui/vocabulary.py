"""The status vocabulary: one place that says how a state is called, coloured and drawn.

A state is always shown by colour, shape and word together. Quiet states are plain text with a
coloured icon; a lit one is a tinted pill, so that trouble stands out among a hundred fine rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lamp:
    """How one state looks: `tone` is ok, move, warn, fail, back, idle or none."""

    word: str
    tone: str
    icon: str
    lit: bool = False
    spins: bool = False
    meaning: str = ""

    @property
    def css(self) -> str:
        """Classes of the lamp's element."""
        return f"lamp is-{self.tone} lit" if self.lit else f"lamp is-{self.tone}"


COLLECTOR: Mapping[str, Lamp] = {
    "in_sync": Lamp("In sync", "ok", "circle-check", meaning="runs the intended version, proven"),
    "pending": Lamp("Pending", "move", "clock", meaning="version chosen, not offered yet"),
    "applying": Lamp(
        "Applying", "move", "loader-circle", spins=True, meaning="offered, answer awaited"
    ),
    "failed": Lamp(
        "Failed", "fail", "circle-x", lit=True, meaning="refused it or got unhealthy with it"
    ),
    "rolled_back": Lamp(
        "Rolled back", "back", "undo-2", lit=True, meaning="returned to its version before"
    ),
    "drifted": Lamp(
        "Drifted",
        "warn",
        "git-compare-arrows",
        lit=True,
        meaning="effective differs from intended",
    ),
    "unmanaged": Lamp("Unmanaged", "idle", "eye", meaning="does not accept configuration"),
    "stale": Lamp("Stale", "warn", "hourglass", lit=True, meaning="not heard for a long time"),
    "disconnected": Lamp("Disconnected", "idle", "unplug", lit=True, meaning="no connection"),
}

HEALTH: Mapping[str, Lamp] = {
    "healthy": Lamp("Healthy", "ok", "activity", meaning="says so itself"),
    "unhealthy": Lamp(
        "Unhealthy", "fail", "triangle-alert", lit=True, meaning="with the component and its text"
    ),
    "unknown": Lamp(
        "Unknown", "idle", "circle-question-mark", meaning="cut off, or says nothing of it"
    ),
}

ROLLOUT: Mapping[str, Lamp] = {
    "pending": Lamp("Pending", "move", "clock", meaning="not started"),
    "running": Lamp("Running", "move", "play", lit=True, meaning="stage under way"),
    "baking": Lamp("Baking", "move", "timer", lit=True, meaning="stage done, being watched"),
    "paused": Lamp("Paused", "warn", "pause", lit=True, meaning="a person stopped it"),
    "rolling_back": Lamp(
        "Rolling back", "back", "undo-2", lit=True, meaning="budget spent, or a person"
    ),
    "rolled_back": Lamp("Rolled back", "back", "undo-2", lit=True, meaning="all targets back"),
    "succeeded": Lamp("Succeeded", "ok", "circle-check", meaning="every stage passed"),
    "finished": Lamp(
        "Finished", "warn", "circle-alert", lit=True, meaning="every stage passed, some failed"
    ),
    "superseded": Lamp(
        "Superseded", "idle", "replace", meaning="another version was assigned meanwhile"
    ),
    "cancelled": Lamp("Cancelled", "idle", "ban", meaning="stopped, moved ones stay"),
}

TARGET: Mapping[str, Lamp] = {
    "waiting": Lamp("Waiting", "idle", "circle-dashed", meaning="next stages"),
    "offered": Lamp("Offered", "move", "send", meaning="sent, not acknowledged"),
    "applying": Lamp(
        "Applying", "move", "loader-circle", spins=True, meaning="acknowledged, answer awaited"
    ),
    "soaking": Lamp("Soaking", "move", "timer", meaning="applied, being watched"),
    "succeeded": Lamp("Succeeded", "ok", "circle-check", meaning="applied and healthy"),
    "failed": Lamp("Failed", "fail", "circle-x", lit=True, meaning="refused or unhealthy"),
    "pending_offline": Lamp("Pending, offline", "idle", "unplug", meaning="gets it on return"),
    "excluded": Lamp("Excluded", "idle", "circle-minus", meaning="by a person, with a reason"),
    "reverting": Lamp("Reverting", "back", "undo-2", meaning="on its way back"),
    "reverted": Lamp("Reverted", "back", "undo-2", meaning="runs its version before"),
    "revert_failed": Lamp(
        "Revert failed", "fail", "circle-x", lit=True, meaning="did not take its version before"
    ),
}

STAGE: Mapping[str, Lamp] = {
    "waiting": Lamp("Waiting", "none", ""),
    "running": Lamp("Running", "move", ""),
    "baking": Lamp("Baking", "move", "timer"),
    "paused": Lamp("Paused", "warn", "pause", lit=True),
    "superseded": Lamp("Superseded", "idle", "replace", lit=True),
    "cancelled": Lamp("Cancelled", "idle", "ban", lit=True),
    "passed": Lamp("Passed", "ok", "check"),
    "flawed": Lamp("Passed, some failed", "warn", "triangle-alert"),
    "failed": Lamp("Failed", "fail", "x"),
    "skipped": Lamp("Nobody in it", "idle", ""),
    "stopped": Lamp("Stopped", "idle", "ban", lit=True),
    "reverted": Lamp("Reverted", "back", "undo-2"),
}

TOKEN: Mapping[str, Lamp] = {
    "active": Lamp("Active", "ok", "circle-check", meaning="enrols new collectors"),
    "expires_soon": Lamp(
        "Expires soon", "warn", "hourglass", lit=True, meaning="less than 30 days left"
    ),
    "expired": Lamp("Expired", "idle", "clock-alert", meaning="enrols nobody, known ones stay"),
    "retired": Lamp("Retired", "idle", "archive", meaning="enrols nobody, known ones stay"),
    "revoked": Lamp("Revoked", "fail", "ban", meaning="refused from now on"),
}

VERSION: Mapping[str, Lamp] = {
    "draft": Lamp("Draft", "move", "pencil", meaning="being edited"),
    "unpublished": Lamp("Unpublished", "idle", "circle-dashed", meaning="saved, not offered"),
    "published": Lamp("Published", "ok", "circle-check", meaning="can be assigned"),
    "archived": Lamp("Archived", "idle", "archive", meaning="kept for the record"),
}

CONNECTION: Mapping[str, Lamp] = {
    "connected": Lamp("Connected", "ok", "plug", meaning="reachable now"),
    "disconnected": Lamp("Disconnected", "idle", "unplug", lit=True, meaning="no connection"),
    "waiting": Lamp("Waiting", "move", "loader-circle", spins=True, meaning="not heard yet"),
}

SETTINGS: Mapping[str, Lamp] = {
    "applied": Lamp(
        "Applied", "ok", "circle-check", meaning="says so, came by the credential, or needs none"
    ),
    "sent": Lamp("Sent", "move", "send", meaning="and says nothing of what became of them"),
    "waiting": Lamp("Waiting", "move", "clock", meaning="sent once it is connected"),
    "failed": Lamp(
        "Failed", "fail", "circle-x", lit=True, meaning="says so, or never came by its credential"
    ),
    "unable": Lamp(
        "Cannot take all", "idle", "ban", meaning="accepts a part of them alone, or nothing"
    ),
}

PROCESS: Mapping[str, Lamp] = {
    "running": Lamp("Running", "ok", "circle-check", meaning="wrote its numbers lately"),
    "silent": Lamp("Silent", "warn", "hourglass", lit=True, meaning="killed, hangs, or cut off"),
}

PERSON: Mapping[str, Lamp] = {
    "active": Lamp("Active", "ok", "circle-check", meaning="can sign in"),
    "invited": Lamp("Invited", "move", "mail", meaning="has not set a password"),
    "disabled": Lamp("Disabled", "idle", "ban", meaning="cannot sign in"),
}

SUBSCRIPTION: Mapping[str, Lamp] = {
    "active": Lamp("Active", "ok", "circle-check", meaning="what was sent last arrived"),
    "failing": Lamp("Failing", "warn", "triangle-alert", lit=True, meaning="tried again later"),
    "paused": Lamp("Paused", "warn", "pause", lit=True, meaning="nothing is sent"),
}

DELIVERY: Mapping[str, Lamp] = {
    "waiting": Lamp("Waiting", "move", "clock", meaning="sent soon, or again"),
    "delivered": Lamp("Delivered", "ok", "circle-check", meaning="the receiver has it"),
    "failed": Lamp("Given up", "fail", "circle-x", lit=True, meaning="not tried again"),
}

VOCABULARY: Mapping[str, Mapping[str, Lamp]] = {
    "status": COLLECTOR,
    "health": HEALTH,
    "rollout": ROLLOUT,
    "target": TARGET,
    "stage": STAGE,
    "token": TOKEN,
    "version": VERSION,
    "connection": CONNECTION,
    "settings": SETTINGS,
    "person": PERSON,
    "process": PROCESS,
    "subscription": SUBSCRIPTION,
    "delivery": DELIVERY,
}


def lamp_for(kind: str, state: str) -> Lamp:
    """Return the lamp of `state` in the vocabulary `kind`.

    Raises KeyError, with the known names, for a kind or a state that the vocabulary lacks.
    """
    words = VOCABULARY.get(kind)
    if words is None:
        raise KeyError(f"no status vocabulary {kind!r}; there is {', '.join(VOCABULARY)}")
    lamp = words.get(state)
    if lamp is None:
        raise KeyError(f"no {kind} state {state!r}; there is {', '.join(words)}")
    return lamp
