import django.db.models.deletion
import telflo.base.encryption
import telflo.base.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0004_commands'),
    ]

    operations = [
        migrations.CreateModel(
            name='AgentMessage',
            fields=[
                ('id', models.UUIDField(default=telflo.base.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('capability', models.CharField(max_length=200)),
                ('type', models.CharField(blank=True, max_length=200)),
                ('body', telflo.base.encryption.EncryptedTextField(help_text='base64, its first bytes if it was long')),
                ('size', models.PositiveIntegerField(help_text='bytes, as they came')),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='agents.agent')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['agent', '-id'], name='message_by_agent')],
            },
        ),
    ]
