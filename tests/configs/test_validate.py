"""The validator as a whole: several files, bounds, unverified settings, places, JSON."""

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.validating import configuration, hostile
from configs.collector.catalog_types import FieldType
from configs.collector.errors import ParseError
from configs.collector.files import File, Files
from configs.collector.findings import Report, Severity, applied, as_json
from configs.collector.limits import Limits
from configs.collector.names import Kind
from configs.collector.nodes import Mapping as MappingNode
from configs.collector.nodes import Node, Scalar, Sequence
from configs.collector.parse import parse, read
from configs.collector.rules.registry import BY_ID
from configs.collector.validate import MOST_FINDINGS, validate
from tests.configs.rules.catalog import CATALOG

GOOD = """\
receivers: {otlp: {protocols: {grpc: {endpoint: "${env:POD_IP:-localhost}:4317"}}}}
processors: {memory_limiter: {check_interval: 1s, limit_mib: 400}, batch: }
exporters:
  otlp_grpc: {endpoint: "gateway:4317", sending_queue: {storage: file_storage}} # where all goes
extensions: {file_storage: {directory: /var/lib/otel}}
service:
  extensions: [file_storage]
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_grpc]}
"""


def one(text: str | bytes, **given_: object) -> Report:
    return validate([("a.yaml", text)], **given_)  # type: ignore[arg-type]


def rules(report: Report) -> list[str]:
    return [finding.rule for finding in report.findings]


def test_a_configuration_without_faults_has_no_findings() -> None:
    assert one(GOOD) == Report()
    assert one(GOOD).is_valid


def test_findings_stand_in_the_order_of_the_text_each_once() -> None:
    found = one(
        "foo: 1\nreceivers: {1a: }\nservice: {pipelines: {logs: {receivers: [b, b]}}}"
    ).findings
    assert [finding.span.start for finding in found] == sorted(x.span.start for x in found)
    assert len({(x.rule, x.span, x.message) for x in found}) == len(found)


def test_a_key_with_colons_in_a_list_is_found_at_its_place() -> None:
    text = (
        "processors:\n  a: {rules: [{b::c: '${env:1}'}]}\n  d: &d {e::f: '${env:2}'}\n  g: [*d]\n"
    )
    found = [x for x in one(text).findings if x.rule == "X02"]
    assert [(x.path[2:], x.span.line, x.span.column) for x in found] == [
        (("rules", 0, "b::c"), 2, 22),
        # Written once, it stands in a map and in a list.
        ((0, "e::f"), 3, 16),
    ]


def test_warnings_leave_it_valid_and_rules_can_be_switched_off() -> None:
    text = GOOD.replace("memory_limiter, batch]", "batch]").replace(
        "memory_limiter: {", "memory_limiter/b: {"
    )
    report = one(text)
    assert rules(report) == ["L01", "L04"]
    assert report.is_valid
    assert rules(one(text, disabled={"L04"})) == ["L01"]


class TestBlanksAroundAnId:
    """Collectors trim such an id and drop its body unread: what then runs on defaults is valid, all else is not."""

    TEXT = (
        "receivers: {' otlp': %s}\nexporters: {debug: }\n"
        "service: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}\n"
    )

    def test_what_runs_on_defaults_is_valid_whatever_stands_below(self) -> None:
        text = (
            self.TEXT.replace("otlp", "nop")
            % "{auth: {authenticator: nobody}, tls: {min_version: 1}}"
        )
        report = one(text)
        assert report.is_valid
        assert [x.severity for x in report.findings if x.rule == "P13"] == [Severity.WARNING]

    def test_what_has_no_defaults_is_invalid_whatever_stands_below(self) -> None:
        found = one(self.TEXT % "{protocols: {grpc: }}").findings
        assert [(x.rule, x.component) for x in found if x.severity is Severity.ERROR] == [
            ("C06", "receivers/otlp")
        ]

    def test_what_is_no_map_and_references_are_looked_at_before(self) -> None:
        for body, rule in (("text", "P16"), ("{a: '${nobody:x}'}", "X06")):
            assert rule in rules(one(self.TEXT.replace("otlp", "nop") % body))


def test_a_setting_that_is_made_twice_is_taken_by_chance_and_not_refused() -> None:
    text = GOOD.replace("batch: }", "batch: {timeout: 1s}, 'batch::timeout': 2s}")
    report = one(text)
    assert report.is_valid
    assert "P14" in rules(report)


