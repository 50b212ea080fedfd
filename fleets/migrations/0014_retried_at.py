from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleets", "0013_offered_marks"),
    ]

    operations = [
        migrations.AddField(
            model_name="target",
            name="retried_at",
            field=models.DateTimeField(
                help_text="when a person had it tried there again, the last time", null=True
            ),
        ),
    ]
