from django.db import migrations, models
from django.db.models import deletion


class Migration(migrations.Migration):
    dependencies = [
        ("fleets", "0010_stages_skipped_and_stopped"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="moved_from",
            field=models.ForeignKey(
                help_text="the token it came by before it was offered others: its file may hold it still",
                null=True,
                on_delete=deletion.SET_NULL,
                related_name="moved",
                to="fleets.token",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="token",
            field=models.ForeignKey(
                help_text="the token it came by last",
                null=True,
                on_delete=deletion.SET_NULL,
                related_name="memberships",
                to="fleets.token",
            ),
        ),
    ]
