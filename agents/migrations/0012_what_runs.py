"""What became of the desired configuration on each collector; existing ones are compared within seconds."""

import telflo.base.ids
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agents", "0011_bodies_as_they_are")]

    operations = [
        migrations.CreateModel(
            name="Verdict",
            fields=[
                ("id", models.UUIDField(default=telflo.base.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("essence", models.CharField(help_text="of the effective configuration", max_length=64)),
                ("intended", models.CharField(help_text="the hash of what should run", max_length=64)),
                ("runs", models.CharField(help_text="configs/collector/drift.py", max_length=8)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.UniqueConstraint(fields=("essence", "intended"), name="verdict_once"),
        ),
        migrations.AddField(
            model_name="agentstatus",
            name="compare_due",
            field=models.BooleanField(
                db_default=True, default=True, help_text="what runs or should run changed since `runs`"
            ),
        ),
        migrations.AddField(
            model_name="agentstatus",
            name="runs",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="what became of the desired configuration (configs/collector/drift.py); empty: not known",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="effectiveconfig",
            name="essence",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="a hash that collectors share: configs/collector/additions.py; empty: not looked at",
                max_length=64,
            ),
        ),
    ]
