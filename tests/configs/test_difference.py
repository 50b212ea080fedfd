"""Semantic differences: what is added, removed, changed; nothing for what only looks different."""

import random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.collector.difference import Change, Deed, Impact, difference, impact_of
from configs.collector.model import Model, model_of
from configs.collector.names import RENAMED, Kind
from configs.collector.parse import parse

BASE = """
receivers: {otlp: {protocols: {grpc: {endpoint: "localhost:4317"}}}}
processors: {batch: {timeout: 60s}}
exporters: {otlp: {endpoint: "a:4317", headers: {authorization: secret}}, debug: {verbosity: normal}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp, debug]}
"""


def model(text: str) -> Model:
    return model_of(parse(text))


def changes(*edits: tuple[str, str]) -> list[Change]:
    text = BASE
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    return list(difference(model(BASE), model(text)))


def said(found: list[Change]) -> list[tuple[str, str]]:
    return [(one.deed.value, one.place) for one in found]


class TestDifferences:
    def test_a_changed_field_has_its_place_and_both_values(self) -> None:
        assert changes(("a:4317", "b:4317")) == [
            Change(Deed.CHANGED, ("exporters", "otlp_grpc", "endpoint"), "a:4317", "b:4317")
        ]

    def test_components_come_and_go(self) -> None:
        found = changes(
            ("debug: {verbosity: normal}", "kafka: {brokers: [a]}"), (", debug]", ", kafka]")
        )
        assert said(found) == [
            ("removed", "exporters::debug"),
            ("added", "exporters::kafka"),
            ("changed", "service::pipelines::traces::exporters"),
        ]

    def test_the_order_of_processors_and_exporters_counts(self) -> None:
        found = changes(("[otlp, debug]", "[debug, otlp]"))
        assert said(found) == [("reordered", "service::pipelines::traces::exporters")]

    def test_pipelines_and_service_settings_are_parts(self) -> None:
        found = changes(
            ("    traces:", "    traces/b: {receivers: [otlp], exporters: [debug]}\n    traces:"),
            ("service:", "extensions: {pprof: }\nservice:\n  extensions: [pprof]\n  telemetry: {logs: {level: warn}}"),
        )  # fmt: skip
        assert said(found) == [
            ("added", "extensions::pprof"),
            ("added", "service::pipelines::traces/b"),
            ("changed", "service::extensions"),
            ("added", "service::telemetry::logs"),
        ]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("timeout: 60s", "timeout: 1m"),
            ("timeout: 60s", "timeout: 60000ms"),
            ("verbosity: normal", "verbosity: Normal"),
            ("exporters: {otlp:", "exporters: {otlp_grpc:"),
            ('endpoint: "a:4317"', "endpoint: 'a:4317'"),
            ("batch: {timeout: 60s}", "batch::timeout: 60s"),
        ],
    )
    def test_values_that_are_written_otherwise_are_no_difference(
        self, before: str, after: str
    ) -> None:
        edits = [(before, after)]
        if "otlp_grpc" in after:
            edits.append(("exporters: [otlp,", "exporters: [otlp_grpc,"))
        assert changes(*edits) == []

    @pytest.mark.parametrize(
        ("key", "before", "after"),
        [
            ("value", "60s", "1m"),  # nothing says that a time is meant
            ("timeout", "60s", "61s"),
            ("a", "5", "'5'"),
            ("a", "true", "1"),
            ("a", "'${env:X}'", "'${env:Y}'"),
            ("a", "'x${env:X}'", "xy"),
            ("a", "'${env:X}'", "y"),
            ("a", "'${env:X}'", "'${env:X:-y}'"),
            ("a", "'${env:X}'", "{b: 1}"),
            ("a", "secret", "'[REDACTED]'"),
            ("a", "secret", "<redacted>"),
            ("a", "[1, 2]", "[2, 1]"),
            ("a", "[1, 2]", "[1]"),
            ("a", "'${X:-a}:1'", "'${env:X:-a}:1'"),
        ],
    )
    def test_what_may_mean_something_else_is_a_difference(
        self, key: str, before: str, after: str
    ) -> None:
        texts = [f"receivers: {{a: {{{key}: {one}}}}}" for one in (before, after)]
        assert difference(*map(model, texts))

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("'${X}'", "'${env:X}'"),
            ("a$b", "a$$b"),
            ("'a$b${X}'", "'a$$b${env:X}'"),
        ],
    )
    def test_references_and_dollar_signs_have_two_ways_to_be_written(
        self, before: str, after: str
    ) -> None:
        texts = [f"receivers: {{a: {{b: {one}}}}}" for one in (before, after)]
        assert difference(*map(model, texts)) == ()

    @pytest.mark.parametrize(
        ("before", "after", "place"),
        [
            ("receivers: {a: }", "receivers: ${env:R}", "receivers"),
            ("receivers: ${env:R}", "receivers: ${env:S}", "receivers"),
            ("service: {pipelines: {}}", "service: {pipelines: '${env:P}'}", "service::pipelines"),
            ("service: {extensions: []}", "service: ${env:P}", "service"),
            (
                "service: {pipelines: {logs: {exporters: ['${env:E}']}}}",
                "service: {pipelines: {logs: {exporters: [nop]}}}",
                "service::pipelines::logs::exporters",
            ),
        ],
    )
    def test_a_part_that_became_a_reference_is_another(
        self, before: str, after: str, place: str
    ) -> None:
        one, other = (model(f"exporters: {{nop: }}\n{text}") for text in (before, after))
        assert said(list(difference(one, other))) == [("changed", place)]
        assert said(list(difference(other, one))) == [("changed", place)]
        assert difference(one, one) == ()

    def test_the_impact_is_the_receivers_only_when_nothing_else_changed(self) -> None:
        assert impact_of([]) is Impact.NOTHING
        assert impact_of(changes(("localhost:4317", "localhost:4318"))) is Impact.RECEIVERS
        assert impact_of(changes(("a:4317", "b:4317"))) is Impact.COLLECTOR


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False),
    st.text("ab{}:#'\" \n$é-", max_size=8),
    st.sampled_from(["60s", "${env:X}", "a${env:X:-d}b", "0x10", "010", "yes", "$$", "[REDACTED]"]),
)
KEYS = st.text("abcdefgh_", min_size=1, max_size=6)
FIELDS = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(KEYS, SCALARS, max_size=2)
)
BODIES = st.dictionaries(KEYS, FIELDS, max_size=2)
TYPES = {kind: st.sampled_from(["batch", "debug", "kafka", *RENAMED[kind]]) for kind in Kind}
IDS = {kind: st.builds(lambda one, name: f"{one}{name}", TYPES[kind], st.sampled_from(["", "/a"])) for kind in Kind}  # fmt: skip


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    config: dict[str, Any] = {
        kind.value: draw(st.dictionaries(IDS[kind], BODIES, max_size=2)) for kind in Kind
    }
    out = [*config["exporters"], *config["connectors"]]
    into = [*config["receivers"], *config["connectors"]]
    pipelines = {
        name: {
            "receivers": draw(st.lists(st.sampled_from(into), max_size=2)) if into else [],
            "processors": list(config["processors"]),
            "exporters": draw(st.lists(st.sampled_from(out), max_size=2)) if out else [],
        }
        for name in draw(st.lists(st.sampled_from(["traces", "logs", "logs/b"]), unique=True))
    }
    config["service"] = {"pipelines": pipelines, "telemetry": draw(BODIES)}
    return config


