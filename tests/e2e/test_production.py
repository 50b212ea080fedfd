"""compose.yaml and the Dockerfile do what they say: the same commands with the same settings, without Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.e2e.harness.compose import (
    LONG_RUNNING,
    Compose,
    composed,
    image_environment,
    read_compose,
    read_dockerfile,
)
from tests.e2e.harness.pages import Pages
from tests.e2e.harness.proxies import Certificate, Ports, start_proxy
from tests.e2e.harness.server import ROOT, free_port
from tests.e2e.harness.story import Setup, Story
from tests.e2e.harness.waiting import PATIENCE_S, holds_for, wait_until
from tests.e2e.mirror import Mirror

AWAY_S: Final = float(os.environ.get("TELFLO_E2E_AWAY_S", "8"))


@pytest.fixture
def compose(ground: Path, released: Mirror) -> Iterator[Compose]:
    """The services of compose.yaml, not started yet."""
    port = free_port()
    with composed(ground / "server", port) as made:
        made.more = {"TELFLO_ARTIFACTS_URL": released.base_url}
        yield made


@dataclass(frozen=True, slots=True)
class Behind:
    """An installation with its gateway, as browsers, hosts and agents see it: through a proxy, by TLS alone."""

    compose: Compose
    certificate: Certificate


@pytest.fixture(params=["nginx", "haproxy"])
def behind_proxy(
    ground: Path, released: Mirror, request: pytest.FixtureRequest
) -> Iterator[Behind]:
    """The services of compose.yaml with the profile "gateway", not started yet, and a proxy, which runs."""
    certificate = Certificate.make(_folder(ground, "tls"))
    # A private CA's certificate is no secret, and hosts read it.
    certificate.certificate.chmod(0o644)
    [published] = read_compose()["services"]["gateway"]["ports"]
    ports = Ports(free_port(), web=free_port(), opamp=int(published.rpartition(":")[2]))
    proxy = start_proxy(request.param, _folder(ground, "proxy"), ports, certificate)
    try:
        with composed(ground / "server", ports.web, proxy.url) as made:
            made.profiles = ("gateway",)
            made.more = {
                "TELFLO_ARTIFACTS_URL": released.base_url,
                "TELFLO_CA_FILE": str(certificate.certificate),
            }
            yield Behind(made, certificate)
    finally:
        proxy.process.end()


def _folder(ground: Path, name: str) -> Path:
    made = ground / name
    made.mkdir(mode=0o755)
    return made


def test_the_services_of_compose_let_a_fleet_follow(compose: Compose, ground: Path) -> None:
    story = Story.begin(Setup("0.158.0"), compose, ground)
    try:
        _passes_its_health_check(compose)
        _can_be_signed_in(compose)
        story.host.start(story.deploy().foreground)
        story.wait_for_version(1)
        story.publish_and_push(2)
        story.wait_for_version(2)
        _a_worker_that_was_away_catches_up(story, compose)
        assert compose.stop() == 0
        story.assert_offered_once(2)
    finally:
        story.end()


def _a_worker_that_was_away_catches_up(story: Story, compose: Compose) -> None:
    """Agents stay connected without it, and what was asked for meanwhile is done once it is back."""
    compose.crash("worker")
    story.api.assign(story.fleet, story.versions[1])
    holds_for(
        lambda: (found := story.collector()) is not None and found.is_connected,
        what="the collector is connected while no worker is there",
        seconds=AWAY_S,
        evidence=story.evidence,
    )
    compose.start_again("worker")
    story.wait_for_version(1)


def test_behind_a_proxy_a_supervisor_comes_by_tls_to_the_gateway(
    behind_proxy: Behind, ground: Path
) -> None:
    compose = behind_proxy.compose
    story = Story.begin(Setup("0.158.0"), compose, ground)
    try:
        # HAProxy sends nobody to a server before it has answered some checks.
        wait_until(
            lambda: _is_served(behind_proxy),
            what="the proxy lets people through",
            within_s=PATIENCE_S,
            evidence=story.evidence,
        )
        deployment = story.deploy()
        assert deployment.script_url.startswith("https://")
        trusted = f"export CURL_CA_BUNDLE={behind_proxy.certificate.certificate}"
        story.host.start(f"{trusted}; {deployment.foreground}")
        story.wait_for_version(1)
        story.publish_and_push(2)
        story.wait_for_version(2)
        wait_until(
            lambda: _where_agents_are(story) == {"gateway"},
            what="the collector is connected to the gateway alone",
            within_s=PATIENCE_S,
            evidence=story.evidence,
        )
        assert compose.stop() == 0
        story.assert_offered_once(2)
    finally:
        story.end()


def _is_served(behind: Behind) -> bool:
    url = behind.compose.values["TELFLO_BASE_URL"]
    return httpx.get(f"{url}/healthz", verify=behind.certificate.trust).status_code == 200


def _where_agents_are(story: Story) -> set[str]:
    """The kinds of processes that hold connections of collectors."""
    processes = story.api.get("/system/")["processes"]
    return {one["kind"] for one in processes if one["is_live"] and one["connections"]}


def _passes_its_health_check(compose: Compose) -> None:
    """The image's own check passes, and fails where nothing listens."""
    last = read_dockerfile()[-1]
    [check] = [i.text.partition("CMD")[2] for i in last if i.name == "HEALTHCHECK"]
    command = [sys.executable, *json.loads(check)[1:]]
    for port, code in ((compose.port, 0), (free_port(), 1)):
        environment = {**compose.environment, "PORT": str(port)}
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert done.returncode == code, done.stderr


