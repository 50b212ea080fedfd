"""Everybody has a uid from now on."""

from django.db import migrations, models

import telflo.base.ids


class Migration(migrations.Migration):
    dependencies = [("base", "0003_fill_person_uid")]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="uid",
            field=models.UUIDField(default=telflo.base.ids.new_id, editable=False, unique=True),
        ),
    ]
