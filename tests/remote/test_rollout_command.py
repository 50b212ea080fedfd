"""`telflo rollout` against a running server, and what its exit codes tell."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from fleets.models import Fleet, Rollout
from telflo.base.access import Role
from telflo.base.models import TokenScope
from telflo.remote import rollout
from telflo.remote.client import Answered, Client, Unreachable, WrongSettings
from telflo.remote.progress import Exit, end_of, line_of
from tests.factories import (
    exporting,
    make_api_token,
    make_collector,
    make_configuration,
    make_fleet,
    make_person,
    make_rendered,
    make_version,
)

ROOT = Path(__file__).resolve().parents[2]
NEEDY = exporting("file", "{path: '${env:LEVEL}'}")


class Shell:
    """A pipeline with a token."""

    def __init__(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        person = make_person(role=Role.OPERATOR)
        token = make_api_token(user=person, scope=TokenScope.WRITE).secret
        self.environment = {"TELFLO_URL": url, "TELFLO_API_TOKEN": token}
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        code = rollout.main(arguments, self.environment)
        said = self._capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def shell(live_server: LiveServer, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(live_server.url, capsys)


def edge(*texts: str, collectors: int = 0) -> Fleet:
    """A fleet on version 1 of "edge", of which these further versions are published."""
    configuration = make_configuration(name="edge")
    first = make_version(configuration=configuration)
    fleet = make_fleet(name="edge", version=first)
    desired = make_rendered(version=first)
    for n in range(collectors):
        make_collector(name=f"web-{n}", fleet=fleet, desired=desired)
    for text in texts:
        make_version(configuration=configuration, yaml=text)
    return fleet


@pytest.mark.django_db(transaction=True)
class TestAgainstAServer:
    def test_a_start_that_is_watched_ends_with_the_rollout(self, shell: Shell) -> None:
        edge("")
        code, out, _ = shell("start", "--fleet", "edge", "--version", "edge@latest", "--watch")
        made = Rollout.objects.get()
        assert (code, made.state, made.version.number) == (0, "succeeded", 2)
        assert f"/rollouts/{made.number}/" in out
        assert "succeeded" in out

    def test_what_the_check_warns_of_stops_it_until_it_is_accepted(self, shell: Shell) -> None:
        edge(NEEDY, collectors=2)
        start = ("start", "--fleet", "edge", "--version", "edge@2", "--plan", "canary")
        code, _, err = shell(*start)
        assert code == 3
        assert "new_variables" in err
        assert "LEVEL" in err
        assert not Rollout.objects.exists()
        some = (*start, "--accept", "new_variables")
        assert shell(*some)[0] == 3
        assert shell(*some, "--accept", "unknown_components")[0] == 0
        assert Rollout.objects.get().stages.count() == 4

    def test_a_dry_run_tells_what_would_happen_as_lines_and_as_json(self, shell: Shell) -> None:
        edge(NEEDY, collectors=2)
        start = ("start", "--fleet", "edge", "--version", "edge@2", "--dry-run")
        code, out, _ = shell(*start)
        assert code == 3
        assert "2 of 2 collectors would get it" in out
        assert "warning new_variables" in out
        assert out.splitlines()[-1].startswith("A start needs --accept ")
        assert "--accept new_variables" in out
        code, out, _ = shell(*start, "--accept-warnings", "--json")
        told = json.loads(out)
        assert (code, told["outcome"], told["preflight"]["reached"]) == (0, "succeeded", 2)
        assert not Rollout.objects.exists()

    def test_it_is_steered_by_its_number(self, shell: Shell) -> None:
        edge("", collectors=2)
        assert shell("start", "--fleet", "edge", "--version", "edge@2", "--plan", "canary")[0] == 0
        number = str(Rollout.objects.get().number)
        code, out, _ = shell("pause", number, "--reason", "lunch")
        assert code == 0
        assert "paused" in out
        code, out, _ = shell("watch", f"#{number}", "--json")
        assert (code, json.loads(out)["outcome"]) == (5, "stopped")
        assert shell("resume", number)[0] == 0
        code, out, _ = shell("status", number, "--json")
        assert json.loads(out)["rollout"]["state"] == "running"
        code, _, err = shell("resume", number)
        assert code == 1
        assert "It is running" in err
        code, out, _ = shell("rollback", number, "--reason", "no")
        assert "rolling back" in out or "rolled back" in out
        assert shell("cancel", number)[0] == 1

    def test_a_plan_comes_from_a_file(self, shell: Shell, tmp_path: Path) -> None:
        edge("", collectors=2)
        plan = tmp_path / "plan.json"
        plan.write_text(json.dumps({"stages": [{"count": 1}, {"percent": 100}]}))
        start = ("start", "--fleet", "edge", "--version", "edge@2", "--plan")
        assert shell(*start, str(plan))[0] == 0
        assert Rollout.objects.get().stages.count() == 2
        code, _, err = shell(*start, str(tmp_path / "none.json"))
        assert code == 1
        assert "neither a preset" in err

    def test_what_is_wrong_with_a_plan_is_said_with_its_place(
        self, shell: Shell, tmp_path: Path
    ) -> None:
        edge("", collectors=2)
        plan = tmp_path / "plan.json"
        plan.write_text(json.dumps({"stages": [{"selector": "region ="}, {"percent": 100}]}))
        code, out, err = shell(
            *("start", "--fleet", "edge", "--version", "edge@2", "--plan", str(plan), "--json")
        )
        assert code == 1
        assert "  /plan/stages/0/selector: “region =” is no condition." in err
        [error] = json.loads(out)["problem"]["errors"]
        assert error["pointer"] == "/plan/stages/0/selector"

    def test_the_same_key_starts_it_once(self, shell: Shell) -> None:
        edge("", collectors=1)
        start = ("start", "--fleet", "edge", "--version", "edge@2", "--idempotency-key", "run-7")
        assert [shell(*start)[0] for _ in range(2)] == [0, 0]
        assert Rollout.objects.count() == 1

    def test_a_dry_run_ends_as_a_start_would(self, shell: Shell) -> None:
        edge()
        start = ("start", "--fleet", "edge", "--version", "edge@1")
        refused, checked = shell(*start), shell(*start, "--dry-run")
        assert refused == checked
        assert (checked[0], "edge has edge v1 already" in checked[2]) == (1, True)

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("status", "77"), "no rollout #77"),
            (("status", "x"), "names neither a rollout nor an id"),
            (("start", "--fleet", "edge", "--version", "other@1"), "no configuration “other”"),
            (("start", "--fleet", "edge", "--version", "edge@77"), "“edge” has no version 77"),
            (("start", "--fleet", "edge", "--version", "4"), "names neither a version"),
            (("start", "--fleet", "none", "--version", "edge@1"), "no fleet"),
        ],
    )
    def test_what_does_not_exist_is_said(
        self, shell: Shell, arguments: tuple[str, ...], words: str
    ) -> None:
        edge()
        code, out, err = shell(*arguments)
        assert (code, out) == (1, "")
        assert words in err

    def test_a_wrong_token_is_an_error_and_not_shown(self, shell: Shell) -> None:
        shell.environment["TELFLO_API_TOKEN"] = "tlf_u_wrong"
        code, out, err = shell("status", "1", "--json")
        assert (code, json.loads(out)["outcome"]) == (1, "error")
        assert "tlf_u_wrong" not in out + err


def seen(state: str, **more: Any) -> dict[str, Any]:
    """A rollout as the API shows it."""
    counts = {"succeeded": 1, "waiting": 3, "failed": 1, "excluded": 9}
    stages = [
        {"index": 0, "name": "Canary", "state": "passed"},
        {"index": 1, "name": "10 %", "state": "running"},
    ]
    return {"number": 4, "state": state, "counts": counts, "stages": stages, **more}


class Answers:
    """A client whose answers are given, the last one for ever; an exception is raised."""

    url = "https://telflo.example.com"

    def __init__(self, *answers: Any) -> None:
        self.left = list(answers)

    def get(self, path: str, **parameters: str) -> Any:
        answer = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def post(self, path: str, body: Mapping[str, Any], *, key: str = "") -> Any:
        raise NotImplementedError


def watched(*answers: Any, within: float = 100) -> tuple[Exit, list[str]]:
    """How it ends, and what was said; the clock goes on by waiting alone."""
    lines: list[str] = []
    passed = [0.0]

    def wait(seconds: float) -> None:
        passed[0] += seconds

    session = rollout.Session(Answers(*answers), lines.append, wait, lambda: passed[0])
    return session.watch("id", every=5, within=within)[0], lines


class TestWatching:
    @pytest.mark.parametrize(
        ("state", "code"),
        [
            ("succeeded", Exit.SUCCEEDED),
            ("rolled_back", Exit.ROLLED_BACK),
            ("paused", Exit.STOPPED),
            ("cancelled", Exit.STOPPED),
            ("superseded", Exit.STOPPED),
        ],
    )
    def test_the_end_is_the_exit_code(self, state: str, code: Exit) -> None:
        end, lines = watched(seen("running"), seen("running"), seen("rolling_back"), seen(state))
        assert end is code
        assert len(lines) == 3, "only what changed is said"

    def test_it_gives_up_in_time_and_the_rollout_goes_on(self) -> None:
        end, lines = watched(seen("baking"), within=20)
        assert end is Exit.TIMEOUT
        assert "goes on" in lines[-1]

    def test_a_server_that_is_away_is_asked_again(self) -> None:
        end, lines = watched(seen("running"), Unreachable("away"), seen("succeeded"))
        assert end is Exit.SUCCEEDED
        assert lines[1] == "away"
        assert watched(Unreachable("away"), within=20)[0] is Exit.TIMEOUT

    def test_a_line_says_stage_and_numbers(self) -> None:
        line = line_of(seen("running", state_reason=""))
        assert line == "#4 running · stage 2 of 2, 10 % · 1 of 5 succeeded, 1 failed"

    @pytest.mark.parametrize("state", ["pending", "running", "baking", "rolling_back"])
    def test_it_goes_on_in_every_other_state(self, state: str) -> None:
        assert end_of(seen(state)) is None


UUID = "0190c1c0-0000-7000-8000-000000000001"
CAUSES = {"causes": [{"count": 2, "error": "no such host\nmore"}]}


def told_by(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *answers: Any
) -> tuple[int, dict[str, Any], str]:
    """Exit code, document and lines of `watch --json` with these answers."""
    client = Answers(*answers)
    monkeypatch.setattr(Client, "of", lambda _: client)
    code = rollout.main(["watch", UUID, "--json", "--every", "0.001"], {})
    said = capsys.readouterr()
    return code, json.loads(said.out), said.err


class TestCauses:
    """What is asked for after the end does not change the end."""

    def test_they_are_asked_for_again_when_the_server_is_away(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        away = Unreachable("It answered 503.")
        code, document, lines = told_by(monkeypatch, capsys, seen("rolled_back"), away, CAUSES)
        assert (code, document["outcome"]) == (4, "rolled_back")
        assert document["failures"] == CAUSES["causes"]
        assert "2 failed: no such host\n" in lines

    def test_the_lines_of_what_says_why_are_told(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cause = {
            "count": 2,
            "error": "It ended.\nLog:\nready\nport taken",
            "gist": "It ended.\nport taken",
        }
        _, _, lines = told_by(monkeypatch, capsys, seen("rolled_back"), {"causes": [cause]})
        assert "  2 failed: It ended.\n    port taken\n" in lines

    @pytest.mark.parametrize(
        "problem", [Unreachable("It answered 503."), Answered(401, {"detail": "The token ended."})]
    )
    def test_without_them_the_outcome_is_still_told(
        self,
        problem: Exception,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        code, document, lines = told_by(monkeypatch, capsys, seen("rolled_back"), problem)
        assert (code, document["outcome"]) == (4, "rolled_back")
        assert document["rollout"]["state"] == "rolled_back"
        assert "failures" not in document
        assert f"Why it failed could not be asked for: {problem}" in lines


class TestSettings:
    @pytest.mark.parametrize(
        ("environment", "words"),
        [
            ({}, "TELFLO_URL"),
            ({"TELFLO_URL": "ftp://x"}, "TELFLO_URL"),
            ({"TELFLO_URL": "https://x"}, "TELFLO_API_TOKEN"),
            (
                {"TELFLO_URL": "https://x", "TELFLO_API_TOKEN": "a", "TELFLO_API_TOKEN_FILE": "b"},
                "one of them",
            ),
            ({"TELFLO_URL": "https://x", "TELFLO_API_TOKEN_FILE": "/none"}, "cannot be read"),
            ({"TELFLO_URL": "https://x", "TELFLO_API_TOKEN": "a\nb"}, "is no token"),
        ],
    )
    def test_what_is_missing_is_named(self, environment: dict[str, str], words: str) -> None:
        with pytest.raises(WrongSettings, match=words):
            Client.of(environment)

    def test_a_token_comes_from_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "token"
        path.write_text("tlf_u_x\n")
        found = Client.of({"TELFLO_URL": "https://x/", "TELFLO_API_TOKEN_FILE": str(path)})
        assert (found.url, found.token) == ("https://x", "tlf_u_x")


def test_it_needs_neither_settings_nor_a_data_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    environment = {
        "PATH": "/usr/bin:/bin",
        "TELFLO_DATA": str(data),
        "DATABASE_URL": "nonsense",
        "TELFLO_URL": "http://127.0.0.1:1",
        "TELFLO_API_TOKEN": "tlf_u_x",
    }
    command = [sys.executable, "manage.py", "rollout", "status", "1"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "http://127.0.0.1:1 does not answer" in done.stderr
    assert not data.exists()
