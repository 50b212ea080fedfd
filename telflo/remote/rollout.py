"""`telflo rollout …`: start, watch and steer rollouts from a pipeline. Exit codes: progress.Exit."""

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

from telflo.remote.client import Answered, Client, Unreachable, WrongSettings
from telflo.remote.progress import Exit, check_lines, end_of, line_of

STEPS: Final = {
    "pause": "let nobody else go",
    "resume": "go on after a pause",
    "cancel": "end it; those that moved stay on the version",
    "rollback": "take it back: each collector returns to what it had",
    "skip-bake": "go on with the next stage now",
}
_BLOCKED: Final = frozenset({"preflight-errors", "preflight-warnings"})
_NAMED: Final = re.compile(r"(?P<name>.+)@(?P<number>\d{1,9}|latest)")
_TRIES: Final = 3
_PAUSE_S: Final = 5.0
"""So often, and so far apart at most, the causes of an outcome are asked for; it does not wait longer for them."""
_MOST_LINES: Final = 10
"""Of the words of a cause."""
_PRESETS: Final = ("canary", "all_at_once", "one_by_one")


class CannotSay(Exception):
    """What was asked for does not exist, or cannot be read."""


class Api(Protocol):
    """What is asked of a server: telflo.remote.client.Client."""

    def get(self, path: str, **parameters: str) -> Any:
        """The answer's JSON."""
        ...

    def post(self, path: str, body: Mapping[str, Any], *, key: str = "") -> Any:
        """The answer's JSON."""
        ...


