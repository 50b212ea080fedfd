"""A wrong setting stops the start with one line that names it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from telflo import __version__, cli, databases, env
from telflo.secrets_store import encryption_keys, secret_key
from telflo.serve.sockets import bind


def refused(act: Callable[[], object]) -> str:
    """The one line that an act is refused with."""
    with pytest.raises(ImproperlyConfigured) as caught:
        act()
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(
    "value",
    [
        "https://h.example/telflo",
        "https://h.example?x=1",
        "https://h.example#x",
        "https://me:pw@h.example",
        "https://h.example:99999",
        "http://[::1",
        "h.example",
        "ftp://h.example",
    ],
)
def test_the_base_url_is_scheme_host_and_port(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TELFLO_BASE_URL", value)
    line = refused(lambda: env.origin("TELFLO_BASE_URL"))
    assert line.startswith("TELFLO_BASE_URL: ")
    assert "pw" not in line


def test_a_base_url_may_end_with_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELFLO_BASE_URL", "https://h.example:8443/")
    assert env.origin("TELFLO_BASE_URL") == "https://h.example:8443"


@pytest.mark.parametrize("value", ["http://[::1", "http://h:99999", "nonsense"])
def test_other_urls_are_looked_at_too(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TELFLO_OPAMP_URL", value)
    assert "TELFLO_OPAMP_URL" in refused(lambda: env.url("TELFLO_OPAMP_URL"))


@pytest.mark.parametrize("url", ["postgres://[::1", "postgres://h:99999/x"])
def test_a_database_url_that_is_none_is_named_without_its_password(url: str) -> None:
    assert "DATABASE_URL" in refused(lambda: databases.database_from_url(url, data=Path()))


def test_a_file_of_a_secret_that_is_no_text_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("SOME_FILE", str(tmp_path / "key"))
    assert "SOME_FILE" in refused(lambda: env.secret("SOME"))


def test_a_folder_is_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TELFLO_CA_FILE", str(tmp_path))
    assert "TELFLO_CA_FILE" in refused(lambda: env.file("TELFLO_CA_FILE"))


@pytest.mark.parametrize("key", ["short", "s" * 31, "s" * 50])
def test_a_secret_key_that_can_be_guessed_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str
) -> None:
    monkeypatch.setenv("TELFLO_SECRET_KEY", key)
    line = refused(lambda: secret_key(tmp_path))
    assert line.startswith("TELFLO_SECRET_KEY: ")
    assert key not in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("make", [secret_key, encryption_keys])
@pytest.mark.parametrize("place", ["a file/below", "/proc/nothing"])
def test_a_data_folder_that_cannot_be_made_is_named(
    make: Callable[[Path], object], place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("TELFLO_SECRET_KEY", "TELFLO_ENCRYPTION_KEYS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "a file").write_text("x")
    line = refused(lambda: make(tmp_path / place))
    assert line.startswith("TELFLO_DATA: ")


@pytest.mark.parametrize("host", ["nope..x", "x" * 70, "no.such.host.invalid"])
def test_a_host_that_is_none_is_an_os_error_with_words(host: str) -> None:
    with pytest.raises(OSError, match=r"[nN]ame") as caught:
        bind(host, 0)
    assert caught.value.strerror


class Database:
    """A connection that comes up after some tries."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.failures = failures
        self.error = error or OperationalError("connection refused\nIs the server running?")
        self.pauses: list[float] = []

    def ensure_connection(self) -> None:
        if self.failures:
            self.failures -= 1
            raise self.error


def test_a_database_that_is_not_up_yet_is_waited_for() -> None:
    database = Database(3)
    said = list(databases.wait_for(database, sleep=database.pauses.append))
    assert len(database.pauses) == 3
    assert len(said) == 1, "it says once that it waits"
    assert "connection refused" in said[0]


def test_a_database_that_stays_away_is_one_line() -> None:
    database = Database(1000)
    line = refused(lambda: list(databases.wait_for(database, sleep=database.pauses.append)))
    assert line == "DATABASE_URL: the database cannot be used: connection refused"
    assert len(database.pauses) < 60


def test_a_command_without_its_database_ends_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_arguments: Any) -> None:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setattr(cli, "execute_from_command_line", fail)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", os.environ["DJANGO_SETTINGS_MODULE"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert (
        str(caught.value) == "telflo: DATABASE_URL: the database cannot be used: connection refused"
    )


@pytest.mark.parametrize(
    "arguments", [["--version"], ["version"], ["serve", "--version"]], ids=" ".join
)
def test_the_version_is_that_of_telflo_and_needs_no_setting(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["telflo", *arguments])
    monkeypatch.setenv("TELFLO_BASE_URL", "nonsense")
    cli.main()
    assert capsys.readouterr().out == f"telflo {__version__}\n"
