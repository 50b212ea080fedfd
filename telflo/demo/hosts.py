"""PURE. The machines of the demo's four fleets: names and attributes as such fleets have them."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from opamp.simulator import shapes
from opamp.simulator.hosts import Host

FEWEST: Final = 20
"""Collectors. With fewer, a host that fails is more than its stage has a budget for."""
NEW_IMAGE: Final = "2026.11"
_NEWER, _OLDER = shapes.VERSIONS
_DEBIAN: Final = "Debian 12.11"
_UBUNTU: Final = "Ubuntu 24.04.3 LTS"
_REDHAT: Final = "Red Hat Enterprise Linux 9.6"


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """A fleet to be.

    share: of all collectors · older: share that runs the older collector · surely: which of the two certain hosts run,
    so that a small fleet has what the story needs.
    """

    name: str
    description: str
    configuration: str
    share: float
    older: float
    surely: Mapping[int, str] = field(default_factory=dict)


FLEETS: Final = (
    FleetPlan(
        "edge gateways", "Two gateways in each of our sites", "edge gateway", 0.4, 0.1, {1: _NEWER}
    ),
    FleetPlan(
        "kubernetes nodes",
        "One collector on each node of the clusters",
        "kubernetes node",
        0.34,
        0.0,
    ),
    FleetPlan(
        "payments hosts",
        "Card processing; changes need a ticket",
        "payments host",
        0.16,
        0.3,
        {1: _OLDER},
    ),
    FleetPlan("staging", "Where versions are tried first", "staging", 0.1, 0.2),
)

_SITES: Final = (
    ("ams", "eu-west-1"),
    ("fra", "eu-central-1"),
    ("par", "eu-west-3"),
    ("lon", "eu-west-2"),
    ("iad", "us-east-1"),
    ("pdx", "us-west-2"),
)
_CLUSTERS: Final = (("prod-eu1", "eu-central-1"), ("prod-us1", "us-east-1"))
_ROLES: Final = ("api", "db", "queue", "ledger")


def hosts_of(plan: FleetPlan, count: int, rng: random.Random) -> Iterator[Host]:
    """So many machines of a fleet, the same for the same random numbers."""
    make = {
        "edge gateways": _edge,
        "kubernetes nodes": _node,
        "payments hosts": _payments,
        "staging": _staging,
    }[plan.name]
    for number in range(count):
        drawn = _OLDER if rng.random() < plan.older else _NEWER
        yield make(number, plan.surely.get(number, drawn), rng)


def _edge(number: int, version: str, rng: random.Random) -> Host:
    site, region = _SITES[number % len(_SITES)]
    return Host(
        f"edge-{site}-{number // len(_SITES) + 1:02}",
        arch=rng.choice(("amd64", "amd64", "arm64")),
        os_description=_DEBIAN,
        version=version,
        attributes={
            "cloud.region": region,
            "cloud.availability_zone": f"{region}{'ab'[number // len(_SITES) % 2]}",
            "deployment.environment": "production",
            "host.image.version": NEW_IMAGE if number % 10 == 1 else "2026.08",
            "site": site,
        },
    )


def _node(number: int, version: str, rng: random.Random) -> Host:
    cluster, region = _CLUSTERS[number % len(_CLUSTERS)]
    zone = f"{region}{rng.choice('abc')}"
    address = f"ip-10-{20 + number % 2}-{number // 200 + 1}-{number % 200 + 10}"
    return Host(
        address,
        arch="amd64" if number % 3 else "arm64",
        os_description=_UBUNTU,
        version=version,
        attributes={
            "cloud.availability_zone": zone,
            "deployment.environment": "production",
            "k8s.cluster.name": cluster,
            "k8s.node.name": address,
        },
    )


def _payments(number: int, version: str, _rng: random.Random) -> Host:
    return Host(
        f"pay-{_ROLES[number % len(_ROLES)]}-{number // len(_ROLES) + 1:02}",
        os_description=_REDHAT,
        version=version,
        attributes={
            "deployment.environment": "production",
            "datacenter": ("dc2", "dc1")[(number + number // len(_ROLES)) % 2],
            "team": "payments",
        },
    )


def _staging(number: int, version: str, rng: random.Random) -> Host:
    return Host(
        f"stg-{rng.choice(('web', 'worker', 'cache'))}-{number + 1:02}",
        os_description=rng.choice((_DEBIAN, _UBUNTU)),
        version=version,
        attributes={
            "deployment.environment": "staging",
            "cloud.availability_zone": "eu-central-1a",
        },
    )
