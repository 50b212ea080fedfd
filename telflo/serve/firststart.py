"""What a server does before it serves: the embedded one migrates, and the first start makes the first admin."""

import os
import resource
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from telflo import env
from telflo.base import tracing
from telflo.base.access import Role
from telflo.base.activity import Actor, record
from telflo.base.models import User
from telflo.base.rotation import check_keys
from telflo.databases import wait_for
from telflo.serve import private, remarks

ADMIN = "admin"
_PASSWORD_BYTES = 12


def prepare() -> Iterator[str]:
    """Bring the database up to date and make sure that somebody can sign in; yields lines for the terminal."""
    if connection.vendor == "sqlite":
        private.make_database(_file())
    yield from wait_for(connection)
    migrate()
    yield from welcome()


def welcome() -> Iterator[str]:
    """Make sure that somebody can sign in, where the database is up to date; yields lines for the terminal.

    Without a database nothing is done: /readyz says what is missing, and the next start does it.
    Raises ImproperlyConfigured for keys that do not open what is stored.
    """
    yield from check_store()
    try:
        password = None if is_behind() else make_first_admin()
    except OperationalError:
        return
    if password is not None:
        yield f"First sign-in: user {ADMIN}, password {password}"
        yield "The password is shown this once. Change it after signing in."


def surroundings() -> Iterator[str]:
    """What is odd about the environment of a server that starts, as lines for the terminal.

    Raises ImproperlyConfigured for what it cannot start with.
    """
    tracing.check()
    yield from remarks.of_variables(os.environ, env.asked)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield from remarks.of_files(most, settings.OPAMP_CONNECTIONS)
    if connection.vendor == "sqlite":
        yield from private.of_database(_file())


def _file() -> Path:
    return Path(str(connection.settings_dict["NAME"]))


def check_store() -> Iterator[str]:
    """Look at the database as far as it is there; yields a line for the terminal when it is not migrated.

    Raises ImproperlyConfigured when the keys do not open what it holds: else every page with a stored text would fail,
    and texts of two keys would mix.
    """
    with suppress(OperationalError):
        if is_behind():
            yield "The database is not migrated, so nothing works yet. Run `telflo migrate`."
        else:
            check_keys()


def migrate() -> bool:
    """Apply migrations when some are missing; True when there were any."""
    if not is_behind():
        return False
    call_command("migrate", verbosity=0, interactive=False)
    return True


def is_behind() -> bool:
    """Whether migrations are missing. Raises OperationalError when the database cannot be reached."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def make_first_admin() -> str | None:
    """Make the user `admin` where there is nobody; answers a password that was made up here, and only that.

    TELFLO_ADMIN_PASSWORD (or _FILE) sets the password instead. Raises ImproperlyConfigured for one that is weak.
    """
    if User.objects.exists():
        return None
    given = _given_password()
    password = given or secrets.token_urlsafe(_PASSWORD_BYTES)
    try:
        _make_admin(password)
    except IntegrityError:
        # Another server that starts was quicker, and has said its password.
        return None
    return None if given else password


def _given_password() -> str:
    """The password that was set for the first admin, by the rules that hold for everybody; "" when none was."""
    given = env.secret("TELFLO_ADMIN_PASSWORD")
    if given:
        try:
            validate_password(given, User(username=ADMIN))
        except ValidationError as error:
            raise ImproperlyConfigured(
                f"TELFLO_ADMIN_PASSWORD: {' '.join(error.messages)}"
            ) from error
    return given


@transaction.atomic
def _make_admin(password: str) -> None:
    user = User.objects.create_superuser(ADMIN, password=password)
    record(
        actor=Actor.worker("first start"),
        action="person.create",
        obj=user,
        after={"role": Role.ADMIN.value},
    )
