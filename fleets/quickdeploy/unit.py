"""The systemd unit of a collector under its supervisor. Pure."""

from pathlib import Path
from string import Template
from typing import Final

from fleets.quickdeploy.plan import SERVICE, SERVICE_LAYOUT
from fleets.quickdeploy.releases import Version, parse_version

FIRST_THAT_HEEDS_SIGTERM: Final[Version] = (0, 158, 0)
"""0.149.0 dies of SIGTERM without a word and leaves its collector behind; 0.158.0 was seen to heed it.
Both heed SIGINT, so nothing is lost where a version between the two heeds SIGTERM as well."""

_UNIT: Final = Path(__file__).parent / "scripts" / "telflo-collector.service"


def stop_signal(supervisor_version: str) -> str:
    """The signal that stops this supervisor in good order."""
    return "SIGTERM" if parse_version(supervisor_version) >= FIRST_THAT_HEEDS_SIGTERM else "SIGINT"


def render(supervisor_version: str) -> str:
    """The unit file."""
    return Template(_UNIT.read_text("utf-8")).substitute(
        service=SERVICE,
        supervisor=SERVICE_LAYOUT.supervisor,
        configuration=SERVICE_LAYOUT.configuration,
        state=SERVICE_LAYOUT.state,
        stop_signal=stop_signal(supervisor_version),
    )
