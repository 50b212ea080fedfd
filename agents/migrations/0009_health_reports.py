"""Health trees as they were sent, compressed: PostgreSQL took longer to read and write their JSON than all else of a row."""

from django.db import migrations, models

from telflo.base.compression import CompressedField


class Migration(migrations.Migration):
    dependencies = [("agents", "0008_interval_since")]

    operations = [
        migrations.AddField(
            "agentstatus",
            "health_report",
            CompressedField(null=True, help_text="the tree as it was sent: opamp/protocol/health.py"),
        ),
        migrations.AddField(
            "agentstatus",
            "reported_healthy",
            models.BooleanField(null=True, help_text="of the kept tree's root"),
        ),
        migrations.AddField(
            "agentstatus", "reported_status", models.TextField(blank=True, default="", db_default="")
        ),
    ]