@dataclass(slots=True)
class Session:
    """One run. say: a line for people; wait: between two looks; now: seconds, monotonic."""

    client: Api
    say: Callable[[str], None]
    wait: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic

    def rollout_id(self, named: str) -> str:
        """By id, or by number as the pages show it: 12 or #12. Raises CannotSay."""
        number = named.removeprefix("#")
        if not number.isdecimal():
            return str(_uuid(named, "a rollout"))
        found = self.client.get("rollouts/", number=number)["results"]
        if not found:
            raise CannotSay(f"There is no rollout #{number}.")
        return str(found[0]["id"])

    def version_id(self, named: str) -> str:
        """By id, `edge@4` or `edge@latest`: the newest that is published. Raises CannotSay."""
        found = _NAMED.fullmatch(named)
        if found is None:
            return str(_uuid(named, "a version (edge@4, edge@latest)"))
        configuration = self._configuration(found["name"])
        if found["number"] != "latest":
            return self._numbered(found["name"], configuration, int(found["number"]))
        versions = self.client.get(f"configurations/{configuration}/versions/", limit="500")
        for one in sorted(versions["results"], key=lambda one: -one["number"]):
            if one["state"] == "published":
                return str(one["id"])
        raise CannotSay(f"{found['name']} has no published version.")

    def _numbered(self, name: str, configuration: str, number: int) -> str:
        try:
            found = self.client.get(f"configurations/{configuration}/versions/{number}/")
        except Answered as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            raise CannotSay(f"“{name}” has no version {number}.") from None
        return str(found["id"])

    def _configuration(self, name: str) -> str:
        for one in self.client.get("configurations/", q=name, limit="500")["results"]:
            if one["name"] == name:
                return str(one["id"])
        raise CannotSay(f"There is no configuration “{name}”.")

    def watch(self, rollout: str, *, every: float, within: float) -> tuple[Exit, Any]:
        """Look until it ends, saying what changed. Who does not answer is asked again."""
        ends_at, last, found = self.now() + within, "", None
        while True:
            try:
                found = self.client.get(f"rollouts/{rollout}/")
                told, end = line_of(found), end_of(found)
            except Unreachable as error:
                told, end = str(error), None
            if told != last:
                self.say(told)
            last = told
            if end is not None:
                return end, found
            if self.now() >= ends_at:
                self.say("It takes longer than --timeout. It goes on without being watched.")
                return Exit.TIMEOUT, found
            self.wait(min(every, max(0.0, ends_at - self.now())))

    def causes(self, rollout: str, *, every: float) -> Any:
        """Why it failed, as `failures/` has it. None, with a word, where the server does not say: the end is known."""
        problem: Exception | None = None
        for n in range(_TRIES):
            self.wait(min(every, _PAUSE_S) if n else 0)
            try:
                return self.client.get(f"rollouts/{rollout}/failures/")["causes"]
            except Unreachable as error:
                problem = error
            except Answered as error:
                problem = error
                break
        self.say(f"Why it failed could not be asked for: {problem}")
        return None


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one command; answers the exit code."""
    said = _parser().parse_args(arguments)
    # With --json stdout is the document's alone.
    stream = sys.stderr if said.json else sys.stdout
    result: dict[str, Any] = {}

    def say(line: str) -> None:
        print(line, file=stream, flush=True)

    try:
        client = Client.of(environment)
        said.url = client.url
        code = _run(said, Session(client, say), result)
    except Answered as error:
        code = Exit.BLOCKED if error.kind in _BLOCKED else Exit.ERROR
        result["problem"] = dict(error.problem)
        _complain([str(error), *map(_fault, _errors(error))])
    except (Unreachable, WrongSettings, CannotSay) as error:
        code = Exit.ERROR
        result["problem"] = {"detail": str(error)}
        _complain([str(error)])
    except KeyboardInterrupt:
        code = Exit.ERROR
        _complain(["Stopped watching. The rollout goes on."])
    if said.json:
        print(json.dumps({"outcome": code.name.lower(), **result}))  # noqa: T201 - a command speaks
    return int(code)


def _run(said: argparse.Namespace, session: Session, result: dict[str, Any]) -> Exit:
    if said.command == "start":
        return _start(said, session, result)
    rollout = session.rollout_id(said.rollout)
    if said.command == "watch":
        return _watch(said, session, rollout, result)
    if said.command == "status":
        found = session.client.get(f"rollouts/{rollout}/")
    else:
        found = session.client.post(f"rollouts/{rollout}/{said.command}/", {"reason": said.reason})
    result["rollout"] = found
    session.say(line_of(found))
    return Exit.SUCCEEDED


def _start(said: argparse.Namespace, session: Session, result: dict[str, Any]) -> Exit:
    body: dict[str, Any] = {
        "fleet": said.fleet,
        "version": session.version_id(said.version),
        "reason": said.reason,
        "accept": said.accept,
        "accept_warnings": said.accept_warnings,
        "force": said.force,
    }
    if plan := _plan(said):
        body["plan"] = plan
    if said.dry_run:
        found = session.client.post("rollouts/", {**body, "dry_run": True})
        result["preflight"] = found
        for line in check_lines(found):
            session.say(line)
        missing = _unaccepted(found, said)
        if missing:
            session.say(f"A start needs {' '.join(f'--accept {code}' for code in missing)}")
        return Exit.SUCCEEDED if found["may_start"] and not missing else Exit.BLOCKED
    rollout = session.client.post("rollouts/", body, key=said.idempotency_key)
    result["rollout"] = rollout
    session.say(f"Started {said.url}/rollouts/{rollout['number']}/")
    return _watch(said, session, str(rollout["id"]), result) if said.watch else Exit.SUCCEEDED


def _unaccepted(check: Mapping[str, Any], said: argparse.Namespace) -> list[str]:
    """Codes of the warnings that stop a start as it was asked for."""
    warnings = {one["code"] for one in check["findings"] if one["severity"] == "warning"}
    return [] if said.accept_warnings else sorted(warnings.difference(said.accept))


def _watch(
    said: argparse.Namespace, session: Session, rollout: str, result: dict[str, Any]
) -> Exit:
    end, found = session.watch(rollout, every=said.every, within=said.timeout)
    result["rollout"] = found
    if end is Exit.SUCCEEDED or found is None:
        return end
    causes = session.causes(rollout, every=said.every)
    if causes is not None:
        result["failures"] = causes
        for cause in causes:
            words = (cause.get("gist") or cause["error"]).splitlines()[:_MOST_LINES]
            session.say(f"  {cause['count']} failed: " + "\n    ".join(words))
    return end


def _plan(said: argparse.Namespace) -> Any:
    """The plan as the API takes it; None for all at once. Raises CannotSay."""
    if not said.plan:
        return None
    if said.plan in _PRESETS:
        return {"preset": said.plan}
    try:
        return json.loads(Path(said.plan).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise CannotSay(
            f"--plan {said.plan} is neither a preset ({', '.join(_PRESETS)}) nor a JSON file with a plan."
        ) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="telflo rollout",
        description="Rollouts from a pipeline. It needs TELFLO_URL and TELFLO_API_TOKEN (or TELFLO_API_TOKEN_FILE).",
        epilog="Exit codes: 0 succeeded, 1 error, 2 usage, 3 stopped by the pre-flight check, 4 rolled back,"
        " 5 paused, cancelled or superseded, 6 timeout.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="check it, then start it")
    start.add_argument("--fleet", required=True, help="slug or id")
    start.add_argument("--version", required=True, help="id, edge@4, or edge@latest")
    start.add_argument("--plan", default="", help=f"{', '.join(_PRESETS)}, or a JSON file")
    start.add_argument("--dry-run", action="store_true", help="only check it: nothing changes")
    start.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="CODE",
        help="start in spite of this warning; may be repeated",
    )
    start.add_argument(
        "--accept-warnings", action="store_true", help="start in spite of any warning"
    )
    start.add_argument(
        "--force", action="store_true", help="also on collectors where it failed before"
    )
    start.add_argument("--idempotency-key", default="", help="a repeat starts nothing more")
    start.add_argument("--watch", action="store_true", help="until it ends")
    start.add_argument("--reason", default="")
    _add_watching(start)
    watch = commands.add_parser("watch", help="until it ends")
    _add_watching(watch)
    status = commands.add_parser("status", help="how it is now")
    steps = [commands.add_parser(name, help=words) for name, words in STEPS.items()]
    for one in (watch, status, *steps):
        one.add_argument("rollout", help="its number, or its id")
    for one in steps:
        one.add_argument("--reason", default="")
    for one in (start, watch, status, *steps):
        one.add_argument("--json", action="store_true", help="one document on stdout at the end")
    return parser


def _add_watching(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--every", type=_seconds, default=5.0, metavar="S", help="look every so many seconds (5)"
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=3600.0, metavar="S", help="watch so many seconds (3600)"
    )


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1_000_000:
        raise ValueError
    return value


def _uuid(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CannotSay(f"“{text}” names neither {what} nor an id.") from None


def _errors(error: Answered) -> Sequence[Mapping[str, Any]]:
    found = error.problem.get("errors")
    return found if isinstance(found, list) else []


def _fault(one: Mapping[str, Any]) -> str:
    """With its place in what was sent, where it has one; else with its code, which `--accept` takes."""
    return f"  {one.get('pointer') or one['code']}: {one['message']}"


def _complain(lines: Sequence[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201 - a command speaks
