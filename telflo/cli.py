"""The `telflo` command: Django's management commands, with a wrong setting said in one line; and those that need
no settings: `telflo rollout`, `validate`, `collector_catalog` and `backup`.
"""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from telflo import __version__, backup
from telflo.cataloguing import command as cataloguing
from telflo.databases import why_unusable
from telflo.remote import rollout
from telflo.validating import command as validating


def main() -> None:
    """Run the command in sys.argv. A wrong setting or no database ends it with one line on stderr and exit code 1.

    `rollout` speaks to a server elsewhere, `validate` and `collector_catalog` to none, `backup` reads the database's
    file: they need no settings here.
    """
    match sys.argv[1:2]:
        case ["rollout"]:
            sys.exit(rollout.main(sys.argv[2:], os.environ))
        case ["validate"]:
            sys.exit(validating.run())
        case ["collector_catalog"]:
            sys.exit(cataloguing.run())
        case ["backup"]:
            sys.exit(_backup())
    if sys.argv[1:2] == ["version"] or "--version" in sys.argv[1:]:
        print(f"telflo {__version__}")  # noqa: T201 - Django would say its own
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telflo.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"telflo: {error}")
    except OperationalError as error:
        sys.exit(f"telflo: {why_unusable(error)}")


def _backup() -> int | str:
    """The exit code, or the line that says why there is no copy."""
    try:
        return backup.run(sys.argv[2:])
    except (backup.BackupFailed, ImproperlyConfigured) as error:
        return f"telflo: {error}"
