"""Those that are to be compared are found without looking at the others."""

from django.db import migrations, models

from telflo.base.online import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("agents", "0012_what_runs")]

    operations = [
        AddIndexOnline(
            model_name="agentstatus",
            index=models.Index(
                condition=models.Q(
                    compare_due=True,
                    remote_config_status=1,
                    remote_config_hash=models.F("desired_hash"),
                    effective_config__isnull=False,
                ),
                fields=["agent"],
                name="status_to_compare",
            ),
        ),
        AddIndexOnline(
            model_name="effectiveconfig",
            index=models.Index(fields=["essence"], name="effective_by_essence"),
        ),
    ]
