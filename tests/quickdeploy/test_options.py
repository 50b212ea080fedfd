"""Options of a deployment, and the environment that a configuration names."""

import json
from typing import Any

import pytest

from configs.collector.references import Variable
from fleets.quickdeploy.environment import variables_in
from fleets.quickdeploy.errors import InvalidOptions
from fleets.quickdeploy.options import DeploymentOptions


def test_options_survive_the_database() -> None:
    options = DeploymentOptions(
        transport="http", labels={"a": "b"}, config_files=("/a", "/b"), environment=("X",)
    )

    assert DeploymentOptions.from_json(json.loads(json.dumps(options.to_json()))) == options


def test_what_an_older_release_did_not_store_gets_its_default() -> None:
    assert DeploymentOptions.from_json({}) == DeploymentOptions()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("transport", "udp"),
        ("log_level", "loud"),
        ("apply_timeout_s", 1),
        ("apply_timeout_s", True),
        ("crash_log_kib", 5000),
        ("collector", "otelcol"),
        ("labels", {"a::b": "c"}),
        ("labels", {"a": "b\nc"}),
        ("labels", {"a": 5}),
        ("labels", []),
        ("environment", ["TELFLO_TOKEN"]),
        ("environment", ["a b"]),
        ("environment", "X"),
        ("proxy", "proxy:3128"),
        ("proxy", "http://[::1"),
        ("proxy", "http://[nope]:3128"),
        ("proxy", "http://h:99999"),
        ("proxy", "http://h:port"),
        ("proxy", "http://h/\x00"),
        ("proxy", "http://user:word@proxy:3128"),
        ("automatic_rollback", "yes"),
        ("labels", {f"l{n}": "x" for n in range(65)}),
        ("config_files", [""]),
        ("config_files", ["local.yaml"]),
        ("config_files", ["/x"] * 51),
        ("collector", f"/{'x' * 300}"),
        ("config_files", [f"/{'x' * 300}"]),
        ("proxy", f"http://h/{'x' * 300}"),
        ("environment", [f"V{n}" for n in range(101)]),
        ("nosuch", 1),
    ],
)
def test_a_wrong_option_is_named(field: str, value: Any) -> None:
    with pytest.raises(InvalidOptions) as error:
        DeploymentOptions.from_json({field: value}).check()

    assert error.value.field == f"options/{field}"


@pytest.mark.parametrize("value", ["C:\\data", 'the "big" one', "${env:HOME}", "a\x7fb", "a\x85b"])
def test_a_label_that_would_end_the_supervisors_text_is_refused(value: str) -> None:
    with pytest.raises(InvalidOptions, match="The value of a ") as error:
        DeploymentOptions(labels={"a": value}).check()

    assert error.value.field == "options/labels"


@pytest.mark.parametrize("name", ["1.5", "0x1", "2024-01-01", "true", "False", "null"])
def test_a_label_whose_name_is_no_text_in_yaml_is_refused(name: str) -> None:
    with pytest.raises(InvalidOptions, match="cannot name a label"):
        DeploymentOptions(labels={name: "x"}).check()


@pytest.mark.parametrize("name", ["service.instance.id", "host.name", "os.type", "telflo.name"])
def test_a_label_does_not_replace_what_the_collector_says_of_itself(name: str) -> None:
    with pytest.raises(InvalidOptions) as error:
        DeploymentOptions(labels={name: "x"}).check()

    assert name in error.value.message


def test_what_was_stored_before_a_rule_is_still_read() -> None:
    assert DeploymentOptions.from_json({"labels": {"a": "C:\\data"}}).labels == {"a": "C:\\data"}


def test_variables_are_found_in_keys_and_values_but_not_in_comments() -> None:
    text = """
# ${env:COMMENT}
exporters:
  otlp/${env:SITE}: {endpoint: "${HOST}:${env:PORT:-4317}", key: "$${env:ESCAPED}", odd: "$$${env:ODD}"}
  other: {a: "${env:PORT}", b: "${file:/x}", c: $PLAIN}
"""
    assert [found.name for found in variables_in(text)] == ["SITE", "HOST", "PORT", "ODD"]
    assert Variable("PORT", has_default=False) in variables_in(text)
    assert variables_in("a: ${env:REGION:-eu}") == (Variable("REGION", has_default=True),)


def test_text_that_is_no_yaml_names_nothing() -> None:
    assert variables_in("a: [${env:X}") == ()
