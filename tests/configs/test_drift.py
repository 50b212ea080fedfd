"""What runs against what should run, with what real collectors print."""

from pathlib import Path

import pytest

from configs.collector.additions import essence, own_lines
from configs.collector.adopting import Adopted, adopt, adopt_alone
from configs.collector.drift import Runs, Standing, effective_model, standing
from configs.collector.model import Model, model_of
from configs.collector.parse import parse
from configs.collector.values import plain, value_of
from tests.protocol.world import NAMES, STORIES

PRINTED = Path(__file__).parent / "printed"
GIVEN = (PRINTED / "given.yaml").read_text()
VERSIONS = ("0.149.0", "0.158.0")
GOOD = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:14317"}}}}
exporters: {debug: {}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
"""
"""What the recordings' supervisors were offered first."""


def model(text: str) -> Model:
    return model_of(parse(text))


def effective(text: str) -> Model:
    found = effective_model([("", text)])
    assert found is not None
    return found


def printed(version: str, *edits: tuple[str, str]) -> str:
    """What a real collector prints for GIVEN, with something changed on the host."""
    text = (PRINTED / f"{version}.yaml").read_text()
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    return text


def stands(*edits: tuple[str, str]) -> Standing:
    return standing(model(GIVEN), effective(printed("0.158.0", *edits)))


def places(found: Standing) -> list[tuple[str, str]]:
    return [(one.deed.value, one.place) for one in found.drifted]


def recorded(name: str) -> list[str]:
    """The distinct effective configurations of a recording, in order."""
    bodies = [
        file.body.decode()
        for step in STORIES[name]
        for file in step.message.effective_config.config_map.config_map.values()
    ]
    return list(dict.fromkeys(body for body in bodies if body))


LOCAL = (
    ("extensions: {}", "extensions:\n    opamp: {}\n    health_check: {endpoint: a}"),
    ("receivers:\n    filelog:", "receivers:\n    kafka: {}\n    filelog:"),
    (
        "service:\n    pipelines:",
        "service:\n    extensions: [opamp, health_check]\n    pipelines:\n        logs/local: {receivers: [kafka], exporters: [debug]}",
    ),
)  # fmt: skip
"""What files on a host may add."""


class TestWhatCollectorsPrint:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_what_a_real_collector_makes_of_a_configuration_is_no_drift(self, version: str) -> None:
        assert standing(model(GIVEN), effective(printed(version))) == Standing()

    @pytest.mark.parametrize("name", NAMES)
    def test_the_recorded_effective_configurations_are_the_intended_ones(self, name: str) -> None:
        words = {}
        for text in recorded(name):
            found = standing(model(GOOD), effective(text))
            words[found.runs, found.runs_nothing] = places(found)
            assert ("127.0.0.1:14317" in text) == (found == Standing())
        assert words[Runs.LACKING, True]  # before the first offer
        assert words[Runs.DRIFTED, False] == [
            ("changed", "receivers::otlp::protocols::grpc::endpoint")
        ]

    def test_dollar_signs_are_printed_once(self) -> None:
        given = "receivers: {a: {b: 'x$$y'}}"
        assert standing(model(given), effective("receivers: {a: {b: 'x$y'}}")) == Standing()

    def test_several_files_are_merged_as_supervisors_do(self) -> None:
        found = effective_model(
            [("", "receivers: {a: {b: 2}}"), ("z", "receivers: {a: {b: 1, c: 1}}")]
        )
        assert found is not None
        assert found.values == {"receivers": {"a": {"b": 2, "c": 1}}}
        assert effective_model([("", ""), ("a", " \n")]) is None


class TestDrift:
    @pytest.mark.parametrize(
        ("edit", "place"),
        [
            (("send_batch_size: 1024", "send_batch_size: 9"), "processors::batch::send_batch_size"),
            (("timeout: 1.5s", "timeout: 2s"), "processors::batch::timeout"),
            (("/tmp/x/*.log", "/tmp/y/*.log"), "receivers::file_log::include::0"),
            (("- /tmp/b", "- /tmp/c"), "receivers::file_log::exclude"),
            (("verbosity: Detailed", "verbosity: Basic"), "exporters::debug::verbosity"),
            (("level: None", "level: Basic"), "service::telemetry::metrics::level"),
            (
                ("                - memory_limiter\n", ""),
                "service::pipelines::traces::processors",
            ),
        ],
    )  # fmt: skip
    def test_a_changed_intended_part_is_drift(self, edit: tuple[str, str], place: str) -> None:
        found = stands(edit)
        assert places(found) == [("changed", place)]
        assert found.runs is Runs.DRIFTED
        assert not found.additions

    def test_missing_components_and_pipelines_are_drift_and_a_missing_pipeline_is_more(
        self,
    ) -> None:
        assert places(stands(("    forward: {}", "    other: {}"))) == [
            ("removed", "connectors::forward")
        ]
        found = stands(("        traces/2:", "        traces/3:"))
        assert (found.runs, found.missing, found.runs_nothing) == (
            Runs.LACKING,
            ("traces/2",),
            False,
        )

    def test_what_files_on_the_host_add_is_no_drift_and_the_supervisors_own_is_neither(
        self,
    ) -> None:
        found = stands(*LOCAL)
        assert found.runs is Runs.INTENDED
        assert [one.place for one in found.additions] == [
            "receivers::kafka",
            "extensions::health_check",
            "service::pipelines::logs/local",
            "service::extensions::health_check",
        ]

    def test_a_file_on_the_host_that_changes_a_pipelines_members_is_drift(self) -> None:
        found = stands(*LOCAL, ("receivers:\n                - otlp", "receivers:\n                - otlp\n                - kafka"))  # fmt: skip
        assert places(found) == [("changed", "service::pipelines::traces::receivers")]
        assert len(found.additions) == 4

    @pytest.mark.parametrize(
        "runs",
        [
            "service: {pipelines: {}}",
            "receivers: {nop: }\nexporters: {nop: }\nservice: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}",
        ],
    )
    def test_nothing_runs_without_pipelines_or_with_nops_alone(self, runs: str) -> None:
        found = standing(model(GOOD), effective(runs))
        assert (found.runs, found.runs_nothing) == (Runs.LACKING, True)
        assert not found.additions

    def test_a_version_without_pipelines_asks_for_none(self) -> None:
        given = "receivers: {otlp: }\nservice: {telemetry: {logs: {level: warn}}}"
        assert standing(model(given), effective(given)).runs is Runs.INTENDED

    @pytest.mark.parametrize(
        "resource",
        ["{site: ams}", "{attributes: [{name: site, value: ams}, {name: service.instance.id, value: x}]}"],
    )  # fmt: skip
    def test_the_telemetry_resource_is_compared_in_both_forms(self, resource: str) -> None:
        given = "receivers: {a: }\nservice: {telemetry: {resource: {site: ams}}}"
        runs = f"receivers: {{a: }}\nservice: {{telemetry: {{resource: {resource}}}}}"
        assert standing(model(given), effective(runs)) == Standing()
        moved = effective(runs.replace("ams", "fra"))
        assert places(standing(model(given), moved)) == [
            ("changed", "service::telemetry::resource::site")
        ]


class TestEssence:
    def test_collectors_of_one_configuration_share_it(self) -> None:
        hosts = [recorded(name)[-1] for name in ("ws-0.158.0-rollback", "ws-0.158.0-validate")]
        assert hosts[0] != hosts[1]
        assert len({essence([("", text)]) for text in hosts}) == 1

    def test_whatever_else_differs_makes_another(self) -> None:
        first, second = recorded("ws-0.158.0-rollback")[1:3]
        assert essence([("", first)]) != essence([("", second)])
        assert essence([("", first)]) != essence([("a", first)])

    def test_only_the_supervisors_lines_are_left_out(self) -> None:
        text = "processors:\n  resource:\n    opamp: 1\nextensions:\n  opamp:\n    a: 1\n  b: {}\n"
        assert own_lines(text.split("\n")) == {4, 5}


class TestAdopting:
    def adopted(self, *edits: tuple[str, str]) -> tuple[Adopted, Model]:
        runs = effective(printed("0.158.0", *edits))
        return adopt(model(GIVEN), runs), runs

    def test_the_adopted_text_is_what_runs_with_the_references_and_parts_that_are_not_printed(
        self,
    ) -> None:
        found, runs = self.adopted(
            *LOCAL,
            ("send_batch_size: 1024", "send_batch_size: 9"),
            ("receivers:\n                - forward", "receivers:\n                - otlp"),
            ("/tmp/x/*.log", "/tmp/$x/*.log"),
        )
        assert standing(model(found.text), runs) == Standing()
        assert "opamp" not in found.text
        assert "Bearer x${env:HOME}" in found.text
        assert "memory: null" in found.text  # a scraper
        assert "/tmp/$$x/*.log" in found.text
        assert found.secrets == {}

    def test_hidden_secrets_become_variables_and_are_named(self) -> None:
        found, _ = self.adopted(
            ("extensions: {}", "extensions:\n    bearertokenauth/a: {token: '[REDACTED]'}")
        )
        assert found.secrets == {"extensions::bearertokenauth/a::token": "BEARERTOKENAUTH_A_TOKEN"}
        assert "token: ${env:BEARERTOKENAUTH_A_TOKEN}" in found.text

    def test_what_is_gone_is_taken_out_under_the_name_that_the_text_uses(self) -> None:
        found, _ = self.adopted(("    otlphttp:", "    other:"))
        assert "otlphttp:" not in found.text
        assert "other:" in found.text


class TestAdoptingAlone:
    """Where nothing was intended, what runs is all there is."""

    PRINTED = """
receivers: {otlp: {protocols: {grpc: {endpoint: "localhost:1"}, http: null}}, nop: null}
exporters: {debug: , otlp: {endpoint: "a:1", headers: [{name: k, value: '[REDACTED]'}], path: 'a$b'}, nop: null}
extensions: {opamp: {instance_uid: x}, health_check: {endpoint: "localhost:2"}}
service:
  extensions: [opamp, health_check]
  telemetry: {logs: {level: info}, resource: {service.name: x}}
  pipelines:
    traces: {receivers: [otlp, nop], processors: [], exporters: [otlp]}
    logs/nop: {receivers: [nop], exporters: [nop]}
"""

    def test_the_text_holds_what_runs_without_what_the_supervisor_added(self) -> None:
        found = adopt_alone(effective(self.PRINTED))
        made = parse(found.text)
        assert found.changes == 1
        assert "opamp" not in found.text
        assert "nop" not in found.text
        assert "resource" not in found.text
        assert plain(value_of(made.root))["service"] == {
            "extensions": ["health_check"],
            "telemetry": {"logs": {"level": "info"}},
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp"]}},
        }

    def test_it_says_the_same_as_the_collector_and_names_hidden_secrets(self) -> None:
        found = adopt_alone(effective(self.PRINTED))
        values = plain(value_of(parse(found.text).root))
        assert values["exporters"]["otlp"]["path"] == "a$$b"
        assert "debug" in values["exporters"], "a component without settings stays"
        assert list(found.secrets.values()) == ["OTLP_HEADERS_K_VALUE"]
        assert "${env:OTLP_HEADERS_K_VALUE}" in found.text

    def test_who_runs_nothing_has_nothing(self) -> None:
        found = adopt_alone(
            effective(
                "receivers: {nop: }\nexporters: {nop: }\n"
                "service: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}\n"
            )
        )
        assert found.changes == 0
