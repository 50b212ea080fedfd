"""PURE. Who the simulated collectors are: names, platforms, zones and versions that vary as they do in real fleets."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from opamp.simulator import shapes, wire

_ZONES: Final = ("eu-central-1a", "eu-central-1b", "eu-west-1a", "us-east-1a", "us-east-1c")
_SYSTEMS: Final = (
    ("linux", "Debian 12.11", "amd64"),
    ("linux", "Debian 12.11", "amd64"),
    ("linux", "Ubuntu 24.04.3 LTS", "amd64"),
    ("linux", "Ubuntu 24.04.3 LTS", "arm64"),
    ("linux", "Red Hat Enterprise Linux 9.6", "amd64"),
    ("windows", "Windows Server 2022 10.0.20348", "amd64"),
)
_ENVIRONMENTS: Final = ("production", "production", "production", "staging")
_MARKS: Final = {name: mark.encode() for name, mark in shapes.HOST_MARKS.items()}
_NEWER_SHARE: Final = 0.8
_UUID7_START_MS: Final = 1_780_000_000_000
_MS_PER_DAY: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Host:
    """One machine with a supervisor on it."""

    name: str
    arch: str = "amd64"
    os_type: str = "linux"
    os_description: str = "Debian 12.11"
    version: str = shapes.VERSIONS[0]
    service_name: str = "otelcol-contrib"
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Further non-identifying attributes."""

    def marks(self, instance_id: str) -> dict[bytes, bytes]:
        """What stands for each mark of a prepared configuration."""
        values = {
            "host.arch": self.arch,
            "host.name": self.name,
            "os.description": self.os_description,
            "os.type": self.os_type,
            "service.instance.id": instance_id,
            "service.name": self.service_name,
            "service.version": self.version,
        }
        return {_MARKS[name]: value.encode() for name, value in values.items()}

    def identifying(self, instance_id: str) -> dict[str, str]:
        """Attributes that tell its collector from others."""
        return {
            "service.instance.id": instance_id,
            "service.name": self.service_name,
            "service.version": self.version,
        }

    @property
    def non_identifying(self) -> dict[str, str]:
        """Its other attributes."""
        return {
            **self.attributes,
            "host.arch": self.arch,
            "host.name": self.name,
            "os.description": self.os_description,
            "os.type": self.os_type,
        }

    def description(self, instance_id: str) -> bytes:
        """An AgentDescription."""
        return b"".join(
            wire.part(number, wire.attribute(key, value))
            for number, pairs in (
                (1, self.identifying(instance_id)),
                (2, self.non_identifying),
            )
            for key, value in sorted(pairs.items())
        )


def make_host(number: int, rng: random.Random, *, prefix: str = "host") -> Host:
    """A host like many others."""
    os_type, description, arch = rng.choice(_SYSTEMS)
    is_new = rng.random() < _NEWER_SHARE
    return Host(
        name=f"{prefix}-{number:05}",
        arch=arch,
        os_type=os_type,
        os_description=description,
        version=shapes.VERSIONS[0] if is_new else shapes.VERSIONS[1],
        attributes={
            "cloud.availability_zone": rng.choice(_ZONES),
            "deployment.environment": rng.choice(_ENVIRONMENTS),
        },
    )


def make_uid(rng: random.Random) -> UUID:
    """A UUIDv7 that the seed decides; its time lies in a month of the past."""
    moment = _UUID7_START_MS + rng.randrange(30 * _MS_PER_DAY)
    value = moment << 80 | 0x7 << 76 | rng.getrandbits(12) << 64 | 0b10 << 62 | rng.getrandbits(62)
    return UUID(int=value)
