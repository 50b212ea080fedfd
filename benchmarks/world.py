"""A Django with a database of its own: a temporary SQLite file, or the empty PostgreSQL that DATABASE_URL names."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.core.management import call_command


@contextmanager
def scratch_world() -> Iterator[None]:
    """Set up Django and migrate. Ends the process when the database is not empty."""
    with tempfile.TemporaryDirectory(prefix="telflo-bench-") as folder:
        os.environ["TELFLO_DATA"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
        django.setup()
        call_command("migrate", verbosity=0)
        _refuse_a_used_database()
        yield


def _refuse_a_used_database() -> None:
    from telflo.base.models import User

    if User.objects.exists():
        sys.exit("This database is in use. A benchmark fills its own: give it an empty one.")
