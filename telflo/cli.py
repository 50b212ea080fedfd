"""The `telflo` command: Django's management commands, with a wrong setting said in one line."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from telflo.databases import why_unusable


def main() -> None:
    """Run the command in sys.argv. A wrong setting or no database ends it with one line on stderr and exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telflo.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"telflo: {error}")
    except OperationalError as error:
        sys.exit(f"telflo: {why_unusable(error)}")
