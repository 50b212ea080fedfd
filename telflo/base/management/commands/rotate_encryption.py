"""`telflo rotate_encryption`: everything encrypted is stored again under the first key."""

from typing import Any

from django.core.management.base import BaseCommand

from telflo.base.rotation import encrypted_fields, rotate_field


class Command(BaseCommand):
    """Put the new key first in TELFLO_ENCRYPTION_KEYS, keep the old one behind it, run this, then drop the old one."""

    help = "Encrypt everything stored again with the first of TELFLO_ENCRYPTION_KEYS."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Rotate column after column and say how many rows each had."""
        for model, field in encrypted_fields():
            count = rotate_field(model, field)
            self.stdout.write(f"{model._meta.db_table}.{field.column}: {count} rows")
