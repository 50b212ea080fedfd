"""`telflo collector_catalog`, with small sources of its own and programs that stand in for go and a collector."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.catalog import versions
from configs.catalog.writing import from_bytes
from configs.collector.catalog_types import Catalog, FieldType
from configs.collector.names import Kind
from telflo.cataloguing.command import main

CORE = "go.opentelemetry.io/collector"
CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib"
SCHEMA = {
    "type": "object",
    "properties": {
        "wait": {"type": "string", "format": "duration"},
        "count": {"type": "integer"},
        "gone": {"type": "string"},
    },
}
COLLECTOR = '''\
#!{python}
"""Answers as a collector does whose receiver takes wait and count."""
import sys, yaml
words = sys.argv[1:]
if "--version" in words:
    print("otelcol version {version}")
elif "components" in words:
    print("receivers: [{{name: thing}}, {{name: nop}}]\\nexporters: [{{name: nop}}]")
else:
    path = next(one for one in words if one.startswith("--config=")).removeprefix("--config=")
    document = yaml.safe_load(open(path))
    given = document["receivers"].get("thing") or {{}}
    if "print-config" in words:
        print(yaml.safe_dump({{"receivers": {{"thing": {{"wait": "1m0s", "count": 3, **given}}}}}}))
        sys.exit()
    unknown = sorted(given.keys() - {{"wait", "count"}})
    if any(kind.keys() - {{"thing", "nop", "nop/telflo"}} for kind in (document["receivers"], document["exporters"])):
        sys.exit("unknown type: ...")
    if document.keys() - {{"receivers", "exporters", "service"}}:
        sys.exit("unknown type: ...")
    faults = ["'' has invalid keys: " + ", ".join(unknown)] if unknown else []
    if type(given.get("wait", "")) is not str or given.get("wait") == "telflo":
        faults.append("expected type")
    if type(given.get("count", 0)) is not int:
        faults.append("expected type")
    if faults:
        sys.exit("cannot unmarshal the configuration: decoding failed\\n" + "\\n".join(faults))
'''
GO = '''\
#!{python}
"""Has the modules of one folder."""
import json, pathlib, sys
for name in sys.argv[4:]:
    path, _, version = name.partition("@")
    folder = pathlib.Path("{folder}") / path
    answer = {{"Path": path, "Version": version}}
    answer |= {{"Dir": str(folder), "GoMod": str(folder / "go.mod")}} if folder.is_dir() else {{"Error": "not found"}}
    print(json.dumps(answer))
'''


class Ran:
    def __init__(self, *arguments: str) -> None:
        out, err = io.StringIO(), io.StringIO()
        self.code = main(arguments, stdout=out, stderr=err)
        self.out, self.err = out.getvalue(), err.getvalue()


def written(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def program(path: Path, text: str) -> Path:
    written(path, text).chmod(0o755)
    return path


def metadata(kind: str, name: str) -> dict[str, Any]:
    return {"type": name, "status": {"class": kind, "stability": {"beta": ["logs"]}}}


@pytest.fixture
def core(tmp_path: Path) -> Path:
    root = tmp_path / "core"
    written(root / "versions.yaml", {"module-sets": {"beta": {"version": "v0.150.0"}}})
    written(root / "receiver/otlpreceiver/metadata.yaml", metadata("receiver", "thing"))
    written(root / "receiver/otlpreceiver/config.schema.yaml", SCHEMA)
    written(root / "receiver/otlpreceiver/testdata/metadata.yaml", metadata("receiver", "wrong"))
    written(root / "receiver/otlpreceiver/internal/x/metadata.yaml", metadata("receiver", "inner"))
    return root


def built(tmp_path: Path, *arguments: str, version: str = "0.150.0") -> tuple[Catalog, Ran]:
    target = tmp_path / "made.json.gz"
    ran = Ran("--build", version, "--output", str(target), *arguments)
    assert ran.code == 0, ran.err
    return from_bytes(target.read_bytes()), ran


def git(root: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


def committed(root: Path) -> None:
    git(root, "add", ".")
    git(root, "commit", "-qm", "1")


class TestBuilding:
    def test_a_checkout_brings_names_and_settings_of_its_version(
        self, tmp_path: Path, core: Path
    ) -> None:
        catalog, ran = built(tmp_path, "--sources", str(core), "--modules", "none")
        own = [one for one in catalog.every() if not one.facts_from]
        assert [one.type for one in own] == ["thing"]
        assert own[0].config is not None
        assert set(own[0].config.fields) == {"wait", "count", "gone"}
        assert "Reading go.opentelemetry.io/collector v0.150.0" in ran.err
        assert not catalog.is_complete

    def test_a_git_directory_is_read_at_the_tag_of_the_version(
        self, tmp_path: Path, core: Path
    ) -> None:
        git(core, "init", "-q")
        committed(core)
        git(core, "tag", "v0.150.0")
        written(core / "versions.yaml", {"module-sets": {"beta": {"version": "v0.151.0"}}})
        committed(core)
        _, ran = built(tmp_path, "--sources", str(core / ".git"), "--modules", "none")
        assert "collector v0.150.0" in ran.err
        _, ran = built(
            tmp_path, "--sources", str(core / ".git"), "--modules", "none", version="0.152.0"
        )
        assert "collector v0.151.0" in ran.err

    def test_a_registry_lists_all_that_a_version_has(self, tmp_path: Path, core: Path) -> None:
        entries = [
            {"name": "otlpreceiver", "metadata": metadata("receiver", "thing")},
            {"name": "xreceiver", "subtype": "deep", "metadata": metadata("receiver", "x")},
        ]
        written(tmp_path / "registry/core/v0.150.1/receiver.yaml", {"components": entries})
        written(tmp_path / "registry/contrib/v0.150.0/exporter.yaml", {"components": []})
        (tmp_path / "registry/contrib/v0.151.0-SNAPSHOT").mkdir()
        arguments = (
            "--registry",
            str(tmp_path / "registry"),
            "--sources",
            str(core),
            "--modules",
            "none",
        )
        catalog, _ = built(tmp_path, *arguments)
        assert catalog.is_complete
        assert {one.type: one.module for one in catalog.every()} == {
            "thing": f"{CORE}/receiver/otlpreceiver",
            "x": f"{CORE}/receiver/deep/xreceiver",
        }

    def test_tables_without_types_get_them_of_others_and_the_rest_is_unnamed(
        self, tmp_path: Path, core: Path
    ) -> None:
        site = tmp_path / "site"
        written(site / "data/collector-versions.yml", {"contrib": "v0.150.0"})
        entry = {"repo": "core", "distributions": ["core"], "stability": {"logs": "stable"}}
        rows = [{**entry, "name": "otlpreceiver"}, {**entry, "name": "new_thingreceiver"}]
        written(site / "data/collector/receivers.yml", rows)
        vendor = tmp_path / "vendored/deep/vendor"
        module = f"{CONTRIB}/receiver/kreceiver"
        written(vendor / "modules.txt", f"# {module} v0.139.0\n{module}\n")
        written(vendor / f"{module}/metadata.yaml", metadata("receiver", "k"))
        arguments = (
            "--website",
            str(site),
            "--sources",
            str(core),
            "--vendored",
            str(tmp_path / "vendored"),
        )
        catalog, _ = built(tmp_path, *arguments, "--modules", "none")
        assert [one.type for one in catalog.every()] == ["thing"]
        assert catalog.is_complete
        assert catalog.may_have(Kind.RECEIVER, "new_thing")
        assert not catalog.may_have(Kind.RECEIVER, "k")

    def test_tables_are_read_where_a_version_first_had_them(
        self, tmp_path: Path, core: Path
    ) -> None:
        site = tmp_path / "site"
        named = site / "data/collector-versions.yml"
        written(named, {"contrib": "v0.150.0"})
        git(site, "init", "-q")
        committed(site)
        row = {"repo": "core", "name": "newreceiver", "stability": {"logs": "stable"}}
        written(site / "data/collector/receivers.yml", [row])
        committed(site)
        written(named, {"contrib": "v0.151.0"})
        written(site / "data/collector/receivers.yml", [])
        committed(site)
        sources = ("--website", str(site / ".git"), "--sources", str(core), "--modules", "none")
        catalog, _ = built(tmp_path, *sources)
        assert catalog.unnamed[Kind.RECEIVER] == {"new"}

    def test_modules_of_a_manifest_are_asked_of_go_and_those_that_are_not_to_be_had_are_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there, shared = f"{CONTRIB}/receiver/areceiver", f"{CORE}/config/shared"
        modules = tmp_path / "modules"
        written(modules / there / "metadata.yaml", metadata("receiver", "a"))
        written(
            modules / there / "config.schema.yaml", {"properties": {"it": {"$ref": f"{shared}.it"}}}
        )
        written(modules / there / "go.mod", f"module {there}\n\nrequire (\n\t{shared} v1.2.0\n)\n")
        written(modules / shared / "config.schema.yaml", {"$defs": {"it": {"type": "boolean"}}})
        written(modules / shared / "go.mod", f"module {shared}\n")
        program(tmp_path / "bin/go", GO.format(python=sys.executable, folder=modules))
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
        gomods = [{"gomod": f"{there} v0.150.0"}, {"gomod": f"{CONTRIB}/receiver/gone v0.150.0"}]
        manifest = written(
            tmp_path / "builder.yaml", {"dist": {"name": "mine"}, "receivers": gomods}
        )
        catalog, ran = built(tmp_path, "--manifest", str(manifest))
        (one,) = catalog.every()
        assert one.config is not None
        assert one.config.fields["it"].type is FieldType.TRUTH
        assert (catalog.distribution, catalog.is_complete) == ("mine", False)
        assert "Not to be had as Go modules: gone." in ran.err

    def test_a_collector_brings_defaults_and_takes_out_what_it_refuses(
        self, tmp_path: Path, core: Path
    ) -> None:
        text = COLLECTOR.format(python=sys.executable, version="0.150.0")
        binary = program(tmp_path / "otelcol", text)
        arguments = ("--sources", str(core), "--modules", "none", "--collector", str(binary))
        catalog, _ = built(tmp_path, *arguments)
        one = catalog.find(Kind.RECEIVER, "thing")
        assert one is not None
        assert one.config is not None
        assert one.is_verified
        assert {name: field.default for name, field in one.config.fields.items()} == {
            "wait": "1m",
            "count": 3,
        }
        types = {name: field.type for name, field in one.config.fields.items()}
        assert types == {"wait": FieldType.DURATION, "count": FieldType.INTEGER}

    def test_a_collector_is_asked_about_a_catalog_that_is_built_already(
        self, tmp_path: Path, core: Path
    ) -> None:
        text = COLLECTOR.format(python=sys.executable, version="0.150.0")
        binary = str(program(tmp_path / "otelcol", text))
        sources = ("--sources", str(core), "--modules", "none")
        at_once, _ = built(tmp_path, *sources, "--collector", binary)
        built(tmp_path, *sources)
        target = tmp_path / "made.json.gz"
        for _ in range(2):
            asked = ("--from", str(target), "--collector", binary, "--output", str(target))
            ran = Ran(*asked)
            assert ran.code == 0, ran.err
            assert from_bytes(target.read_bytes()) == at_once


class TestWhatCannotBeDone:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--sources", "nowhere"], "nowhere is no folder"),
            (["--sources", "."], "is no checkout of the collector's repositories"),
            (["--registry", "."], "is no registry"),
            (["--website", "."], "is no checkout of opentelemetry.io"),
            (["--vendored", "."], "has no vendor/modules.txt"),
            (["--manifest", "nowhere.yaml"], "nowhere.yaml cannot be read"),
            (["--collector", "/bin/echo", "--modules", "none"], "it is no collector"),
        ],
    )
    def test_it_says_why_in_one_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        ran = Ran("--build", "0.150.0", "--output", "made", *arguments)
        assert ran.code == 2
        assert says in ran.err.splitlines()[-1]
        assert ran.err.splitlines()[-1].startswith("telflo: ")

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--from", "nowhere"], "Name the collector that is to be asked: --collector."),
            (["--from", "nowhere", "--collector", "x"], "nowhere cannot be read"),
            (["--from", "text", "--collector", "x"], "This is no catalog"),
        ],
    )
    def test_of_a_catalog_that_is_built_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        written(tmp_path / "text", "no catalog")
        ran = Ran(*arguments, "--output", "made")
        assert ran.code == 2
        assert says in ran.err
        assert not (tmp_path / "made").exists()

    def test_a_collector_of_another_version_is_refused(self, tmp_path: Path, core: Path) -> None:
        text = COLLECTOR.format(python=sys.executable, version="0.149.0")
        binary = program(tmp_path / "otelcol", text)
        ran = Ran(
            "--build",
            "0.150.0",
            "--sources",
            str(core),
            "--modules",
            "none",
            "--collector",
            str(binary),
        )
        assert (ran.code, "of version 0.149.0, the catalog of 0.150.0" in ran.err) == (2, True)

    def test_a_version_is_needed(self) -> None:
        with pytest.raises(SystemExit):
            main(["--build", "newest"], stdout=io.StringIO(), stderr=io.StringIO())


def test_the_shipped_versions_are_listed() -> None:
    ran = Ran("--list")
    lines = ran.out.splitlines()
    assert [line.split()[0] for line in lines] == list(versions())
    assert all("otelcol-contrib: " in line and "components" in line for line in lines)


def test_it_runs_without_settings_or_a_database(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "TELFLO_DATA": str(tmp_path / "none"),
        "PORT": "nonsense",
    }
    manage = Path(__file__).parents[2] / "manage.py"
    command = [sys.executable, str(manage), "collector_catalog", "--list"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "none").exists()
