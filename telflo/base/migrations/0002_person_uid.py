"""A public id for people: the empty column. No default yet, or all rows would get the same id."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("base", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="uid",
            field=models.UUIDField(editable=False, null=True, unique=True),
        ),
    ]
