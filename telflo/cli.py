"""The `telflo` command: Django's management commands, with a wrong setting said in one line; and `telflo rollout` and
`telflo validate`, which need no Django.
"""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from telflo.databases import why_unusable
from telflo.remote import rollout
from telflo.validating import command


def main() -> None:
    """Run the command in sys.argv. A wrong setting or no database ends it with one line on stderr and exit code 1.

    `rollout` speaks to a server elsewhere, `validate` to nobody: they need no settings here.
    """
    if sys.argv[1:2] == ["rollout"]:
        sys.exit(rollout.main(sys.argv[2:], os.environ))
    if sys.argv[1:2] == ["validate"]:
        sys.exit(command.run())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telflo.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"telflo: {error}")
    except OperationalError as error:
        sys.exit(f"telflo: {why_unusable(error)}")
