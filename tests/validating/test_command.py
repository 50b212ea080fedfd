"""`telflo validate`: formats, exit codes, and that it needs nothing but the files."""

import errno
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from configs.catalog import nearest, versions
from configs.catalog.writing import as_bytes
from configs.collector.limits import Limits
from configs.collector.names import Kind
from telflo.validating.command import main
from tests.configs.rules.catalog import CATALOG

GOOD = """\
receivers: {otlp: {protocols: {grpc: }}}
exporters: {debug: }
service: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}
"""
SAMPLING = """\
receivers: {otlp: {protocols: {grpc: }}}
processors: {memory_limiter: {check_interval: 1s, limit_mib: 600}, tail_sampling: {policies: [{name: a, type: always_sample}]}}
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp], processors: [memory_limiter, tail_sampling], exporters: [debug]}}}
"""
BAD = GOOD.replace("[debug]", "[debg]")


class Ran:
    def __init__(self, *arguments: str, stdin: bytes = b"") -> None:
        out, err = io.StringIO(), io.StringIO()
        self.code = main(arguments, stdin=io.BytesIO(stdin), stdout=out, stderr=err)
        self.out, self.err = out.getvalue(), err.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(GOOD)
    Path("bad.yaml").write_text(BAD)
    return tmp_path


@pytest.mark.usefixtures("folder")
class TestFormats:
    def test_text_is_a_line_for_each_finding_and_a_sum(self) -> None:
        unwanted = [part for rule in ("L01", "L04", "L10") for part in ("--disable", rule)]
        ran = Ran("good.yaml", "bad.yaml", *unwanted)
        assert ran.code == 1
        assert ran.out == (
            'bad.yaml:3:61: error: The pipeline logs uses "debg", and exporters does not define it. Did you mean debug? [G07]\n'
            "2 configurations: 1 error, 0 warnings, 0 hints.\n"
        )

    def test_json_is_an_object_a_line(self) -> None:
        ran = Ran("good.yaml", "bad.yaml", "--format", "json")
        good, bad = map(json.loads, ran.out.splitlines())
        assert (good["file"], good["valid"], bad["file"], bad["valid"]) == (
            "good.yaml",
            True,
            "bad.yaml",
            False,
        )
        assert "G07" in {one["rule"] for one in bad["findings"]}

    def test_sarif_has_rules_and_places(self) -> None:
        (run,) = json.loads(Ran("bad.yaml", "--format", "sarif").out)["runs"]
        result = next(one for one in run["results"] if one["ruleId"] == "G07")
        (location,) = result["locations"]
        assert result["level"] == "error"
        assert location["physicalLocation"]["artifactLocation"] == {"uri": "bad.yaml"}
        assert location["physicalLocation"]["region"] == {
            "startLine": 3,
            "startColumn": 61,
            "endLine": 3,
            "endColumn": 65,
        }
        assert {one["ruleId"] for one in run["results"]} == {
            one["id"] for one in run["tool"]["driver"]["rules"]
        }

    def test_github_gets_commands_whose_signs_are_escaped(self) -> None:
        Path("a,b.yaml").write_text("foo%\n: 1\n")
        ran = Ran("a,b.yaml", "bad.yaml", "--format", "github")
        assert (
            "::error file=bad.yaml,title=G07,line=3,col=61,endLine=3,endColumn=65::The pipeline logs"
            in ran.out
        )
        assert "::error file=a%2Cb.yaml,title=P01,line=" in ran.out
        assert len(ran.out.splitlines()) == ran.out.count("::error") + ran.out.count(
            "::warning"
        ) + ran.out.count("::notice")


