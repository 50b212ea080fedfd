"""What one row of the collectors list shows, as a value: the page and the CSV export share it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from agents.models import Agent, AgentQuerySet
from agents.views.versions import AgentVersions, membership_of, versions_of
from telflo.base.redaction import redact_mapping

_COLUMNS = (
    "display_name",
    "labels",
    "non_identifying",
    "collector_name",
    "collector_version",
    "host_name",
    "os_type",
    "status__status",
    "status__status_since",
    "status__health",
    "status__connected",
    "status__transport",
    "status__last_seen_at",
    "status__remote_config_status",
    "status__remote_config_hash",
    "membership__mode",
    "membership__desired_id",
    "membership__previous_id",
    "membership__fleet__name",
    "membership__fleet__slug",
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A label, redacted, with the filter that finds the others that have it."""

    key: str
    value: str

    @property
    def query(self) -> str:
        """The address of the list of those that have it."""
        return "?" + urlencode({f"label.{self.key}": self.value})

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.key}={self.value}" if self.value else self.key


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One collector in the list."""

    uid: UUID
    url: str
    name: str
    fleet: str
    fleet_slug: str
    status: str
    since: datetime
    health: str
    connected: bool
    transport: str
    versions: AgentVersions
    collector: str
    build: str
    host: str
    system: str
    architecture: str
    tags: Sequence[Tag]
    seen: datetime | None

    @property
    def version(self) -> str:
        """What it runs."""
        return str(self.versions.applied or "")

    @property
    def coming(self) -> str:
        """What it should run, when that is another version: the number alone within one configuration."""
        desired, applied = self.versions.desired, self.versions.applied
        if desired is None or not self.versions.differs:
            return ""
        is_same = applied is not None and applied.configuration_id == desired.configuration_id
        return f"v{desired.number}" if is_same else str(desired)

    @property
    def version_title(self) -> str:
        """Both in words, where they differ."""
        if not self.coming:
            return f"runs {self.version}"
        return f"should run {self.versions.desired}, runs {self.version or 'none of ours yet'}"

    @property
    def platform(self) -> str:
        """The system in short: `Debian 12` for `Debian GNU/Linux 12 (bookworm)`."""
        return self.system.partition(" (")[0].replace("GNU/Linux ", "").removesuffix(" LTS")

    @property
    def rest(self) -> int:
        """How many labels come after the first."""
        return max(len(self.tags) - 1, 0)

    @property
    def more(self) -> str:
        """The labels after the first, as one text."""
        return ", ".join(str(tag) for tag in self.tags[1:])


def rows_of(uids: Sequence[UUID]) -> list[AgentRow]:
    """The rows of these agents in this order, in two queries."""
    agents = load(Agent.objects.filter(pk__in=uids))
    versions = versions_of(agents)
    base = reverse("agents:list")
    rows = {agent.pk: row_of(agent, versions[agent.pk], base=base) for agent in agents}
    return [rows[uid] for uid in uids if uid in rows]


def load(agents: AgentQuerySet) -> list[Agent]:
    """Agents with what a row needs: no health tree, no bodies."""
    return list(agents.select_related("status", "membership__fleet").only(*_COLUMNS))


def row_of(agent: Agent, versions: AgentVersions, *, base: str) -> AgentRow:
    """One agent as a row. base: the address of the list, reversed once for all rows."""
    membership = membership_of(agent)
    status = agent.status
    return AgentRow(
        uid=agent.pk,
        url=f"{base}{agent.pk}/",
        name=agent.display_name,
        fleet=membership.fleet.name if membership else "",
        fleet_slug=membership.fleet.slug if membership else "",
        status=status.status,
        since=status.status_since,
        health=status.health,
        connected=status.connected,
        transport=status.transport,
        versions=versions,
        collector=agent.collector_name,
        build=build_name(agent.collector_name, agent.collector_version),
        host=agent.host_name,
        system=_text(agent.non_identifying, "os.description") or agent.os_type,
        architecture=_text(agent.non_identifying, "host.arch"),
        tags=tags_of(agent.labels),
        seen=status.last_seen_at,
    )


def tags_of(labels: Mapping[str, Any]) -> list[Tag]:
    """Labels in order of their keys, secrets in them masked."""
    return [Tag(key, str(value)) for key, value in sorted(redact_mapping(labels).items())]


def build_name(name: str, version: str) -> str:
    """A collector build as people call it: `contrib 0.158.0`."""
    short = "core" if name == "otelcol" else name.removeprefix("otelcol-")
    return f"{short} {version}".strip()


def redacted(attributes: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Reported attributes as sorted names and texts, secrets masked."""
    for key, value in sorted(redact_mapping(attributes).items()):
        yield key, value if isinstance(value, str) else str(value)


def _text(attributes: Mapping[str, Any], key: str) -> str:
    value = attributes.get(key, "")
    return value if isinstance(value, str) else ""