def _can_be_signed_in(compose: Compose) -> None:
    """The password of .env lets the admin in, and the pages have their assets."""
    with Pages(compose.base_url) as pages:
        assets = pages.load_assets("/")
    assert {Path(asset).suffix for asset in assets} >= {".js", ".css"}


def test_every_service_runs_our_image_in_the_right_order() -> None:
    all_services = read_compose()["services"]
    assert all_services["migrate"]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "redis": {"condition": "service_healthy"},
    }
    for name in LONG_RUNNING:
        service = all_services[name]
        after = {"migrate": {"condition": "service_completed_successfully"}}
        assert service["depends_on"] == after
        assert service["restart"] == "unless-stopped"
    [published] = all_services["web"]["ports"]
    assert published.rpartition(":")[2] == image_environment()["PORT"]


def test_secrets_come_from_the_environment_alone() -> None:
    text = (ROOT / "compose.yaml").read_text()
    secret_lines = re.findall(r"^.*(?:PASSWORD|SECRET|KEYS).*$", text, re.MULTILINE)
    assert secret_lines
    assert [line for line in secret_lines if ":?" not in line] == []


def test_every_variable_of_env_reaches_our_services() -> None:
    all_services = read_compose()["services"]
    ours = ("migrate", "gateway", *LONG_RUNNING)
    assert {all_services[name]["env_file"] for name in ours} == {".env"}


def test_what_the_dockerfile_copies_is_there() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    for stage in read_dockerfile():
        for instruction in stage:
            if instruction.name == "COPY" and not instruction.text.startswith("--from"):
                for source in instruction.words[:-1]:
                    assert (ROOT / source).exists(), source
                    assert source not in ignored


def test_the_image_holds_no_development_files() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "var", "frontend/node_modules", "tests"} <= set(ignored)


def test_the_image_does_not_run_as_root() -> None:
    last = read_dockerfile()[-1]
    users = [instruction.text for instruction in last if instruction.name == "USER"]
    made = [i.text for i in last if i.name == "RUN" and i.text.startswith("useradd")]
    assert users == ["10001"]
    assert " --uid 10001 " in made[0]
    names = [instruction.name for instruction in last]
    assert {"RUN", "COPY"}.isdisjoint(names[names.index("USER") :])


def test_the_images_dependencies_are_pinned_with_hashes() -> None:
    [install] = [i for i in read_dockerfile()[0] if "pip install" in i.text]
    assert "--require-hashes" in install.text
    text = (ROOT / "requirements" / "base.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert [line for line in lines if "--hash=sha256:" not in line] == []


def test_the_assets_stage_has_all_that_the_build_reads(ground: Path) -> None:
    """Built from the stage's own files, the assets are those of the checkout (names hold their hashes)."""
    build = ground / "build"
    for instruction in read_dockerfile()[1]:
        if instruction.name == "COPY":
            for source in instruction.words[:-1]:
                _copy(ROOT / source, build / source)
    # Installing them is the registry's affair; what is built does not depend on it.
    (build / "frontend" / "node_modules").symlink_to(ROOT / "frontend" / "node_modules")
    (build / ".venv").symlink_to(ROOT / ".venv")
    environment = {"PATH": os.environ["PATH"], "HOME": str(ground)}
    done = subprocess.run(
        ["make", "static/dist/manifest.json"],
        cwd=build,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert _assets(build) == _assets(ROOT)


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
        return
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))


def _assets(root: Path) -> list[str]:
    return sorted(file.name for file in (root / "static" / "dist" / "assets").iterdir())


def test_the_command_of_the_image_is_one_of_ours() -> None:
    [command] = [i.text for i in read_dockerfile()[-1] if i.name == "CMD"]
    web = read_compose()["services"]["web"]["command"]
    assert web[: len(json.loads(command))] == json.loads(command)
