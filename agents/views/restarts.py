"""A restart that was asked for, while it is news."""

from dataclasses import dataclass
from datetime import datetime

from agents.models import Agent, AgentCommand, CommandKind
from agents.store import CALM_AFTER_RESTART


@dataclass(frozen=True, slots=True)
class RestartUnderWay:
    """Who asked and when; sent_at is None while it waits for its delivery."""

    by: str
    asked_at: datetime
    sent_at: datetime | None


def restart_under_way(agent: Agent, now: datetime) -> RestartUnderWay | None:
    """The last restart if it waits to be delivered, or was delivered a moment ago."""
    restarts = AgentCommand.objects.filter(agent=agent, kind=CommandKind.RESTART).defer("body")
    last = restarts.first()
    if last is None:
        return None
    is_waiting = last.sent_at is None and last.expired_at is None and now < last.expires_at
    is_fresh = last.sent_at is not None and now - last.sent_at < CALM_AFTER_RESTART
    if not is_waiting and not is_fresh:
        return None
    return RestartUnderWay(last.requested_by, last.requested_at, last.sent_at)
