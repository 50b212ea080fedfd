from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleets", "0012_fill_moved_from"),
    ]

    operations = [
        migrations.AddField(
            model_name="agentconnection",
            name="marks",
            field=models.JSONField(
                help_text="of the own telemetry that was offered; empty: not known", null=True
            ),
        ),
    ]
