"""What a rollout's state means to a pipeline: a line of progress, and an exit code. Pure."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Final


class Exit(IntEnum):
    """Exit codes of `telflo rollout`; they stay as they are."""

    SUCCEEDED = 0
    ERROR = 1
    USAGE = 2
    BLOCKED = 3
    ROLLED_BACK = 4
    STOPPED = 5
    TIMEOUT = 6


_ENDS: Final = {
    "succeeded": Exit.SUCCEEDED,
    "rolled_back": Exit.ROLLED_BACK,
    "paused": Exit.STOPPED,
    "cancelled": Exit.STOPPED,
    "superseded": Exit.STOPPED,
}
_NOT_MOVED: Final = frozenset({"excluded"})


def end_of(rollout: Mapping[str, Any]) -> Exit | None:
    """How it ended, None while it goes on. Paused ends as well: it waits for a person."""
    return _ENDS.get(str(rollout["state"]))


def line_of(rollout: Mapping[str, Any]) -> str:
    """One line: state, stage, numbers, and why."""
    state = str(rollout["state"]).replace("_", " ")
    parts = [f"#{rollout['number']} {state}", _stage(rollout.get("stages", ())), _numbers(rollout)]
    why = str(rollout.get("state_reason") or "")
    return " · ".join(part for part in (*parts, why) if part)


def _stage(stages: Sequence[Mapping[str, Any]]) -> str:
    under_way = [one for one in stages if one["state"] in {"running", "baking", "paused"}]
    if not under_way or len(stages) == 1:
        return ""
    stage = under_way[0]
    return f"stage {stage['index'] + 1} of {len(stages)}, {stage['name']}"


def _numbers(rollout: Mapping[str, Any]) -> str:
    counts: Mapping[str, int] = rollout["counts"]
    total = sum(n for state, n in counts.items() if state not in _NOT_MOVED)
    told = [f"{counts.get('succeeded', 0)} of {total} succeeded"]
    names = {
        "failed": "failed",
        "reverting": "going back",
        "reverted": "went back",
        "revert_failed": "did not go back",
        "pending_offline": "offline",
    }
    return ", ".join(
        told + [f"{counts[key]} {words}" for key, words in names.items() if counts.get(key)]
    )


def check_lines(check: Mapping[str, Any]) -> list[str]:
    """A dry run's answer as lines."""
    lines = [
        f"{check['reached']} of {check['managed']} collectors would get it, {check['offline']} of them offline"
    ]
    lines += [f"  {one['name']}: {one['reached']}" for one in check["stages"]]
    for one in check["findings"]:
        lines.append(f"{one['severity']} {one['code']}: {one['title']}. {one['detail']}".rstrip())
        lines += [f"  {line}" for line in one.get("lines", ())]
        lines += [f"  {who['name']} {who['detail']}".rstrip() for who in one["collectors"][:10]]
    return lines
