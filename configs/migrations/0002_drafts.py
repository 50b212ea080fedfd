import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import telflo.base.encryption


class Migration(migrations.Migration):
    dependencies = [
        ("configs", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="configuration",
            name="last_lock_version",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="the highest of its drafts that are gone"
            ),
        ),
        migrations.CreateModel(
            name="Draft",
            fields=[
                (
                    "configuration",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="draft",
                        serialize=False,
                        to="configs.configuration",
                    ),
                ),
                ("yaml", telflo.base.encryption.EncryptedTextField()),
                ("collector_version", models.CharField(blank=True, max_length=32)),
                ("lock_version", models.PositiveIntegerField()),
                (
                    "editor",
                    models.CharField(
                        help_text="who edited it last, as people know them", max_length=200
                    ),
                ),
                ("edited_at", models.DateTimeField()),
                ("begun_at", models.DateTimeField()),
                (
                    "base",
                    models.ForeignKey(
                        help_text="the version that it began with",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="configs.configversion",
                    ),
                ),
                (
                    "edited_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
