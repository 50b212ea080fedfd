"""What the commands refuse, and what the first start makes: without a process of their own."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth import authenticate
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db.models import QuerySet
from django.test import RequestFactory

from telflo.base.models import Activity, User
from telflo.serve.firststart import make_first_admin, migrate, prepare, welcome
from telflo.serve.sockets import bind
from tests.factories import make_person, make_version


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serve"], "Set REDIS_URL"),
        (["serve", "--embedded", "--processes", "2"], "--embedded is one process"),
        (["serve", "--embedded", "--processes", "0"], "at least 1"),
        (["gateway"], "Set REDIS_URL"),
        (["gateway", "--processes", "0"], "at least 1"),
        (["worker"], "A worker needs REDIS_URL"),
        (["beat"], "beat needs REDIS_URL"),
    ],
)
def test_what_cannot_run_is_said_in_one_line(
    settings: Any, arguments: list[str], words: str
) -> None:
    settings.REDIS_URL = ""
    with pytest.raises(CommandError, match=words) as caught:
        call_command(*arguments)
    assert "\n" not in str(caught.value)


def test_a_port_in_use_is_said_before_anything_is_done(settings: Any) -> None:
    sock = bind("127.0.0.1", 0)
    sock.listen()
    settings.HOST, settings.PORT = sock.getsockname()
    try:
        with pytest.raises(CommandError, match=r"cannot be used: .* Set HOST or PORT"):
            call_command("serve", "--embedded")
    finally:
        sock.close()


def test_a_gateways_port_in_use_is_said_too(settings: Any) -> None:
    sock = bind("127.0.0.1", 0)
    sock.listen()
    settings.REDIS_URL, settings.HOST = "redis://127.0.0.1:1/0", "127.0.0.1"
    try:
        with pytest.raises(CommandError, match=r"cannot be used: .* Set HOST or --port"):
            call_command("gateway", "--port", str(sock.getsockname()[1]))
    finally:
        sock.close()


@pytest.mark.django_db
def test_the_first_start_makes_an_admin_and_shows_the_password_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TELFLO_ADMIN_PASSWORD", raising=False)
    line = next(line for line in prepare() if "First sign-in" in line)
    password = line.split()[-1]
    request = RequestFactory().post("/accounts/login/")
    assert authenticate(request, username="admin", password=password) is not None
    assert User.objects.get().role == "admin"
    assert Activity.objects.get().action == "person.create"
    assert list(prepare()) == []


@pytest.mark.django_db
def test_a_given_password_is_used_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELFLO_ADMIN_PASSWORD", "correct horse battery")
    assert make_first_admin() is None
    assert User.objects.get().check_password("correct horse battery")


@pytest.mark.django_db
def test_a_server_in_production_makes_the_first_admin_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELFLO_ADMIN_PASSWORD", "correct horse battery")
    assert list(welcome()) == []
    assert User.objects.get().check_password("correct horse battery")


@pytest.mark.django_db
def test_of_two_servers_that_start_at_once_one_makes_the_admin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TELFLO_ADMIN_PASSWORD", raising=False)
    password = make_first_admin()
    # The other one looked before that was committed.
    monkeypatch.setattr(QuerySet, "exists", lambda _users: False)
    assert make_first_admin() is None
    assert User.objects.get().check_password(password)
    assert Activity.objects.get().action == "person.create"


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["a", "password1234", "administrator"])
def test_a_given_password_that_anybody_may_guess_is_refused(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("TELFLO_ADMIN_PASSWORD", password)
    with pytest.raises(ImproperlyConfigured, match=r"^TELFLO_ADMIN_PASSWORD: .+") as caught:
        make_first_admin()
    assert password not in str(caught.value).removeprefix("TELFLO_ADMIN_PASSWORD").split(" ")
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_password_that_is_not_used_any_more_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_person()
    monkeypatch.setenv("TELFLO_ADMIN_PASSWORD", "a")
    assert make_first_admin() is None


@pytest.mark.django_db(transaction=True)
def test_a_server_leaves_a_database_alone_that_is_not_migrated_and_says_so() -> None:
    call_command("migrate", "axes", "zero", verbosity=0)
    try:
        (line,) = welcome()
        assert "Run `telflo migrate`" in line
        assert not User.objects.exists()
    finally:
        call_command("migrate", verbosity=0)


@pytest.mark.django_db
def test_nothing_is_migrated_when_nothing_is_missing() -> None:
    assert not migrate()


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["serve", "gateway", "worker"])
def test_with_keys_that_do_not_open_what_is_stored_nothing_starts(
    settings: Any, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    make_version(yaml="service:\n")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with bind("127.0.0.1", 0) as sock:
        for module in ("serve", "gateway"):
            place = f"telflo.serve.management.commands.{module}.bind"
            monkeypatch.setattr(place, lambda *_where, **_how: sock)
        with pytest.raises(ImproperlyConfigured, match="Add the key it was stored with"):
            call_command(command)