def renamed_in(config: dict[str, Any]) -> dict[str, Any]:
    """The same configuration with the names of 2026."""

    def new(kind: Kind, one: str) -> str:
        old, slash, name = one.partition("/")
        return f"{RENAMED[kind].get(old, old)}{slash}{name}"

    def member(role: str, one: str) -> str:
        is_connector = role != "processors" and one in config["connectors"]
        return new(Kind.CONNECTOR if is_connector else Kind(role), one)

    sections = {
        kind.value: {new(kind, one): body for one, body in config[kind].items()} for kind in Kind
    }
    pipelines = {
        name: {role: [member(role, one) for one in members] for role, members in body.items()}
        for name, body in config["service"]["pipelines"].items()
    }
    return {**sections, "service": {**config["service"], "pipelines": pipelines}}


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same with the keys of maps in another order."""
    if isinstance(value, list):
        return [shuffled(one, chance) for one in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    chance.shuffle(keys)
    return {key: shuffled(value[key], chance) for key in keys}


@settings(deadline=None)
@given(config=configurations(), chance=st.randoms(use_true_random=False))
def test_formatting_order_comments_and_renames_make_no_difference(
    config: dict[str, Any], chance: random.Random
) -> None:
    before = model(yaml.safe_dump(config, sort_keys=False))
    other = shuffled(renamed_in(config), chance)
    flow = yaml.safe_dump(other, sort_keys=False, default_flow_style=True, width=40)
    spread = yaml.safe_dump(other, sort_keys=False, indent=chance.choice([2, 4, 7]))
    after = "# first\n" + spread.replace("\nservice:", "\n# of the service\nservice: # here")
    assert difference(before, before) == ()
    assert difference(before, model(flow)) == ()
    assert difference(before, model(after)) == ()
    assert difference(model(after), before) == ()