class TestFiles:
    BASE = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {debug: }\nservice: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}\n"

    def test_a_fault_is_shown_in_the_file_that_says_it(self) -> None:
        over = "# over\nservice: {pipelines: {logs: {exporters: [debg]}}}\n"
        found = [x for x in validate([("a", self.BASE), ("b", over)]).findings if x.rule == "G07"]
        assert [(x.file, x.span.line, x.span.column) for x in found] == [("b", 2, 42)]

    def test_a_list_that_a_later_file_replaces_is_pointed_out(self) -> None:
        over = "service: {pipelines: {logs: {exporters: [debug]}}}\n"
        (found,) = [
            x for x in validate([("a", self.BASE), ("b", over)]).findings if x.rule == "M01"
        ]
        assert (found.file, found.severity) == ("a", Severity.INFO)
        assert found.message.startswith("b, line 1,")
        assert self.BASE[found.span.start : found.span.end] == "exporters"

    def test_every_leaf_knows_its_file_and_place(self) -> None:
        texts = {"a": "receivers: {x: {p: 1, q: [1]}}", "b": "receivers::x::p: 2\nservice: {}\n"}
        files = Files([File(name, read(text)) for name, text in texts.items()])
        found = {
            path: (spot.file.name, spot.shown.line, spot.shown.column)
            for path, spot in files.leaves()
        }
        assert found == {
            ("receivers", "x", "p"): ("b", 1, 18),
            ("receivers", "x", "q"): ("a", 1, 23),
            ("service",): ("b", 2, 1),
        }
        assert files.root["receivers"] == {"x": {"p": 2, "q": (1,)}}

    def test_aliases_and_merge_keys_lead_to_what_is_written(self) -> None:
        text = "receivers:\n  a: &a {x: 1}\n  b: {<<: *a, y: 2}\n  c: *a\n"
        files = Files([File("a", read(text))])
        for name, is_shared in (("a", False), ("b", True), ("c", True)):
            spot = files.spot(("receivers", name, "x"))
            assert (spot.shown.line, spot.is_shared) == (2, is_shared)

    def test_empty_files_count_as_nothing_and_broken_ones_are_all_named(self) -> None:
        assert "G01" not in rules(validate([("a", self.BASE), ("b", "# nothing\n")]))
        assert rules(validate([("a", ""), ("b", "")])) == ["G01", "G01"]
        assert [x.file for x in validate([("a", "["), ("b", self.BASE), ("c", "]")]).findings] == [
            "a",
            "c",
        ]
        assert rules(validate([])) == ["G01"]
        assert rules(validate([("a", self.BASE)] * 51)) == ["P01"]

    def test_all_files_together_have_one_limit(self) -> None:
        limits = Limits(bytes=200)
        assert rules(validate([("a", self.BASE), ("b", self.BASE)], limits=limits)) == ["P01"]


