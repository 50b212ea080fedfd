"""supervisor.yaml and the table of keys."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from fleets.quickdeploy.options import DeploymentOptions
from fleets.quickdeploy.plan import InstallPlan, opamp_endpoint
from fleets.quickdeploy.supervisor_keys import KEYS, knows
from fleets.quickdeploy.supervisor_yaml import HostFacts, render

FULL_HOST = HostFacts(
    ca_file="/etc/ca.pem", name="web", labels={"site": "fra"}, config_files=("/etc/a.yaml",)
)
LATER = ("collector_crash_log_snippet_kib", "automatic_config_rollback")


def plan(version: str = "0.158.0", **options: Any) -> InstallPlan:
    chosen = DeploymentOptions(**options)
    url = opamp_endpoint("https://telflo.example", chosen.transport)
    return InstallPlan(
        "https://telflo.example", url, "edge", "linux_amd64", version, version, chosen
    )


def read(version: str = "0.158.0", host: HostFacts = FULL_HOST, **options: Any) -> Any:
    return yaml.safe_load(render(plan(version, **options), host))


def keys_of(node: dict[str, Any], path: str = "") -> Iterator[str]:
    """Dotted paths of the file's own keys, without those of headers and attributes."""
    for key, value in node.items():
        here = f"{path}.{key}".lstrip(".")
        is_section = isinstance(value, dict) and not here.endswith(("headers", "_attributes"))
        yield from keys_of(value, here) if is_section else [here]


@pytest.mark.parametrize("version", ["0.149.0", "0.157.1", "0.158.0", "0.200.0"])
def test_only_keys_that_this_version_knows_are_written(version: str) -> None:
    written = list(keys_of(read(version)))

    assert all(knows(version, path) for path in written)
    assert len(written) == (22 if version < "0.158.0" else 24)


def test_a_key_without_a_row_is_known_to_no_version() -> None:
    assert not knows("9.0.0", "agent.nosuch")
    assert not knows("9.0.0", "agent.exec")
    assert knows("0.149.0", "agent")


def test_no_key_has_two_rows() -> None:
    assert len({key.path for key in KEYS}) == len(KEYS)


def test_an_old_supervisor_gets_no_rollback_and_a_new_one_as_chosen() -> None:
    assert not set(LATER) & read("0.149.0")["agent"].keys()
    assert read()["agent"]["automatic_config_rollback"] is True
    assert read(automatic_rollback=False)["agent"]["automatic_config_rollback"] is False
    assert read(crash_log_kib=3)["agent"]["collector_crash_log_snippet_kib"] == 3


def test_the_token_comes_from_the_environment() -> None:
    headers = read()["server"]["headers"]

    assert headers == {"Authorization": "Bearer ${env:TELFLO_TOKEN}"}


def test_what_the_server_may_offer_later_is_switched_on() -> None:
    capabilities = read()["capabilities"]

    assert set(capabilities.values()) == {True}
    assert {"accepts_remote_config", "accepts_opamp_connection_settings"} <= capabilities.keys()
    assert "accepts_packages" not in capabilities


@pytest.mark.parametrize(
    ("url", "transport", "endpoint"),
    [
        ("https://t.example", "ws", "wss://t.example/v1/opamp"),
        ("http://127.0.0.1:8000/", "ws", "ws://127.0.0.1:8000/v1/opamp"),
        ("https://t.example", "http", "https://t.example/v1/opamp"),
        ("wss://opamp.example:4320/deep/", "http", "https://opamp.example:4320/deep"),
    ],
)
def test_the_transport_chooses_the_endpoints_scheme(
    url: str, transport: str, endpoint: str
) -> None:
    assert opamp_endpoint(url, transport) == endpoint


def test_attributes_stay_text_whatever_they_look_like() -> None:
    labels = {"yes": "no", "n": "5", "f": "1e3", "q": 'it\'s: #1 "x"', "d": "${env:HOME} $1"}
    found = read(host=HostFacts(labels=labels))
    attributes = found["agent"]["description"]["non_identifying_attributes"]

    assert attributes == labels | {"d": "$${env:HOME} $$1"}


def test_a_host_without_flags_gets_no_empty_sections() -> None:
    found = read(host=HostFacts())

    assert "tls" not in found["server"]
    assert not {"description", "config_files"} & found["agent"].keys()
    assert found["agent"]["executable"] == "/opt/telflo-collector/bin/otelcol-contrib"
    assert found["storage"] == {"directory": "/var/lib/telflo-collector"}
