"""The REST API as a program of a customer would use it: typed answers, and failures with the server's words."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

# A line for each request would bury what a failure says.
logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Version:
    """A saved version."""

    id: str
    number: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """Quick-deploy commands: as a service, and in the foreground. `script_url` is what they download."""

    command: str
    foreground: str
    script_url: str

    def with_flags(self, flags: str) -> str:
        """The same script with these flags, without root."""
        return f"curl -fsSL {self.script_url} | sh -s -- {flags}"


@dataclass(frozen=True, slots=True)
class Collector:
    """An agent as the API shows it."""

    uid: str
    name: str
    fleet: str
    is_connected: bool
    transport: str
    status: str
    is_healthy: bool | None
    last_error: str
    desired: int | None
    applied: int | None
    remote_status: str
    remote_error: str
    version: str
    credential: str
    """The kind of its token."""
    token: str
    """The id of its token."""
    interval_s: int

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Collector:
        """From the JSON of /agents/."""
        desired, applied = shown["desired_version"], shown["applied_version"]
        credential = shown["credential"] or {"kind": "", "id": ""}
        return cls(
            uid=shown["instance_uid"],
            name=shown["name"],
            fleet=shown["fleet"],
            is_connected=shown["connected"],
            transport=shown["transport"],
            status=shown["status"],
            is_healthy=shown["health"]["healthy"],
            last_error=shown["health"]["last_error"],
            desired=desired and desired["number"],
            applied=applied and applied["number"],
            remote_status=shown["remote_config"]["status"],
            remote_error=shown["remote_config"]["error"],
            version=shown["collector"]["version"],
            credential=credential["kind"],
            token=credential["id"],
            interval_s=shown["connection_settings"]["interval_s"],
        )

    def is_settled(self, version: int) -> bool:
        """Whether it runs this version well."""
        return (self.status, self.is_healthy, self.applied) == ("in_sync", True, version)


def make_client(base_url: str, token: str) -> httpx.Client:
    """For the API of one server."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"{base_url}/api/v1", headers=headers, timeout=20)


class Api:
    """A client with a token that may write."""

    def __init__(self, base_url: str, token: str) -> None:
        self._client = make_client(base_url, token)

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()

    def get(self, path: str) -> Any:
        """GET; answers the JSON."""
        return self._json(self._client.get(path))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """POST; answers the JSON."""
        return self._json(self._client.post(path, json=body or {}))

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """PATCH; answers the JSON."""
        return self._json(self._client.patch(path, json=body))

    def create_configuration(self, name: str) -> str:
        """A configuration; answers its id."""
        return str(self.post("/configurations/", {"name": name})["id"])

    def publish(self, configuration: str, yaml: str, note: str = "") -> Version:
        """Save a text as the next version and publish it."""
        saved = self.post(
            f"/configurations/{configuration}/versions/", {"yaml": yaml, "note": note}
        )
        self.post(f"/versions/{saved['id']}/publish/", {"accept_warnings": True})
        return Version(saved["id"], saved["number"])

    def create_fleet(self, name: str, version: Version) -> str:
        """A fleet that runs the version; answers its id."""
        return str(self.post("/fleets/", {"name": name, "version": version.id})["id"])

    def assign(self, fleet: str, version: Version) -> datetime:
        """Move the fleet to the version; answers when that began, by the server's clock."""
        body = {"fleet": fleet, "version": version.id, "accept_warnings": True}
        return datetime.fromisoformat(self.post("/rollouts/", body)["created_at"])

    def deploy(self, fleet: str, platform: str, version: str, **options: Any) -> Deployment:
        """A quick-deploy command for supervisor and collector of one version."""
        shown = self.post(
            f"/fleets/{fleet}/deployments/",
            {
                "platform": platform,
                "supervisor_version": version,
                "collector_version": version,
                "options": options,
            },
        )
        return Deployment(shown["command"], shown["foreground_command"], shown["script_url"])

    def collectors(self, chosen: str = "") -> list[Collector]:
        """All agents, or those that a query chooses."""
        return [Collector.of(shown) for shown in self.get(f"/agents/?{chosen}")["results"]]

    def events(self, uid: str) -> list[dict[str, Any]]:
        """What happened to an agent, newest first."""
        return list(self.get(f"/agents/{uid}/events/")["results"])

    def effective_text(self, uid: str) -> str:
        """All files of the effective configuration, one after another; empty while none is reported."""
        answer = self._client.get(f"/agents/{uid}/effective-config/")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return ""
        return "\n".join(file["text"] or "" for file in self._json(answer)["files"])

    def _json(self, answer: httpx.Response) -> Any:
        request = answer.request
        assert answer.is_success, (
            f"{request.method} {request.url}: {answer.status_code} {answer.text}"
        )
        return answer.json() if answer.content else None
