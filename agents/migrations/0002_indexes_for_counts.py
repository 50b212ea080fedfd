"""Indexes from which lists and numbers are counted without reading wide rows."""

from django.db import migrations, models

from telflo.base.online import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("agents", "0001_initial")]

    operations = [
        AddIndexOnline(
            model_name="agent",
            index=models.Index(
                fields=["collector_version", "collector_name", "os_type"], name="agent_by_build"
            ),
        ),
        AddIndexOnline(
            model_name="agentstatus",
            index=models.Index(
                fields=["agent", "status", "health", "remote_config_status", "remote_config_hash"],
                name="status_counted",
            ),
        ),
        migrations.AlterField(
            model_name="agent",
            name="collector_version",
            field=models.CharField(blank=True, max_length=64),
        ),
    ]
