"""PostgreSQL does not try to compress bodies: they are compressed and encrypted, so it never gains anything."""

from django.db import migrations

from telflo.base.online import SqlFor

STORAGE = "ALTER TABLE agents_effectiveconfig ALTER COLUMN files SET STORAGE"


class Migration(migrations.Migration):
    dependencies = [("agents", "0010_fill_health_reports")]

    operations = [SqlFor("postgresql", f"{STORAGE} EXTERNAL", f"{STORAGE} EXTENDED")]
