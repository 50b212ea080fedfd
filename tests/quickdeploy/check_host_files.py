"""Looks at what hosts get with the tools of the trade: shellcheck on the scripts, systemd-analyze on the units.

`python -m tests.quickdeploy.check_host_files`, part of `make check`. Both must be installed.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from configs.collector.references import Variable
from fleets.quickdeploy import script, unit
from fleets.quickdeploy.options import DeploymentOptions
from fleets.quickdeploy.plan import SERVICE_LAYOUT, InstallPlan
from fleets.quickdeploy.releases import KNOWN_VERSIONS

PACKAGES: Final = {"shellcheck": "shellcheck", "systemd-analyze": "systemd"}
"""The tools and the Debian packages that bring them."""
OWN_UNITS: Final = Path(__file__).parents[2] / "docs" / "systemd"
OWN_PROGRAM: Final = "/opt/telflo/.venv/bin/telflo"
MOST_EXPOSED: Final = 20
"""Tenths of systemd-analyze's exposure level, which goes to 10."""


def main() -> int:
    """Check everything; 1 when something is wrong."""
    if missing := [tool for tool in PACKAGES if shutil.which(tool) is None]:
        for tool in missing:
            _say(f"{tool} is missing: apt-get install {PACKAGES[tool]}")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        return max(
            _check_scripts(Path(folder)),
            _check_collectors_units(Path(folder)),
            _check_own_units(Path(folder)),
        )


def _check_scripts(folder: Path) -> int:
    texts = {
        "closed": script.render_closed(base_url="https://t.example", code="c", reason="It's over.")
    }
    for known in KNOWN_VERSIONS:
        texts[known.version] = script.render(_plan(known.version), "c")
    for name, text in texts.items():
        (folder / f"{name}.sh").write_text(text)
    files = sorted(map(str, folder.glob("*.sh")))
    return max(
        _run(["shellcheck", "-s", "sh", *files]), *(_run(["sh", "-n", file]) for file in files)
    )


def _check_collectors_units(folder: Path) -> int:
    worst = 0
    for known in KNOWN_VERSIONS:
        file = folder / known.version / "telflo-collector.service"
        file.parent.mkdir()
        # The program is not installed here, and verify looks for it.
        file.write_text(unit.render(known.version).replace(SERVICE_LAYOUT.supervisor, "/bin/true"))
        worst = max(worst, _check_unit(file))
    return worst


def _check_own_units(folder: Path) -> int:
    """Those that docs/systemd/ has for the server itself."""
    worst = 0
    for shipped in sorted(OWN_UNITS.glob("*.service")):
        file = folder / shipped.name
        file.write_text(shipped.read_text().replace(OWN_PROGRAM, "/bin/true"))
        worst = max(worst, _check_unit(file))
    return worst


def _check_unit(file: Path) -> int:
    security = ["security", "--offline=yes", f"--threshold={MOST_EXPOSED}", "--no-pager"]
    return max(
        _run(["systemd-analyze", "verify", str(file)]),
        _run(["systemd-analyze", *security, str(file)]),
    )


def _plan(version: str) -> InstallPlan:
    return InstallPlan(
        base_url="https://t.example",
        opamp_url="wss://t.example/v1/opamp",
        fleet="it's",
        platform="linux_amd64",
        supervisor_version=version,
        collector_version=version,
        options=DeploymentOptions(labels={"site": "fra"}, config_files=("/etc/a.yaml",)),
        variables=(Variable("API_KEY"),),
    )


def _run(command: Sequence[str]) -> int:
    """1 and the tool's words when it objects."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        _say(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return min(done.returncode, 1)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
