"""What one deployment installs, as one value: everything that script, unit, YAML and page are made of. Pure."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from configs.collector.references import Variable
from fleets.quickdeploy.options import DeploymentOptions
from fleets.quickdeploy.releases import Asset, Program, asset

SERVICE: Final = "telflo-collector"
"""Name of the unit, of its user and group, and of the folders."""
BOOTSTRAP_TIMEOUT_S: Final = 45
"""How long the collector may take to show itself; the script waits a little longer (60 s)."""

_OPAMP_PATH: Final = "/v1/opamp"
_SCHEMES: Final = {"ws": ("ws", "wss"), "http": ("http", "https")}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are on a host."""

    programs: str
    configuration: str
    state: str
    unit: str = ""

    @property
    def supervisor(self) -> str:
        """The supervisor's program."""
        return f"{self.programs}/bin/{Program.SUPERVISOR.value}"

    @property
    def collector(self) -> str:
        """The collector's program, when it is one that we install."""
        return f"{self.programs}/bin/{Program.COLLECTOR.value}"


SERVICE_LAYOUT: Final = Layout(
    programs=f"/opt/{SERVICE}",
    configuration=f"/etc/{SERVICE}",
    state=f"/var/lib/{SERVICE}",
    unit=f"/etc/systemd/system/{SERVICE}.service",
)
"""Programs in /opt: SELinux lets systemd run what is in /opt/*/bin, and /usr may be read-only."""


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """One deployment for hosts. Holds no secret; `base_url` has no slash at its end."""

    base_url: str
    opamp_url: str
    fleet: str
    platform: str
    supervisor_version: str
    collector_version: str
    options: DeploymentOptions
    artifacts_url: str = ""
    ca_pem: str = ""
    variables: tuple[Variable, ...] = ()

    @property
    def supervisor(self) -> Asset:
        """The supervisor's release file."""
        return asset(
            Program.SUPERVISOR, self.supervisor_version, self.platform, mirror=self.artifacts_url
        )

    @property
    def collector(self) -> Asset:
        """The collector's release file."""
        return asset(
            Program.COLLECTOR, self.collector_version, self.platform, mirror=self.artifacts_url
        )


def opamp_endpoint(url: str, transport: str) -> str:
    """`url` (of the web server, or of OpAMP alone) as the supervisor's endpoint for ws or plain HTTP.

    The scheme chooses the supervisor's transport. A URL without a path gets /v1/opamp.
    """
    parts = urlsplit(url)
    is_encrypted = parts.scheme in ("https", "wss")
    path = parts.path.rstrip("/") or _OPAMP_PATH
    return urlunsplit((_SCHEMES[transport][is_encrypted], parts.netloc, path, "", ""))


def is_loopback(url: str) -> bool:
    """Whether only this machine itself reaches the address: then the page says so."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.") or host.endswith(".localhost")
