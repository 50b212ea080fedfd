"""What one row of the collectors list shows, as a value: the page and the CSV export share it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from agents.models import Agent
from agents.status import health_now
from agents.views.versions import AgentVersions, Pointers, acknowledged, versions_by
from telflo.base.redaction import redact_mapping

_COLUMNS = (
    "instance_uid",
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
    "membership__desired_id",
    "membership__previous_id",
    "membership__fleet__name",
    "membership__fleet__slug",
)
_TAG_WIDTH = 22


@dataclass(frozen=True, slots=True)
class Tag:
    """A label, redacted, with the filter that finds the others that have it."""

    key: str
    value: str

    @property
    def query(self) -> str:
        """The address of the list of those that have it."""
        return "?" + urlencode({f"label.{self.key}": self.value})

    @property
    def short(self) -> str:
        """As a narrow column has room for it."""
        text = str(self)
        return (
            text if len(text) <= _TAG_WIDTH else f"{text[: _TAG_WIDTH - 1]}\N{HORIZONTAL ELLIPSIS}"
        )

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.key}={self.value}" if self.value else self.key


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One collector in the list, in plain words: a page reads each of them several times, a hundred rows long."""

    uid: str
    url: str
    name: str
    fleet: str
    fleet_slug: str
    status: str
    since: datetime
    health: str
    connected: bool
    transport: str
    desired: str
    version: str
    """What it runs."""
    coming: str
    """What it should run, when that is another version: the number alone within one configuration."""
    collector: str
    build: str
    host: str
    system: str
    architecture: str
    tags: Sequence[Tag]
    seen: datetime | None

    @property
    def version_title(self) -> str:
        """Both versions in words, where they differ."""
        if not self.coming:
            return f"runs {self.version}"
        return f"should run {self.desired}, runs {self.version or 'none of ours yet'}"

    @property
    def platform(self) -> str:
        """The system in short: `Debian 12` for `Debian GNU/Linux 12 (bookworm)`."""
        return self.system.partition(" (")[0].replace("GNU/Linux ", "").removesuffix(" LTS")

    @property
    def tag(self) -> Tag | None:
        """The first label."""
        return self.tags[0] if self.tags else None

    @property
    def rest(self) -> int:
        """How many labels come after the first."""
        return max(len(self.tags) - 1, 0)

    @property
    def more(self) -> str:
        """The labels after the first, as one text."""
        return ", ".join(map(str, self.tags[1:]))


def rows_of(uids: Sequence[UUID]) -> list[AgentRow]:
    """The rows of these agents in this order, in two queries: no models are made, no tree or body is read."""
    found = Agent.objects.filter(pk__in=uids).values_list(*_COLUMNS, named=True)
    by_uid = {row.instance_uid: row for row in found}
    versions = versions_by({uid: _pointers(row) for uid, row in by_uid.items()})
    base = reverse("agents:list")
    return [_row(by_uid[uid], versions[uid], base) for uid in uids if uid in by_uid]


def _pointers(row: Any) -> Pointers:
    digest = acknowledged(row.status__remote_config_status, row.status__remote_config_hash)
    return Pointers(row.membership__desired_id, row.membership__previous_id, digest)


def _row(agent: Any, versions: AgentVersions, base: str) -> AgentRow:
    """One agent (its _COLUMNS) as a row. base: the address of the list, reversed once for all rows."""
    return AgentRow(
        uid=str(agent.instance_uid),
        url=f"{base}{agent.instance_uid}/",
        name=agent.display_name,
        fleet=agent.membership__fleet__name or "",
        fleet_slug=agent.membership__fleet__slug or "",
        status=agent.status__status,
        since=agent.status__status_since,
        health=health_now(agent.status__health, agent.status__status),
        connected=agent.status__connected,
        transport=agent.status__transport,
        desired=str(versions.desired or ""),
        version=str(versions.applied or ""),
        coming=versions.coming,
        collector=agent.collector_name,
        build=build_name(agent.collector_name, agent.collector_version),
        host=agent.host_name,
        system=_text(agent.non_identifying, "os.description") or agent.os_type,
        architecture=_text(agent.non_identifying, "host.arch"),
        tags=tags_of(agent.labels),
        seen=agent.status__last_seen_at,
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
