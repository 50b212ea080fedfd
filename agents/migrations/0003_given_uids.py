import telflo.base.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0002_indexes_for_counts'),
    ]

    operations = [
        migrations.CreateModel(
            name='GivenUid',
            fields=[
                ('uid', models.UUIDField(default=telflo.base.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('was', models.UUIDField(db_index=True)),
                ('is_clone', models.BooleanField(help_text='another agent goes on under the old uid')),
                ('remote_address', models.CharField(blank=True, max_length=64)),
                ('given_at', models.DateTimeField(db_index=True)),
                ('taken_at', models.DateTimeField(help_text='when an agent came with it', null=True)),
            ],
        ),
        migrations.AddField(
            model_name='agentstatus',
            name='trails',
            field=models.JSONField(help_text='plain HTTP: agents/trails.py, to find clones', null=True),
        ),
    ]
