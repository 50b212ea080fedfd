"""The fleets of the seeded installation, and how their collectors describe themselves."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from agents.snapshot import Capability, ComponentHealth, ConfigFile, Description, EffectiveConfig
from fleets.models import ArrivalMode
from tests.browser import texts

CAPABILITIES: Final = (
    Capability.REPORTS_STATUS
    | Capability.ACCEPTS_REMOTE_CONFIG
    | Capability.REPORTS_EFFECTIVE_CONFIG
    | Capability.REPORTS_HEALTH
    | Capability.REPORTS_REMOTE_CONFIG
    | Capability.REPORTS_HEARTBEAT
    | Capability.ACCEPTS_RESTART_COMMAND
)


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """A fleet to be. `share` of all collectors."""

    name: str
    description: str
    configuration: str
    share: float
    sites: Sequence[str]
    build: str = "0.158.0"
    mode: ArrivalMode = ArrivalMode.MANAGED


PLANS: Final = (
    FleetPlan("edge-eu", "Gateways in European sites", "edge gateway", 0.45, ("ams", "fra", "par")),
    FleetPlan("edge-us", "Gateways in American sites", "edge gateway", 0.25, ("iad", "pdx")),
    FleetPlan("k8s-prod", "Node collectors of the clusters", "kubernetes node", 0.2, ("c1", "c2")),
    FleetPlan(
        "legacy-hosts",
        "Observed until their owners move them",
        "host metrics",
        0.1,
        ("dc1",),
        build="0.149.0",
        mode=ArrivalMode.OBSERVED,
    ),
)


def described(name: str, site: str, build: str) -> Description:
    """Attributes as a supervisor reports them."""
    identity = {
        "service.name": "otelcol-contrib",
        "service.version": build,
        "service.instance.id": str(UUID(int=random.Random(name).getrandbits(128))),
    }
    rest = {
        "host.name": name,
        "os.type": "linux",
        "host.arch": "amd64",
        "site": site,
        "deployment.environment.name": "production",
    }
    return Description(identity, rest)


def healthy(now: datetime) -> ComponentHealth:
    """A tree of pipelines that all work."""
    return texts.tree(now)


def unhealthy(now: datetime, error: str) -> ComponentHealth:
    """The same with an exporter that does not."""
    return texts.tree(now, error)


def effective(text: str) -> EffectiveConfig:
    """A body, as the store keeps it."""
    body = text.encode()
    digest = f"{random.Random(text).getrandbits(256):064x}"
    return EffectiveConfig(digest, (ConfigFile("", body, "text/yaml"),))