class TestCatalog:
    TEXT = "exporters: {%s: {endpoint: a, colour: red, timeout: never}}"

    def test_settings_that_are_not_verified_are_warnings(self) -> None:
        for name, severity in (("otlp_grpc", Severity.ERROR), ("vague", Severity.WARNING)):
            found = one(self.TEXT % name, catalog=CATALOG).findings
            levels = {x.severity for x in found if x.rule in {"P02", "P08"}}
            assert levels == {severity}

    @pytest.mark.parametrize(
        ("version", "severity", "words"),
        [
            ("0.158.0", Severity.WARNING, "Write otlp_grpc."),
            (None, Severity.INFO, "Write otlp_grpc, unless some collector is too old to know it."),
        ],
    )
    def test_an_old_name_is_a_hint_where_collectors_may_know_no_other(
        self, version: str | None, severity: Severity, words: str
    ) -> None:
        found = one("exporters: {otlp: {endpoint: 'a:1'}}", catalog=CATALOG, version=version)
        [told] = [x for x in found.findings if x.rule == "P11"]
        assert (told.severity, told.message) == (severity, f'"otlp" is an old name. {words}')

    def test_a_signal_that_does_not_exist_is_told_once_and_not_for_each_member(self) -> None:
        text = "exporters: {otlp_grpc: }\nservice: {pipelines: {trace: {exporters: [otlp_grpc]}}}"
        found = rules(one(text, catalog=CATALOG))
        assert "P07" in found
        assert "N01" not in found

    def test_without_a_catalog_nothing_is_said_about_settings(self) -> None:
        assert not {"P02", "P08", "P10", "P11", "N01"} & set(rules(one(self.TEXT % "vague")))

    def test_what_a_reference_stands_for_fits_everything(self) -> None:
        text = "exporters: {otlp_grpc: {endpoint: '${env:A}', queue: '${env:B}', tls: '${env:C}', names: ['${env:D}']}}"
        found = one(text, catalog=CATALOG).findings
        assert {x.rule for x in found if x.severity is not Severity.INFO} <= {"G02", "G04", "L01"}

    def test_an_unknown_type_is_certain_only_where_the_catalog_is_complete(self) -> None:
        assert CATALOG.find(Kind.EXPORTER, "otlp") is CATALOG.find(Kind.EXPORTER, "otlp_grpc")
        assert CATALOG.find(Kind.EXPORTER, "nothing") is None
        assert FieldType("duration") is FieldType.DURATION

    def test_a_finding_links_to_the_components_own_page(self) -> None:
        found = one("receivers: {otlp: }", catalog=CATALOG).findings
        assert {x.doc_url for x in found if x.component == "receivers/otlp"} == {
            "https://example.com/otlp"
        }


def test_a_finding_as_json() -> None:
    text = "extensions: {pprof: }\nservice: {extensions: [prof]}\n"
    (found,) = [x for x in one(text).findings if x.rule == "G06"]
    assert as_json(found) == {
        "rule": "G06",
        "severity": "error",
        "message": 'The service uses the extension "prof", and extensions does not define it. Did you mean pprof?',
        "file": "a.yaml",
        "path": ["service", "extensions", 0],
        "line": 2,
        "column": 24,
        "end_line": 2,
        "end_column": 28,
        "component": "",
        "pipeline": "",
        "doc_url": BY_ID["G06"].doc_url,
        "fixes": [
            {
                "title": "Write pprof",
                "edits": [{"file": "a.yaml", "start": 45, "end": 49, "text": "pprof"}],
            }
        ],
    }


def test_a_map_where_a_word_is_expected_does_no_harm() -> None:
    text = "receivers: {file_log: {operators: [{type: time_parser, layout: {a: b}, layout_type: {a: b}}]}}"
    assert "C19" in rules(one(text))
    text = "connectors: {routing: {table: [{context: {a: b}, condition: [a], statement: {}}]}}"
    assert "C24" in rules(one(text))


def test_no_message_shows_a_secret() -> None:
    text = "exporters: {otlp: {endpoint: a, headers: {authorization: 'Bearer hunter2hunter2', api_key: [hunter2]}}}"
    assert all("hunter2" not in str(as_json(x)) for x in one(text, catalog=CATALOG).findings)


def test_what_the_version_is_known_to_lack_is_an_error() -> None:
    text = "exporters: {logging: }"
    for version, severity in ((None, Severity.WARNING), ("0.158.0", Severity.ERROR)):
        (found,) = [x for x in one(text, version=version).findings if x.rule == "L22"]
        assert found.severity is severity


class TestBounds:
    def test_findings_are_bounded_and_the_rest_is_counted(self) -> None:
        text = "receivers:\n" + "".join(
            f"  1a{n}: {{b: $X, 'c::d': 2026-01-01}}\n" for n in range(3_000)
        )
        report = one(text)
        assert len(report.findings) <= MOST_FINDINGS
        assert report.left_off
        assert {x.severity for x in report.findings} >= {Severity.ERROR}

    def test_work_grows_with_the_text_and_not_with_its_square(self) -> None:
        """Counted in calls of functions, since time says little on a busy machine."""
        small, large = (calls(lambda n=n: one(configuration(n))) for n in (250, 1_000))  # type: ignore[misc]
        assert large < 5 * small

    @pytest.mark.parametrize("shape", ["pipelines", "paths", "undefined", "references"])
    def test_hostile_shapes_cost_no_more_than_their_size(self, shape: str) -> None:
        small, large = (calls(lambda n=n: one(SHAPES[shape](n))) for n in (200, 800))  # type: ignore[misc]
        assert large < 6 * small

    def test_the_benchmarks_hostile_texts_are_texts_that_may_be_sent(self) -> None:
        assert all(len(text.encode()) <= Limits().bytes for _, text in hostile())