@pytest.mark.usefixtures("folder")
class TestRunning:
    def test_without_errors_the_exit_code_is_0_though_there_are_warnings(self) -> None:
        ran = Ran("good.yaml")
        assert ran.code == 0
        assert "warning" in ran.out

    @pytest.mark.parametrize(("without", "code"), [((), 1), (("--disable", "L04"), 0)])
    def test_strictly_a_warning_counts_and_a_hint_does_not(
        self, without: tuple[str, ...], code: int
    ) -> None:
        ran = Ran("good.yaml", "--strict", *without)
        assert ran.code == code
        assert "[L10]" in ran.out

    def test_several_files_are_one_configuration_when_they_are_merged(self) -> None:
        Path("over.yaml").write_text("exporters: {debg: }\n")
        assert Ran("bad.yaml", "over.yaml", "--disable", "P10").code == 1
        assert Ran("bad.yaml", "over.yaml", "--merge").code == 0

    def test_standard_input_is_a_file_too(self) -> None:
        assert Ran("-", stdin=GOOD.encode()).code == 0
        assert Ran("-", stdin=b"").code == 1

    def test_the_version_of_the_collector_counts(self) -> None:
        text = GOOD.replace(
            "service: {", "service: {telemetry: {metrics: {address: 'a:1'}}, "
        ).encode()
        assert Ran("-", "--collector-version", "0.120.0", stdin=text).code == 0
        assert Ran("-", "--collector-version", "0.158.0", stdin=text).code == 1
        assert Ran("-", stdin=text).code == 1, "without one it is the newest"

    def test_which_catalog_is_used_is_said_beside_the_findings(self) -> None:
        newest = versions()[0]
        assert Ran("good.yaml").err == (
            f"telflo: held against otelcol-contrib {newest}, the newest known here: what is unknown to it is a warning."
            " Name yours with --collector-version.\n"
        )
        itself = Ran("good.yaml", "--collector-version", newest).err
        assert itself == (
            f"telflo: held against otelcol-contrib {newest}: what is unknown to it is a warning.\n"
        )
        exact = Ran("good.yaml", "--collector-version", "v0.158.0").err
        assert exact == "telflo: held against otelcol-contrib 0.158.0.\n"
        near = Ran("good.yaml", "--collector-version", "9.9.9").err
        assert f"otelcol-contrib {newest}, the nearest to 9.9.9 that is known here" in near

    def test_what_is_said_of_the_newest_catalog_is_so(self) -> None:
        known = nearest("")
        assert not known.is_complete
        every = [known.find(kind, one) for kind in Kind for one in known.types(kind)]
        assert not any(one.is_verified for one in every if one)

    def test_a_key_that_a_version_does_not_know_is_an_error_in_that_version_alone(self) -> None:
        text = GOOD.replace("debug: ", "debug: {verbositty: basic}").encode()
        ran = Ran("-", "--collector-version", "0.158.0", stdin=text)
        assert (ran.code, "Did you mean verbosity?" in ran.out) == (1, True)
        assert Ran("-", "--collector-version", "9.9.9", stdin=text).code == 0

    def test_a_type_that_is_not_known_is_an_error_where_the_version_is_named(self) -> None:
        text = GOOD.replace("receivers: {otlp:", "receivers: {own: , otlp:").encode()
        assert "P10" not in Ran("-", stdin=text).out
        ran = Ran("-", "--collector-version", "0.158.0", stdin=text)
        assert ran.code == 1
        assert 'otelcol-contrib 0.158.0 has no receiver "own".' in ran.out

    def test_a_catalog_of_ones_own_is_used_instead(self) -> None:
        own = replace(CATALOG, distribution="mine", version="1.0.0")
        Path("own.json.gz").write_bytes(as_bytes(own))
        ran = Ran("good.yaml", "--catalog", "own.json.gz")
        assert (ran.code, ran.err) == (0, "telflo: held against mine 1.0.0, of own.json.gz.\n")
        assert (
            Ran("good.yaml", "--catalog", "good.yaml").err
            == "telflo: This is no catalog: build it again.\n"
        )
        assert "none.gz cannot be read" in Ran("good.yaml", "--catalog", "none.gz").err

    def test_a_file_that_cannot_be_read_is_named(self) -> None:
        ran = Ran("none.yaml")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == "telflo: none.yaml cannot be read: No such file or directory.\n"

    def test_a_file_that_is_too_large_is_read_no_further_than_its_limit(self) -> None:
        ran = Ran("-", stdin=b"a" * (Limits().bytes + 10_000))
        assert ran.code == 1
        assert f"{Limits().bytes + 1:,} bytes" in ran.out

    @pytest.mark.parametrize(
        ("said", "rule", "text"),
        [
            (["--production"], "L10", GOOD),
            (["--deny", "exporters/debug"], "L24", GOOD),
            (["--deny", "exporters/otlp"], "L24", GOOD.replace("debug", "otlp_grpc")),
            (["--require-extension", "opamp"], "L19", GOOD),
            (["--deny-scheme", "file"], "X06", GOOD.replace("grpc: ", "grpc: '${file:a}'")),
            (["--replicas", "3"], "L16", SAMPLING),
            (["--memory-mib", "512"], "L18", SAMPLING),
        ],
    )
    def test_what_is_told_of_the_collectors_counts(
        self, said: list[str], rule: str, text: str
    ) -> None:
        def rules(*arguments: str) -> list[str]:
            ran = Ran("-", "--format", "json", *arguments, stdin=text.encode())
            return [
                one["rule"] for one in json.loads(ran.out)["findings"] if one["severity"] != "info"
            ]

        assert rule not in rules()
        assert rule in rules(*said)

    def test_components_are_those_that_a_collector_lists(self) -> None:
        Path("list.yaml").write_text("receivers: [{name: otlp}]\nexporters: [{name: otlp}]\n")
        told = ("-", "--components", "list.yaml")
        assert "[L20]" in Ran(*told, stdin=GOOD.encode()).out
        assert "[L20]" not in Ran(*told, stdin=GOOD.replace("debug", "otlp_grpc").encode()).out

    def test_a_gate_that_is_on_is_needed_no_more(self) -> None:
        text = GOOD.replace("logs:", "profiles:").encode()
        assert "[L21]" in Ran("-", stdin=text).out
        assert "[L21]" not in Ran("-", "--gate", "service.profilesSupport", stdin=text).out

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--replicas", "0", "a"],
            ["--memory-mib", "1e3", "a"],
            ["--deny", "file", "a"],
            ["--components", "none.yaml", "a"],
            ["--components", "good.yaml", "a"],
            ["--deny", "exporter/file", "a"],
            ["--collector-version", "new", "a"],
            ["--disable", "X99", "a"],
            ["--format", "xml", "a"],
            [],
        ],
    )
    def test_wrong_arguments_are_said(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            Ran(*arguments)
        assert ended.value.code == 2
        assert "usage: telflo validate" in capsys.readouterr().err


def test_who_reads_the_findings_may_have_enough(folder: Path) -> None:
    # More than a pipe holds.
    process = subprocess.Popen(
        [sys.executable, "-c", "from telflo.cli import main; main()", "validate", *["bad.yaml"] * 2_000],
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"bad.yaml:")
    process.stdout.close()
    _, err = process.communicate()
    assert (process.returncode, err.count(b"\n")) == (1, 1)
    assert err.startswith(b"telflo: held against")


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_findings_that_cannot_be_written_are_no_verdict() -> None:
    err = io.StringIO()
    code = main(["-"], stdin=io.BytesIO(GOOD.encode()), stdout=FullDisk(), stderr=err)
    assert code == 2
    assert "the findings cannot be written: No space left on device." in err.getvalue()


def test_it_runs_without_settings_or_a_database(folder: Path) -> None:
    """As people run it, in an environment that says nothing; no part of Django is set up."""
    code = (
        "import sys; sys.argv = ['telflo', 'validate', 'bad.yaml']\n"
        "from telflo.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as ended:\n"
        "    from django.conf import settings\n"
        "    print(ended.code, settings.configured)\n"
    )
    root = Path(__file__).parents[2]
    environment = {"PYTHONPATH": str(root), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "1 False"
    assert not list(folder.glob("*.sqlite3"))
