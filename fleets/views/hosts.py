"""Hosts that used a quick-deploy command, and which of them have fallen silent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from agents.models import Agent
from fleets.models import Deployment, Membership, Token

SILENT_AFTER: Final = timedelta(minutes=2)
"""A supervisor connects within some 20 s of its claim, and comes back from a restart as fast."""
SILENT_FOR: Final = timedelta(days=1)
"""After a day it is old news: the collector is stale, or was never meant to stay."""
MOST_HOSTS: Final = 100


@dataclass(frozen=True, slots=True)
class HostRow:
    """A host that claimed a token, and its collector once it is connected."""

    token: Token
    agent: Agent | None

    @property
    def name(self) -> str:
        """The collector's name, else the host's."""
        return self.agent.display_name if self.agent else self.token.name

    @property
    def quiet_since(self) -> datetime | None:
        """Since when nothing was heard of it; None while it is connected, and for one whose token was revoked."""
        if self.token.revoked_at is not None:
            return None
        if self.agent is None:
            return self.token.created_at
        status = self.agent.status
        return None if status.connected else status.status_since


def hosts_of(found: Deployment) -> list[HostRow]:
    """Who claimed a token by it, oldest first, with the collectors that came by these tokens. Two queries."""
    tokens = list(found.tokens.order_by("created_at")[:MOST_HOSTS])
    members = Membership.objects.filter(token__in=[token.pk for token in tokens])
    agents = {
        member.token_id: member.agent
        for member in members.select_related("agent__status").defer("agent__status__health_report")
    }
    return [HostRow(token, agents.get(token.pk)) for token in tokens]


def silent_hosts(hosts: Sequence[HostRow], now: datetime) -> list[HostRow]:
    """Those of which nothing was heard for so long that somebody should look."""
    return [
        host
        for host in hosts
        if host.quiet_since and SILENT_AFTER <= now - host.quiet_since < SILENT_FOR
    ]


def look_again_in(hosts: Sequence[HostRow], now: datetime) -> int:
    """Seconds until the next of them would count as silent; 0 when none waits."""
    waits = [SILENT_AFTER - (now - host.quiet_since) for host in hosts if host.quiet_since]
    return ceil(min((wait.total_seconds() for wait in waits if wait > timedelta()), default=0))