SHAPES: Mapping[str, Callable[[int], str]] = {
    "pipelines": lambda n: (
        "receivers: {a: }\nexporters: {b: }\nconnectors: {c: }\nservice:\n  pipelines:\n"
        + "".join(f"    logs/a{at}: {{receivers: [a, c], exporters: [c]}}\n" for at in range(n))
    ),
    "paths": lambda n: "receivers:\n" + "".join(f"  a::b{at}::c: 1\n" for at in range(n)),
    "undefined": lambda n: (
        "service: {pipelines: {logs: {receivers: [" + ",".join(f"r{at}" for at in range(n)) + "]}}}"
    ),
    "references": lambda n: "receivers: {a: '" + "${a" * n + "}" * n + "'}",
}


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, those written in C too."""
    counted = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted


FRAGMENTS = st.sampled_from(
    [
        *(
            "receivers",
            "exporters",
            "service",
            "pipelines",
            "otlp",
            "traces",
            ":",
            ": ",
            "\n",
            "\n  ",
        ),
        *("- ", "[", "]", "{", "}", ", ", "${env:X", "'", '"', "&a ", "*a", "<<: ", "::", "|", ">"),
        *("#", "---\n", "!!int ", "0.0.0.0:1", "\t", "\r", "é", "😀", "\x85", "batch", "1", "~"),
        *("%YAML 1.1\n", "? "),
    ]
)


@settings(deadline=None, max_examples=150)
@given(
    st.one_of(
        st.lists(FRAGMENTS, max_size=40).map("".join), st.text(max_size=60), st.binary(max_size=60)
    )
)
def test_nothing_that_is_sent_makes_it_fail(text: str | bytes) -> None:
    one(text)
    with suppress(ParseError):
        parse(text)


LINES = st.lists(
    st.sampled_from(
        [
            "extensions: {zpages: {endpoint: ':1'}, pprof: }",
            "exporters:\n  otlp: {endpoint: x, tls: {insecure_skip_verify: true, min_version: 1.2}} # é😀",
            "exporters: {otlp/a: {timeout: 5}, debug: {verbosity: detailed}, x: {api_key: abc}}",
            "receivers:\n  ' otlp ': {protocols: {grpc: {endpoint: '0.0.0.0:1'}}}\n  # kept\n  hostmetrics: {a: $X}",
            "service:\n  extensions: [pprf]\n  pipelines:\n    trace:\n      receivers:\n      - otlp # one\n      - otlp\n      processors: [batch, filter, memory_limiter]\n      exporters: [ debug , 'otlp/a', debug ]",
            "Processors: {batch: }",
            'connectors: {a: {b: 2026-01-01, c: "it is $HOME"}}',
        ]
    ),
    unique=True,
    min_size=1,
)  # fmt: skip


def scalars_of(text: str) -> Counter[str]:
    """Every key and single value, as read."""
    found: Counter[str] = Counter()
    waiting: list[Node] = [read(text).root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, MappingNode):
            waiting.extend(part for one in node.entries for part in (one.key, one.value))
        elif isinstance(node, Sequence):
            waiting.extend(node)
        elif isinstance(node, Scalar):
            found[node.value] += 1
    return found


@settings(deadline=None, max_examples=60)
@given(LINES)
def test_quick_fixes_leave_all_else_byte_for_byte(lines: list[str]) -> None:
    text = "\r\n".join(lines)
    for finding in one(text, catalog=CATALOG).findings:
        if finding.fix is None:
            continue
        edits = finding.fix.edits
        fixed = applied({"a.yaml": text}, finding.fix)["a.yaml"]
        assert fixed != text
        # No edit goes beyond its line, and each touches one word of the text.
        assert not any("\n" in text[one.start : one.end].rstrip("\r\n") for one in edits)
        before, after = scalars_of(text), scalars_of(fixed)
        assert (before - after).total() <= len(edits)
        assert (after - before).total() <= sum(1 for one in edits if one.text)
        gone = sum(1 for one in edits if not one.text)
        assert fixed.count("#") >= text.count("#") - gone
